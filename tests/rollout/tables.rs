//! The description itself.

use crate::support::visits;
use slotkeeper::rollout::Rule;

#[tokio::test]
async fn a_window_rule_brings_its_check_along_and_the_check_is_sql_the_server_takes() {
    let database = kit::empty_database().await.unwrap();
    let client = database.client().await.unwrap();
    visits::create(&client).await;
    client
        .batch_execute("ALTER TABLE app.visits ADD slotkeeper_shadow boolean NOT NULL DEFAULT false")
        .await
        .unwrap();
    let guard = visits::guard().build().unwrap();
    let Rule::Check(check) = &guard.rules()[1] else { panic!("{guard:?}") };
    assert_eq!(check.name.as_str(), "visits_table_window_excl_window");
    let sql = format!("ALTER TABLE app.visits ADD CONSTRAINT w CHECK ({})", check.expression);
    client.batch_execute(&sql).await.unwrap();
    let insert = "INSERT INTO app.visits (id, restaurant_id, table_id, starts_at, ends_at) VALUES ";
    let row = |id: i32, start: &str, end: &str| {
        format!("{insert} ({id}, '{}', 1, {start}, {end})", visits::TENANT_A)
    };
    client.batch_execute(&row(1, "'2030-01-01'", "'2030-01-02'")).await.unwrap();
    for (start, end) in [
        ("'2030-01-02'", "'2030-01-01'"),
        ("'2030-01-01'", "'2030-01-01'"),
        ("NULL", "'2030-01-01'"),
        ("'2030-01-01'", "NULL"),
        ("'2030-01-01'", "'infinity'"),
    ] {
        let error = client.batch_execute(&row(2, start, end)).await.unwrap_err();
        assert_eq!(error.as_db_error().unwrap().constraint(), Some("w"), "{start} {end}");
    }
}
