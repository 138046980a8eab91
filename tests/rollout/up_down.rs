//! A clean table: up, again, verified, down, and up again.

use crate::support::{catalog, visits};
use slotkeeper::migrate::OpsError;
use slotkeeper::rollout::{Down, ObjectKind, Stage, Up, Work};

#[tokio::test]
async fn up_builds_everything_and_running_it_again_changes_nothing() {
    let (_database, mut client) = visits::clean().await;
    client.batch_execute("SET statement_timeout = '7s'; SET lock_timeout = '3s'").await.unwrap();
    let (rows, session) = (catalog::rows(&client).await, catalog::session(&client).await);
    let guard = visits::full_guard().build().unwrap();
    let before = guard.verify(&mut client).await.unwrap();
    assert_eq!(before.flaws.len(), 8, "{before}");

    let done = guard.up(&mut client, &Up::new()).await.unwrap();
    println!("{done}");
    assert!(done.changed() && done.objects.iter().all(|built| built.work == Work::Built), "{done}");
    let kinds: Vec<_> = done.objects.iter().map(|built| built.kind).collect();
    use ObjectKind::{Check, Column, Exclusion, Index, Reference, Unique, UniqueIndex};
    assert_eq!(kinds, [Column, Check, Reference, Check, Unique, UniqueIndex, Index, Exclusion]);
    let verified = guard.verify_rows(&mut client).await.unwrap();
    assert!(verified.is_ok(), "{verified}");

    let writers = catalog::writers(&client).await;
    let again = guard.up(&mut client, &Up::new()).await.unwrap();
    assert!(!again.changed(), "{again}");
    assert_eq!(catalog::writers(&client).await, writers, "not one row of the catalog was written");
    assert_eq!(catalog::rows(&client).await, rows);
    assert_eq!(catalog::session(&client).await, session, "nothing stays with the session");
    // The comparison does notice a change that restores everything.
    client
        .batch_execute(
            "ALTER TABLE app.visits DROP CONSTRAINT visits_party_check;
             ALTER TABLE app.visits ADD CONSTRAINT visits_party_check CHECK (party > 0)",
        )
        .await
        .unwrap();
    assert_ne!(catalog::writers(&client).await, writers);
}

#[tokio::test]
async fn down_takes_stage_by_stage_back_says_what_is_lost_and_up_brings_the_same_again() {
    let (_database, mut client) = visits::clean().await;
    let guard = visits::full_guard().build().unwrap();
    let bare = catalog::read(&client).await;
    guard.up(&mut client, &Up::new()).await.unwrap();
    let full = catalog::read(&client).await;

    let said = guard.down(&mut client, &Down::new().all().dropping_column(true).dry_run(true)).await.unwrap();
    assert_eq!((said.objects.len(), catalog::read(&client).await == full), (8, true), "{said}");
    let mut dropped = Vec::new();
    for objects in [1, 3, 3, 0] {
        let back = guard.down(&mut client, &Down::new()).await.unwrap();
        assert_eq!(back.objects.len(), objects, "{back}");
        dropped.extend(back.objects);
    }
    assert_eq!(dropped[..], said.objects[..7]);
    assert!(dropped[0].definition.starts_with("EXCLUDE USING gist (table_id WITH =, "), "{dropped:?}");

    client.batch_execute("UPDATE app.visits SET slotkeeper_shadow = true WHERE id = 7").await.unwrap();
    let drop = Down::new().dropping_column(true);
    let refused = guard.down(&mut client, &drop).await.unwrap_err();
    assert_eq!(refused, OpsError::RowsMarked { table: "app.visits".into(), rows: 1 });
    let back = guard.down(&mut client, &drop.forgetting_marks(true)).await.unwrap();
    assert_eq!((back.objects.len(), back.marked), (1, 1));
    assert_eq!(catalog::read(&client).await, bare);
    guard.up(&mut client, &Up::new()).await.unwrap();
    assert_eq!(catalog::read(&client).await, full);
}

#[tokio::test]
async fn single_objects_can_be_taken_back_and_stages_taken_one_by_one() {
    let (_database, mut client) = visits::clean().await;
    let guard = visits::full_guard().build().unwrap();
    for (stage, objects) in Stage::ALL.into_iter().zip([1, 4, 7, 8]) {
        let done = guard.up(&mut client, &Up::new().through(stage)).await.unwrap();
        assert_eq!(done.objects.len(), objects, "{stage}");
    }
    let one = Down::new().object("visits_number_key");
    assert_eq!(guard.down(&mut client, &one).await.unwrap().objects.len(), 1);
    let found = guard.verify(&mut client).await.unwrap();
    let texts: Vec<_> = found.flaws.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["unique key visits_number_key is missing"]);
}

#[tokio::test]
async fn the_column_is_not_dropped_while_anything_else_needs_it() {
    let (_database, mut client) = visits::clean().await;
    let guard = visits::guard().build().unwrap();
    guard.up(&mut client, &Up::new()).await.unwrap();
    client.batch_execute("CREATE INDEX host ON app.visits (id) WHERE NOT slotkeeper_shadow").await.unwrap();
    let refused = guard.down(&mut client, &Down::new().all().dropping_column(true)).await.unwrap_err();
    let object = "slotkeeper_shadow".into();
    assert_eq!(refused, OpsError::InUse { table: "app.visits".into(), object });
}
