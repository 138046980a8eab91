//! Quarantine: who is marked, what is left alone, and how a run is taken up again.

use std::time::Duration;

use slotkeeper::migrate::OpsError;
use slotkeeper::rollout::{ArtifactError, Cleanup, FindingKind, Pace};
use tokio_postgres::Client;

use crate::support::files::Folder;
use crate::support::messy;
use crate::support::visits::{self, TENANT_A, TENANT_B};

async fn visit(client: &Client, id: i64, tenant: &str, window: (&str, &str), paid: Option<&str>) {
    let paid = paid.map_or("NULL".to_owned(), |paid| format!("'{paid}'"));
    let (start, end) = window;
    let sql = format!(
        "INSERT INTO app.visits (id, restaurant_id, table_id, starts_at, ends_at, paid_at, created_at)
         VALUES ({id}, '{tenant}', 1, '2030-01-01 {start}+00', '2030-01-01 {end}+00', {paid}, '2029-01-01')"
    );
    client.batch_execute(&sql).await.unwrap();
}

fn quick() -> Pace {
    Pace::new().batch(50).attempts(3).pause(Duration::from_millis(20))
}

#[tokio::test]
async fn the_earliest_confirmed_of_each_chain_stays_the_constraint_builds_and_a_second_run_finds_nothing() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    // A chain where the middle is paid, one where none is, one of identical windows.
    visit(&client, 1, TENANT_A, ("10:00", "11:00"), None).await;
    visit(&client, 2, TENANT_A, ("10:30", "11:30"), Some("2029-06-01")).await;
    visit(&client, 3, TENANT_A, ("11:00", "12:00"), Some("2029-07-01")).await;
    visit(&client, 4, TENANT_A, ("14:00", "15:00"), None).await;
    visit(&client, 5, TENANT_A, ("14:30", "15:30"), None).await;
    visit(&client, 6, TENANT_A, ("15:00", "16:00"), None).await;
    visit(&client, 7, TENANT_B, ("10:00", "11:00"), None).await;
    visit(&client, 8, TENANT_B, ("10:00", "11:00"), None).await;
    visit(&client, 9, TENANT_B, ("18:00", "17:00"), None).await;
    let guard = visits::guard().build().unwrap();
    let before = messy::hash(&client, "app.visits").await;

    let apply = Cleanup::dry_run().apply(folder.file("rows"));
    let done = guard.quarantine(&mut client, &apply).await.unwrap();
    assert_eq!((done.found, done.done, done.already, done.changed_since), (5, 5, 0, 0), "{done}");
    assert_eq!(messy::marked(&client).await, [1, 3, 5, 8, 9]);
    let kinds: Vec<(FindingKind, u64)> = done.rules.iter().map(|rule| (rule.reason, rule.rows)).collect();
    assert_eq!(kinds, [(FindingKind::Overlap, 4), (FindingKind::InvalidWindow, 1)]);
    assert_eq!(done.rules[0].tenants.iter().map(|tenant| tenant.rows).collect::<Vec<_>>(), [3, 1]);
    assert_eq!(messy::hash(&client, "app.visits").await, before, "nothing but the mark");
    messy::exclude(&client).await;

    let again = guard.quarantine(&mut client, &apply).await.unwrap();
    assert_eq!((again.resumed, again.done, again.already), (true, 0, 5));
    let other = Cleanup::dry_run().apply(folder.file("second"));
    let none = guard.quarantine(&mut client, &other).await.unwrap();
    assert_eq!((none.found, none.artifact), (0, None));
    assert_eq!(folder.names(), ["rows"]);
}

