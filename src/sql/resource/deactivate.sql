-- resource.deactivate
-- Takes a resource out of sale; what is already booked stays. Idempotent. Outcomes: deactivated, not_found.
-- $1 tenant  $2 resource
WITH resource_written AS (
    UPDATE slotkeeper.resources x
       SET active = false, revision = x.revision + CASE WHEN x.active THEN 1 ELSE 0 END,
           updated_at = statement_timestamp()
     WHERE x.tenant_id = $1 AND x.id = $2
    RETURNING x.id, x.kind, x.name, x.reference, x.capacity, x.min_party, x.attributes, x.active, x.revision,
              x.created_at, x.updated_at
)
SELECT CASE WHEN r.id IS NULL THEN 'not_found' ELSE 'deactivated' END AS outcome,
       r.id, r.kind, r.name, r.reference, r.capacity, r.min_party, r.attributes, r.active, r.revision,
       r.created_at, r.updated_at
  FROM (SELECT) one LEFT JOIN resource_written r ON true
