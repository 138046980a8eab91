//! Restore: nothing written over, nothing lost.

use slotkeeper::rollout::{Cleanup, Guard, Pace, RowKey};

use crate::support::files::Folder;
use crate::support::messy;
use crate::support::visits;

#[tokio::test]
async fn a_row_that_is_there_with_another_content_is_reported_and_not_written_over() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    client
        .batch_execute(
            "CREATE SCHEMA app; CREATE TABLE app.items (id bigint PRIMARY KEY, code text, note text);
             INSERT INTO app.items VALUES (1, 'a', 'x'), (2, 'a', 'y'), (3, 'a', 'z'), (4, 'a', NULL)",
        )
        .await
        .unwrap();
    let guard = Guard::on("app", "items").unique("items_code_key", &["code"]).build().unwrap();
    let path = folder.file("rows");
    guard.dedupe(&mut client, &Cleanup::dry_run().apply(&path)).await.unwrap();
    client
        .batch_execute("INSERT INTO app.items VALUES (2, 'a', 'y'), (3, 'a', 'ours'), (9, 'c', NULL)")
        .await
        .unwrap();
    let back = guard.restore(&mut client, &path, &Pace::new()).await.unwrap();
    assert_eq!((back.rows, back.restored, back.already, back.differing), (3, 1, 1, 1), "{back}");
    assert_eq!(back.samples, [RowKey(vec!["3".into()])]);
    let notes =
        client.query_one("SELECT string_agg(coalesce(note, '-'), ',' ORDER BY id) FROM app.items", &[]).await;
    assert_eq!(notes.unwrap().get::<_, &str>(0), "x,y,ours,-,-");
}

#[tokio::test]
async fn a_trigger_that_keeps_rows_back_is_an_error_and_not_a_loss() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    messy::fill(&client, 300).await;
    let guard = visits::guard().build().unwrap();
    let before = messy::hash(&client, "app.visits").await;
    client
        .batch_execute(
            "CREATE FUNCTION app.never() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
             CREATE TRIGGER never BEFORE DELETE ON app.visits FOR EACH ROW EXECUTE FUNCTION app.never()",
        )
        .await
        .unwrap();
    let apply = Cleanup::dry_run().apply(folder.file("rows"));
    let error = guard.dedupe(&mut client, &apply).await.unwrap_err();
    assert_eq!(error.to_string(), "a trigger of table app.visits kept rows as they were");
    assert_eq!(messy::hash(&client, "app.visits").await, before);
    client.batch_execute("DROP TRIGGER never ON app.visits").await.unwrap();
    assert!(guard.dedupe(&mut client, &apply).await.unwrap().resumed);
}
