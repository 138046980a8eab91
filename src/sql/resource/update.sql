-- resource.update
-- Replaces what describes the resource, if nobody changed it since. A repeat finds the row as the first call
-- left it, one revision further, and answers like it. Outcomes: updated, stale_revision, not_found.
-- $1 tenant  $2 resource  $3 expected revision  $4 kind  $5 name  $6 reference  $7 capacity  $8 smallest party
-- $9 attributes  $10 active
WITH resource AS MATERIALIZED (
    SELECT r.id, r.kind, r.name, r.reference, r.capacity, r.min_party, r.attributes, r.active, r.revision,
           r.created_at, r.updated_at
      FROM slotkeeper.resources r WHERE r.tenant_id = $1 AND r.id = $2 FOR NO KEY UPDATE
), resource_written AS (
    UPDATE slotkeeper.resources x SET kind = $4, name = $5, reference = $6, capacity = $7, min_party = $8, attributes = $9,
           active = $10, revision = x.revision + 1, updated_at = statement_timestamp()
      FROM resource r WHERE x.tenant_id = $1 AND x.id = r.id AND r.revision = $3
    RETURNING x.id, x.kind, x.name, x.reference, x.capacity, x.min_party, x.attributes, x.active, x.revision,
              x.created_at, x.updated_at
), answer AS (
    SELECT u.id, u.kind, u.name, u.reference, u.capacity, u.min_party, u.attributes, u.active, u.revision,
           u.created_at, u.updated_at
      FROM resource_written u
     UNION ALL
    SELECT r.id, r.kind, r.name, r.reference, r.capacity, r.min_party, r.attributes, r.active, r.revision,
           r.created_at, r.updated_at
      FROM resource r
     WHERE r.revision = $3 + 1 AND (r.kind, r.name, r.reference, r.capacity, r.min_party, r.attributes, r.active)
           IS NOT DISTINCT FROM ($4, $5, $6, $7, $8, $9, $10)
)
SELECT a.id, a.kind, a.name, a.reference, a.capacity, a.min_party, a.attributes, a.active, a.revision,
       a.created_at, a.updated_at,
       CASE WHEN r.id IS NULL THEN 'not_found' WHEN a.id IS NULL THEN 'stale_revision' ELSE 'updated' END AS outcome,
       r.revision AS found
  FROM (SELECT) one LEFT JOIN resource r ON true LEFT JOIN answer a ON true
