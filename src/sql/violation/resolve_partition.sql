-- violation.resolve_partition
-- Up to the root: a foreign key through its parent constraints, a unique or exclusion constraint (and a bare
-- unique index, which pg_constraint does not have) through its index, a check and a NOT NULL column by the
-- table alone, for they keep their names. Reads the catalogs only.
-- $1 schema  $2 table  $3 constraint, or null for a NOT NULL column
WITH RECURSIVE place AS (
    SELECT t.oid FROM pg_catalog.pg_class t JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
    WHERE n.nspname = $1::text::name AND t.relname = $2::text::name
), constraints (oid, parent, name, relid) AS (
    SELECT c.oid, c.conparentid, c.conname, c.conrelid
    FROM place JOIN pg_catalog.pg_constraint c ON c.conrelid = place.oid
    WHERE c.conname = $3::text::name
    UNION ALL
    SELECT p.oid, p.conparentid, p.conname, p.conrelid
    FROM constraints JOIN pg_catalog.pg_constraint p ON p.oid = constraints.parent
), roots (name, relid) AS (
    SELECT name, relid FROM constraints WHERE parent = 0 UNION ALL
    SELECT root.relname, top.indrelid
    FROM place JOIN pg_catalog.pg_index i ON i.indrelid = place.oid
    JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid AND x.relname = $3::text::name
    JOIN pg_catalog.pg_index top
        ON top.indexrelid = coalesce(pg_catalog.pg_partition_root(i.indexrelid), i.indexrelid)
    JOIN pg_catalog.pg_class root ON root.oid = top.indexrelid
    UNION ALL SELECT NULL, oid FROM place WHERE $3::text IS NULL
)
SELECT n.nspname::text, t.relname::text, roots.name::text FROM roots
JOIN pg_catalog.pg_class t ON t.oid = coalesce(pg_catalog.pg_partition_root(roots.relid), roots.relid)
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
LIMIT 1
