//! Windows of every type, and names that need their quotes.

use slotkeeper::migrate::OpsError;
use slotkeeper::rollout::{Guard, Up, WindowColumns};

async fn table(columns: &str) -> (kit::Database, tokio_postgres::Client) {
    let database = kit::empty_database().await.unwrap();
    let client = database.client().await.unwrap();
    let sql = format!(
        "CREATE SCHEMA \"Häuser; \"\"x\"\"\"; CREATE TABLE \"Häuser; \"\"x\"\"\".\"Tische und Stühle\"
        (\"Nr.\" integer PRIMARY KEY, \"order\" text NOT NULL, {columns})"
    );
    client.batch_execute(&sql).await.unwrap();
    (database, client)
}

fn guard(window: WindowColumns) -> Guard {
    Guard::on("Häuser; \"x\"", "Tische und Stühle")
        .tenant("order")
        .live("\"order\" <> 'weg' AND \"Tische und Stühle\".\"Nr.\" > 0")
        .no_overlap("Tisch \"frei\"", &["Nr."], window)
        .unique_live("Schlüssel USING x", &["order", "Nr."])
        .index("Ein Index ON y", &["order"], true)
        .unique("Ein Schlüssel", &["order", "Nr."])
        .reference("Verweis", &["Nr."], ("Häuser; \"x\"", "Tische und Stühle"), &["Nr."])
        .check("Prüfung", "\"Nr.\" > 0")
        .build()
        .unwrap()
}

#[tokio::test]
async fn every_type_of_window_goes_up_holds_and_verifies() {
    let bounds = |ty| (format!("von {ty}, bis {ty}"), WindowColumns::bounds("von", "bis").unwrap());
    let range = |ty| (format!("wann {ty}"), WindowColumns::range("wann").unwrap());
    for (columns, window) in [
        bounds("timestamptz"),
        bounds("timestamp(0)"),
        bounds("timestamptz(3)"),
        bounds("date"),
        range("tstzrange"),
        range("tsrange"),
        range("daterange"),
    ] {
        let (_database, mut client) = table(&columns).await;
        let guard = guard(window);
        let done = guard.up(&mut client, &Up::new()).await.unwrap();
        assert_eq!(done.objects.len(), 8, "{done}");
        let found = guard.verify_rows(&mut client).await.unwrap();
        assert!(found.is_ok(), "{columns}: {found}");
        assert!(!guard.up(&mut client, &Up::new()).await.unwrap().changed(), "{columns}");
    }
}

#[tokio::test]
async fn a_column_that_makes_no_window_is_refused_before_anything_is_done() {
    for (columns, window, column) in [
        ("von time, bis time", WindowColumns::bounds("von", "bis").unwrap(), "von"),
        ("von timestamptz, bis timestamp", WindowColumns::bounds("von", "bis").unwrap(), "bis"),
        ("wann text", WindowColumns::range("wann").unwrap(), "wann"),
    ] {
        let (_database, mut client) = table(columns).await;
        let error = guard(window).up(&mut client, &Up::new()).await.unwrap_err();
        let table = "Häuser; \"x\".Tische und Stühle".into();
        assert_eq!(error, OpsError::UnsupportedType { table, column: column.into() });
        let sql = "SELECT count(*) FROM pg_extension WHERE extname = 'btree_gist'";
        assert_eq!(client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0), 0);
    }
}
