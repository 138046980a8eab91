-- resource.list
-- In id order, from after $4, at most $5.
-- $1 tenant  $2 kind, or null  $3 active only  $4 after, or null  $5 most rows
SELECT r.id, r.kind, r.name, r.reference, r.capacity, r.min_party, r.attributes, r.active, r.revision,
       r.created_at, r.updated_at
  FROM slotkeeper.resources r
 WHERE r.tenant_id = $1 AND ($2::text IS NULL OR r.kind = $2) AND (NOT $3::boolean OR r.active)
   AND r.id > coalesce($4::uuid, '00000000-0000-0000-0000-000000000000')
 ORDER BY r.id LIMIT $5
