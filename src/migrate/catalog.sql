-- The definitions of the library's tables as the catalog has them, the same text on every server version.
--   $1  name   the schema
--   $2  text[] the tables and domains
-- One row for each object: kind, table, name, definition. Row level security, policies, grants, comments,
-- tablespaces, storage parameters other than fillfactor, and column order are the host's affair and left out.
WITH tables AS (
    SELECT c.oid, c.relname, c.relkind, c.relpersistence, c.reloptions
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = ANY ($2) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
), domains AS (
    SELECT y.oid, y.typname AS relname, y.typbasetype, y.typtypmod, y.typnotnull, y.typdefault
    FROM pg_type AS y
    JOIN pg_namespace AS n ON n.oid = y.typnamespace
    WHERE n.nspname = $1 AND y.typname = ANY ($2) AND y.typtype = 'd'
), constraints AS (
    SELECT t.relname, c.* FROM tables AS t JOIN pg_constraint AS c ON c.conrelid = t.oid
    UNION ALL
    SELECT d.relname, c.* FROM domains AS d JOIN pg_constraint AS c ON c.contypid = d.oid
), objects (kind, relation, name, definition) AS (
    SELECT 'table', t.relname, '',
        CASE t.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' ELSE 'no table' END
        || CASE t.relpersistence WHEN 'p' THEN '' WHEN 'u' THEN ' unlogged' ELSE ' temporary' END
        || coalesce((SELECT ' ' || o FROM unnest(t.reloptions) AS o WHERE o LIKE 'fillfactor=%'), '')
    FROM tables AS t
    UNION ALL
    SELECT 'column', t.relname, a.attname,
        format_type(a.atttypid, a.atttypmod)
        || CASE WHEN a.attcollation <> y.typcollation
           THEN ' collate ' || a.attcollation::regcollation ELSE '' END
        -- From version 18 a column can be marked not null while old rows are not.
        || CASE WHEN a.attnotnull AND NOT EXISTS (
               SELECT FROM pg_constraint AS n
               WHERE n.conrelid = t.oid AND n.contype = 'n' AND n.conkey = ARRAY[a.attnum]
                 AND NOT n.convalidated)
           THEN ' not null' ELSE '' END
        || CASE a.attidentity WHEN '' THEN '' ELSE ' identity ' || a.attidentity::text END
        || CASE a.attgenerated WHEN '' THEN '' ELSE ' generated ' || a.attgenerated::text END
        || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
    FROM tables AS t
    JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type AS y ON y.oid = a.atttypid
    LEFT JOIN pg_attrdef AS d ON d.adrelid = t.oid AND d.adnum = a.attnum
    UNION ALL
    -- Not-null constraints (named from version 18 on) are part of the column,
    -- constraint triggers are triggers.
    SELECT 'constraint', t.relname, t.conname,
        pg_get_constraintdef(t.oid)
        || CASE WHEN t.condeferrable THEN ', deferrable' ELSE '' END
        || CASE WHEN t.condeferred THEN ', deferred' ELSE '' END
        || CASE WHEN t.convalidated THEN '' ELSE ', not validated' END
        || coalesce((SELECT ', triggers ' || string_agg(g.tgenabled::text, '' ORDER BY g.tgenabled)
                     FROM pg_trigger AS g WHERE g.tgconstraint = t.oid AND g.tgisinternal), '')
    FROM constraints AS t
    WHERE t.contype NOT IN ('n', 't')
    UNION ALL
    SELECT 'domain', t.relname, '',
        format_type(t.typbasetype, t.typtypmod)
        || CASE WHEN t.typnotnull THEN ' not null' ELSE '' END
        || coalesce(' default ' || t.typdefault, '')
    FROM domains AS t
    UNION ALL
    SELECT 'index', t.relname, x.relname,
        pg_get_indexdef(i.indexrelid)
        || CASE WHEN i.indisvalid THEN '' ELSE ', invalid' END
        || CASE WHEN i.indisready AND i.indislive THEN '' ELSE ', not ready' END
        || CASE WHEN i.indimmediate THEN '' ELSE ', not immediate' END
    FROM tables AS t
    JOIN pg_index AS i ON i.indrelid = t.oid
    JOIN pg_class AS x ON x.oid = i.indexrelid
    UNION ALL
    SELECT 'trigger', t.relname, g.tgname, pg_get_triggerdef(g.oid)
    FROM tables AS t
    JOIN pg_trigger AS g ON g.tgrelid = t.oid AND NOT g.tgisinternal
    UNION ALL
    SELECT 'rule', t.relname, r.rulename, pg_get_ruledef(r.oid)
    FROM tables AS t
    JOIN pg_rewrite AS r ON r.ev_class = t.oid
)
-- Our schema is called slotkeeper again, as a whole word;
-- another schema of that name is quoted, so it differs.
SELECT kind, relation::text, name::text,
    regexp_replace(
        CASE WHEN $1 = 'slotkeeper' THEN definition
             ELSE regexp_replace(definition, '\mslotkeeper\.', '"slotkeeper".', 'g') END,
        CASE WHEN quote_ident($1) LIKE '"%' THEN '' ELSE '\m' END || quote_ident($1) || '\.',
        'slotkeeper.', 'g')
FROM objects
ORDER BY kind COLLATE "C", relation::text COLLATE "C", name::text COLLATE "C"
