//! How much room tables and their indexes take.

use tokio_postgres::Client;

#[derive(Clone, Debug)]
pub struct Relation {
    pub name: String,
    pub bytes: i64,
}

impl Relation {
    #[allow(clippy::cast_precision_loss, reason = "shown with one digit")]
    pub fn megabytes(&self) -> f64 {
        self.bytes as f64 / 1e6
    }
}

/// Each table, then its indexes.
pub async fn of(client: &Client, tables: &[&str]) -> Vec<Relation> {
    let sql = "SELECT c.relname::text, pg_relation_size(c.oid) FROM pg_class t
                 JOIN pg_namespace n ON n.oid = t.relnamespace AND n.nspname = 'slotkeeper'
                 JOIN pg_class c ON c.oid = t.oid
                                 OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = t.oid)
                WHERE t.relname = ANY($1::text[]) AND t.relkind = 'r'
                ORDER BY t.relname, c.relkind DESC, c.relname";
    let rows = client.query(sql, &[&tables]).await.expect("sizes");
    rows.iter().map(|row| Relation { name: row.get(0), bytes: row.get(1) }).collect()
}
