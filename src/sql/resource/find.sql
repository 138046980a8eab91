-- resource.find
-- $1 tenant  $2 resource
SELECT r.id, r.kind, r.name, r.reference, r.capacity, r.min_party, r.attributes, r.active, r.revision,
       r.created_at, r.updated_at
  FROM slotkeeper.resources r WHERE r.tenant_id = $1 AND r.id = $2
