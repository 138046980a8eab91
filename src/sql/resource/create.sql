-- resource.create
-- Repeating with the same id returns what is stored. Outcomes: created, replayed, repeat.
-- $1 tenant  $2 resource  $3 kind  $4 name  $5 reference  $6 capacity  $7 smallest party  $8 attributes
WITH resource_written AS (
    INSERT INTO slotkeeper.resources (tenant_id, id, kind, name, reference, capacity, min_party, attributes, active, revision)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, true, 1)
    ON CONFLICT ON CONSTRAINT resources_pkey DO NOTHING
    RETURNING id, kind, name, reference, capacity, min_party, attributes, active, revision, created_at, updated_at
), stored AS (
    SELECT r.id, r.kind, r.name, r.reference, r.capacity, r.min_party, r.attributes, r.active, r.revision,
           r.created_at, r.updated_at, 'created' AS outcome FROM resource_written r
     UNION ALL
    SELECT r.id, r.kind, r.name, r.reference, r.capacity, r.min_party, r.attributes, r.active, r.revision,
           r.created_at, r.updated_at, 'replayed' FROM slotkeeper.resources r
     WHERE r.tenant_id = $1 AND r.id = $2 AND NOT EXISTS (SELECT FROM resource_written)
)
-- Neither: a twin committed while this statement waited for it, so only the next one sees its row.
SELECT s.id, s.kind, s.name, s.reference, s.capacity, s.min_party, s.attributes, s.active, s.revision,
       s.created_at, s.updated_at,
       coalesce(s.outcome, 'repeat') AS outcome
  FROM (SELECT) one LEFT JOIN stored s ON true