#[tokio::test]
async fn a_dry_run_counts_the_same_rows_and_leaves_no_trace() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    messy::fill(&client, 1000).await;
    let guard = visits::guard().build().unwrap();
    let before = messy::hash(&client, "app.visits").await;
    let dry = guard.quarantine(&mut client, &Cleanup::dry_run()).await.unwrap();
    assert!(dry.dry_run && dry.found > 50 && dry.done == 0, "{dry}");
    assert_eq!(messy::hash(&client, "app.visits").await, before);
    let shadow = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'app.visits'::regclass
        AND attname = 'slotkeeper_shadow'";
    assert_eq!(messy::count(&client, shadow).await, 0);
    assert!(folder.names().is_empty());
    let apply = Cleanup::dry_run().apply(folder.file("rows")).pace(quick());
    let done = guard.quarantine(&mut client, &apply).await.unwrap();
    assert_eq!((done.found, done.done, &done.rules), (dry.found, dry.found, &dry.rules));
    assert_eq!(messy::count(&client, shadow).await, 1);
    client
        .batch_execute("ALTER TABLE app.visits ADD CHECK (slotkeeper_shadow OR starts_at < ends_at)")
        .await
        .unwrap();
    messy::exclude(&client).await;
}

#[tokio::test]
async fn a_canary_touches_one_tenant_and_the_rest_follows_in_a_run_of_its_own() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    messy::fill(&client, 1000).await;
    let guard = visits::guard().build().unwrap();
    let all = guard.quarantine(&mut client, &Cleanup::dry_run()).await.unwrap();
    let canary = Cleanup::dry_run().tenant(TENANT_B).apply(folder.file("canary"));
    let done = guard.quarantine(&mut client, &canary).await.unwrap();
    let others =
        format!("SELECT count(*) FROM app.visits WHERE slotkeeper_shadow AND restaurant_id <> '{TENANT_B}'");
    assert_eq!(messy::count(&client, &others).await, 0);
    assert!(done.done > 0 && done.done < all.found, "{done}");
    // Another tenant's canary is another run, and takes another artifact.
    let mixed = Cleanup::dry_run().tenant(TENANT_A).apply(folder.file("canary"));
    let error = guard.quarantine(&mut client, &mixed).await.unwrap_err();
    assert_eq!(error, OpsError::Artifact(ArtifactError::OtherPurpose));
    let rest = Cleanup::dry_run().apply(folder.file("rest"));
    let rest = guard.quarantine(&mut client, &rest).await.unwrap();
    assert_eq!(rest.done + done.done, all.found);
    let nobody = slotkeeper::rollout::Guard::on("app", "visits").check("c", "true").build().unwrap();
    let error = nobody.quarantine(&mut client, &canary).await.unwrap_err();
    assert_eq!(error, OpsError::NoTenant { table: "app.visits".into() });
}

#[tokio::test]
async fn quarantine_and_restore_give_back_the_very_same_rows() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    messy::fill(&client, 3000).await;
    let guard = visits::guard().build().unwrap();
    let before = messy::hash(&client, "app.visits").await;
    let path = folder.file("rows");
    let apply = Cleanup::dry_run().apply(&path).pace(quick());
    let done = guard.quarantine(&mut client, &apply).await.unwrap();
    assert_eq!(messy::marked(&client).await.len() as u64, done.done);
    let back = guard.restore(&mut client, &path, &quick()).await.unwrap();
    assert_eq!((back.restored, back.rows, back.differing, back.gone), (done.done, done.done, 0, 0), "{back}");
    assert!(messy::marked(&client).await.is_empty());
    assert_eq!(messy::hash(&client, "app.visits").await, before);
    let again = guard.restore(&mut client, &path, &quick()).await.unwrap();
    assert_eq!((again.restored, again.already), (0, done.done));
    // The hash would have seen one lost second.
    client
        .batch_execute("UPDATE app.visits SET ends_at = ends_at + interval '1 second' WHERE id = 17")
        .await
        .unwrap();
    assert_ne!(messy::hash(&client, "app.visits").await, before);
}

#[tokio::test]
async fn a_call_can_be_spawned_and_a_shadow_column_of_another_type_is_named() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    messy::fill(&client, 100).await;
    client.batch_execute("ALTER TABLE app.visits ADD mark text").await.unwrap();
    let guard = visits::guard().shadow("mark").build().unwrap();
    let apply = Cleanup::dry_run().apply(folder.file("rows"));
    let run = tokio::spawn(async move { guard.quarantine(&mut client, &apply).await });
    let error = run.await.unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "table app.visits cannot have mark: another object has that name (a column of type text)"
    );
    assert!(folder.names().is_empty());
}
