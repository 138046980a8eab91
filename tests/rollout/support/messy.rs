//! `app.visits` as years of use leave it, and what it looks like from outside.

use tokio_postgres::Client;

use super::visits::{TENANT_A, TENANT_B};

/// `rows` seeded visits of two tenants: overlapping, with invalid windows, with numbers given twice, at tables that are
/// not there, cancelled, unpaid.
pub async fn fill(client: &Client, rows: i32) {
    let sql = format!(
        "SELECT setseed(0.42);
         INSERT INTO app.tables SELECT tenant::uuid, id FROM unnest('{{{TENANT_A},{TENANT_B}}}'::text[]) AS tenant,
             generate_series(1, 20) AS id;
         INSERT INTO app.visits (id, restaurant_id, table_id, starts_at, ends_at, number, status, paid_at, created_at,
             party, note)
         SELECT i, CASE WHEN random() < 0.7 THEN '{TENANT_A}' ELSE '{TENANT_B}' END::uuid,
             CASE WHEN random() < 0.02 THEN 999 ELSE 1 + (random() * 19)::int END,
             CASE WHEN random() < 0.01 THEN NULL ELSE start END,
             start + (CASE WHEN random() < 0.02 THEN -1 ELSE 1 END) * (15 + random() * 90) * interval '1 minute',
             CASE WHEN random() < 0.03 THEN i - 7 ELSE i END,
             CASE WHEN random() < 0.1 THEN 'cancelled' ELSE 'booked' END,
             CASE WHEN random() < 0.5 THEN timestamptz '2030-01-01' + random() * interval '9 days' END,
             timestamptz '2029-12-01' + (random() * 1000)::int * interval '1 minute',
             1 + (random() * 7)::int,
             CASE WHEN random() < 0.3 THEN NULL ELSE E'a \"quoted\" \\\\ line\\nof ' || i || ' für Zoë 🍽' END
         FROM (SELECT i, timestamptz '2030-02-01' + (random() * {rows} * 6)::int * interval '1 minute' AS start
               FROM generate_series(1, {rows}) AS i) AS seeds"
    );
    client.batch_execute(&sql).await.unwrap();
}

/// A hash of every row of `table` but for the mark, and their number.
pub async fn hash(client: &Client, table: &str) -> (i64, String) {
    let sql = format!(
        "SELECT count(*), coalesce(md5(string_agg(r, E'\\n' ORDER BY r COLLATE \"C\")), '')
         FROM (SELECT (to_jsonb(t) - 'slotkeeper_shadow')::text AS r FROM {table} AS t) AS rows"
    );
    let row = client.query_one(&sql, &[]).await.unwrap();
    (row.get(0), row.get(1))
}

/// The ids of marked visits; none if there is no such column.
pub async fn marked(client: &Client) -> Vec<i64> {
    let sql =
        "SELECT id FROM app.visits AS v WHERE (to_jsonb(v) ->> 'slotkeeper_shadow')::boolean ORDER BY id";
    client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

pub async fn count(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

/// Adds the exclusion of the usual guard by hand: the judge of whether the rows in its way are gone.
///
/// Building an index evaluates its expression on versions of rows that some older snapshot may still see, so a window
/// that was reversed before it was marked raises (22000) until the last such snapshot is gone; autovacuum has some.
pub async fn exclude(client: &Client) {
    let sql = "ALTER TABLE app.visits ADD CONSTRAINT visits_table_window_excl
        EXCLUDE USING gist (table_id WITH =, tstzrange(starts_at, ends_at) WITH &&, restaurant_id WITH =)
        WHERE (status <> 'cancelled' AND NOT slotkeeper_shadow)";
    for _ in 0..100 {
        match client.batch_execute(sql).await {
            Err(error) if error.code().is_some_and(|code| code.code() == "22000") => {}
            done => return done.unwrap(),
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("an old snapshot stays");
}
