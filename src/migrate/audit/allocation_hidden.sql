-- audit.allocation_hidden
-- Live rows marked for repair that overlap a live row claimed after they were marked. A quarantine marks what
-- overlaps already, and every claim refuses a marked row: this mark hides a row from the constraint, or a
-- claim was written past the library. Few rows are marked, each is compared with the rows of its resource.
SELECT DISTINCT m.tenant_id, m.id
  FROM slotkeeper.allocations m
  JOIN slotkeeper.allocations a
    ON a.tenant_id = m.tenant_id AND a.resource_id = m.resource_id AND a.id <> m.id
   AND a.released_at IS NULL AND a.during && m.during AND a.created_at > m.shadowed_at
 WHERE m.released_at IS NULL AND m.shadow
