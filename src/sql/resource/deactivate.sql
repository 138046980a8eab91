-- resource.deactivate
-- Takes a resource out of sale; what is already booked stays. Idempotent. No row: unknown.
-- $1 tenant  $2 resource
UPDATE slotkeeper.resources r
   SET active = false, revision = r.revision + CASE WHEN r.active THEN 1 ELSE 0 END, updated_at = statement_timestamp()
 WHERE r.tenant_id = $1 AND r.id = $2
RETURNING r.id, r.kind, r.name, r.reference, r.capacity, r.min_party, r.attributes, r.active, r.revision, r.created_at, r.updated_at
