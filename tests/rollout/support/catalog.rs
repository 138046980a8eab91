//! Everything the catalog says of the schema `app`, as text to compare.

use tokio_postgres::Client;

const QUERY: &str = "
    SELECT format('%s constraint %s %s valid=%s deferrable=%s triggers=%s', c.conrelid::regclass, c.conname,
        pg_get_constraintdef(c.oid), c.convalidated, c.condeferrable,
        (SELECT string_agg(t.tgenabled::text, '' ORDER BY t.tgenabled) FROM pg_trigger AS t WHERE t.tgconstraint = c.oid))
    FROM pg_constraint AS c JOIN pg_class AS r ON r.oid = c.conrelid WHERE r.relnamespace = 'app'::regnamespace
    UNION ALL
    SELECT format('%s valid=%s', pg_get_indexdef(i.indexrelid), i.indisvalid)
    FROM pg_index AS i JOIN pg_class AS r ON r.oid = i.indrelid WHERE r.relnamespace = 'app'::regnamespace
    UNION ALL
    SELECT format('%s column %s %s %s %s', a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod),
        a.attnotnull, pg_get_expr(d.adbin, d.adrelid))
    FROM pg_attribute AS a JOIN pg_class AS r ON r.oid = a.attrelid
    LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE r.relnamespace = 'app'::regnamespace AND r.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT format('relation %s %s', relname, relkind) FROM pg_class WHERE relnamespace = 'app'::regnamespace
    ORDER BY 1";

/// Definitions, one a line.
pub async fn read(client: &Client) -> String {
    let rows = client.query(QUERY, &[]).await.unwrap();
    rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n")
}

/// Of every catalog row of the schema, which transaction wrote it: a change that restores everything shows, too.
pub async fn writers(client: &Client) -> String {
    let sql = "SELECT string_agg(t, ' ' ORDER BY t) FROM (
            SELECT 'r' || oid || ':' || xmin AS t FROM pg_class WHERE relnamespace = 'app'::regnamespace
            UNION ALL
            SELECT 'c' || oid || ':' || xmin FROM pg_constraint WHERE connamespace = 'app'::regnamespace
            UNION ALL
            SELECT 'a' || attrelid || '.' || attnum || ':' || xmin FROM pg_attribute
            WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'app'::regnamespace)) AS x";
    client.query_one(sql, &[]).await.unwrap().get(0)
}

/// All rows of the table of visits, as text, without the column that is only ours.
pub async fn rows(client: &Client) -> String {
    let sql =
        "SELECT coalesce(md5(string_agg((to_jsonb(v) - 'slotkeeper_shadow')::text, '' ORDER BY id)), '')
               FROM app.visits AS v";
    client.query_one(sql, &[]).await.unwrap().get(0)
}

/// What must not stay with a session.
pub async fn session(client: &Client) -> String {
    let sql = "SELECT (SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings
                       WHERE source = 'session' AND name NOT IN ('statement_timeout', 'lock_timeout'))
            || current_setting('statement_timeout') || current_setting('lock_timeout')
            || (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory')
            || (SELECT count(*) FROM pg_class WHERE relpersistence = 't')";
    client.query_one(sql, &[]).await.unwrap().get::<_, Option<String>>(0).unwrap_or_default()
}
