//! The tables of the by-hand recipes, each with the past of the house.

use super::{Recipe, by_hand};
use deadpool_postgres::Client;

/// A table of the same columns with nothing to check and nothing to keep up to date: what a row costs by itself.
pub const BARE_HEAP: &str = "bench.bare_heap";

/// Makes the tables of those recipes that have their own.
pub async fn set_up(client: &Client, recipes: &[Recipe]) {
    let heap = format!(
        "CREATE SCHEMA bench; CREATE TABLE {BARE_HEAP} AS SELECT * FROM slotkeeper.allocations WITH NO DATA"
    );
    client.batch_execute(&heap).await.expect("a schema");
    for recipe in recipes.iter().filter(|recipe| recipe.table().starts_with("bench.")) {
        let table = recipe.table();
        let sql = format!(
            "CREATE TABLE {table} (LIKE slotkeeper.allocations INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
             INSERT INTO {table} SELECT * FROM slotkeeper.allocations;
             ALTER TABLE {table} ADD PRIMARY KEY (tenant_id, id);
             ALTER TABLE {table} ADD FOREIGN KEY (tenant_id, resource_id)
                   REFERENCES slotkeeper.resources (tenant_id, id);
             {}",
            judge(*recipe)
        );
        client.batch_execute(&sql).await.expect("a table");
        client.batch_execute(&format!("VACUUM ANALYZE {table}")).await.expect("statistics");
        looks_by_index(client, *recipe).await;
    }
    client.batch_execute("CHECKPOINT").await.expect("a checkpoint");
}

/// The library's GiST key, as a constraint where it decides and as an index where it only helps the look; once a b-tree.
fn judge(recipe: Recipe) -> String {
    let table = recipe.table();
    match recipe {
        Recipe::InsertCatch => format!(
            "ALTER TABLE {table} ADD EXCLUDE USING gist
                   (resource_id WITH =, during WITH &&, tenant_id WITH =) WHERE (released_at IS NULL)"
        ),
        Recipe::Serializable => format!(
            "CREATE INDEX ON {table} (tenant_id, resource_id, lower(during)) WHERE released_at IS NULL"
        ),
        _ => format!(
            "CREATE INDEX ON {table} USING gist (resource_id, during, tenant_id) WHERE released_at IS NULL"
        ),
    }
}

/// A look that reads the whole table would be a straw man.
async fn looks_by_index(client: &Client, recipe: Recipe) {
    let values = "SELECT quote_literal(tenant_id), quote_literal(resource_id), quote_literal(during)
                    FROM slotkeeper.allocations LIMIT 1";
    let row = client.query_one(values, &[]).await.expect("a row");
    let look = by_hand::look(recipe)
        .replace("$1", row.get(0))
        .replace("$2", row.get(1))
        .replace("$3", &format!("{}::tstzrange", row.get::<_, String>(2)));
    let plan = client.query(&format!("EXPLAIN {look}"), &[]).await.expect("a plan");
    let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
    assert!(
        plan.iter().any(|line| line.contains("Index") && !line.contains("pkey")),
        "{recipe:?}: {plan:#?}"
    );
}
