//! Marks for repair: those of a quarantine are no damage, and those that hide a row are found wherever they are.

use crate::support::{
    files::Folder,
    house::{back, digest, keep, key, tables, window},
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use slotkeeper::{
    Claim, Slotkeeper, TenantId,
    booking::BookPlaces,
    migrate::{Down, Migrator, Repair},
    retention::{Age, RetentionBatch},
    rollout::{Cleanup, Pace},
};
use tokio_postgres::Client;
use uuid::Uuid;

/// How often each kind of damage is planted, in random places.
const TIMES: usize = 100;
const TABLES: usize = 6;

/// Every table is booked for the first half of each of these hours.
const HOURS: i64 = 20;

const NO_CONSTRAINT: &str =
    "ALTER TABLE slotkeeper.allocations DROP CONSTRAINT allocations_resource_during_excl";

/// Bookings, and from the 20th minute to the 50th a legacy row over each; the constraint is gone.
async fn legacy(client: &Client) {
    let (keeper, tenant) = (Slotkeeper::new(), TenantId::SINGLE);
    for table in tables(client, tenant, TABLES).await {
        for hour in 0..HOURS {
            let claim = Claim::one(table, window(hour * 60, hour * 60 + 30));
            let book = BookPlaces::new(tenant, claim, key());
            assert!(keeper.bookings().book(client, &book).await.unwrap().outcome.is_success());
        }
    }
    let over = "INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
        SELECT tenant_id, gen_random_uuid(), resource_id, tstzrange(lower(during) + interval '20 min',
               lower(during) + interval '50 min'), 'blackout', gen_random_uuid() FROM slotkeeper.allocations";
    client.batch_execute(&format!("{NO_CONSTRAINT}; {over}")).await.unwrap();
}

/// The same after a quarantine, with its constraint, and used since.
async fn quarantined(client: &mut Client, folder: &Folder) {
    legacy(client).await;
    let migrator = Migrator::new();
    let options = Cleanup::dry_run().apply(folder.file("marked"));
    let marked = migrator.quarantine(client, &options).await.unwrap().done;
    assert_eq!(marked, TABLES as u64 * HOURS as u64);
    let repaired = migrator.repair(client, &Repair::dry_run().apply()).await.unwrap();
    assert!(repaired.after.is_ok(), "{repaired}");
    let (bookings, tables) = (Slotkeeper::new(), resources(client).await);
    for hour in 0..HOURS {
        let table = tables[hour as usize % TABLES].into();
        for (from, free) in [(35, false), (50, true)] {
            let claim = Claim::one(table, window(hour * 60 + from, hour * 60 + from + 10));
            let book = BookPlaces::new(TenantId::SINGLE, claim, key());
            let decision = bookings.bookings().book(client, &book).await.unwrap();
            assert_eq!(decision.outcome.is_success(), free, "a marked row refuses");
        }
    }
}

async fn resources(client: &Client) -> Vec<Uuid> {
    let rows = client.query("SELECT id FROM slotkeeper.resources ORDER BY id", &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// The checks that found damage, and in how many rows.
async fn found(client: &mut Client) -> Vec<(String, u64)> {
    let audit = Migrator::new().audit(client).await.unwrap();
    audit.damaged().map(|check| (check.name.clone(), check.rows)).collect()
}

/// Rows of one kind, and for each the minutes of a claim over it that overlaps nothing else.
async fn places(client: &Client, random: &mut StdRng, marked: bool) -> (Vec<Uuid>, Vec<i32>, Vec<i32>) {
    let sql =
        "SELECT id FROM slotkeeper.allocations WHERE shadow = $1 AND extract(minute FROM lower(during)) < 30
         AND upper(during) - lower(during) = interval '30 min' ORDER BY id";
    let rows = client.query(sql, &[&marked]).await.unwrap();
    let all: Vec<Uuid> = rows.iter().map(|row| row.get(0)).collect();
    let chosen: Vec<Uuid> = all.choose_multiple(random, TIMES).copied().collect();
    assert_eq!(chosen.len(), TIMES);
    // A booked row has its first 20 minutes to itself, a marked one its last 20.
    let mut minutes = || {
        let from = random.random_range(0..15);
        (from, from + random.random_range(1..=5))
    };
    let windows: Vec<(i32, i32)> = (0..TIMES).map(|_| minutes()).collect();
    let offset = if marked { 10 } else { 0 };
    let from = windows.iter().map(|(from, _)| from + offset).collect();
    (chosen, from, windows.iter().map(|(_, to)| to + offset).collect())
}

/// Writes a claim over each, past the library, which refuses it.
const CLAIM: &str = "INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
    SELECT a.tenant_id, gen_random_uuid(), a.resource_id, tstzrange(lower(a.during) + make_interval(mins => d.first),
           lower(a.during) + make_interval(mins => d.last)), 'blackout', gen_random_uuid()
      FROM unnest($1::uuid[], $2::int4[], $3::int4[]) AS d (id, first, last)
      JOIN slotkeeper.allocations a ON a.id = d.id";

fn mark(at: &str) -> String {
    format!("UPDATE slotkeeper.allocations SET shadow = true, shadowed_at = {at} WHERE id = ANY ($1)")
}

#[tokio::test]
async fn a_row_hidden_from_the_constraint_is_found_wherever_it_is() {
    let (database, folder) = (kit::database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    quarantined(&mut client, &folder).await;
    let audit = Migrator::new().audit(&mut client).await.unwrap();
    assert!(audit.is_clean(), "a quarantine is no damage: {audit}");
    let waiting = audit.checks.iter().find(|check| check.name == "allocation_shadow").unwrap();
    assert_eq!(waiting.rows, TABLES as u64 * HOURS as u64);
    keep(&client).await;
    let mut random = StdRng::seed_from_u64(23);
    let hidden = [("allocation_hidden".to_owned(), TIMES as u64)];
    let marks = [("allocation_mark".to_owned(), TIMES as u64)];

    // Hidden, then its place claimed again.
    let (ids, from, to) = places(&client, &mut random, false).await;
    client.execute(&mark("statement_timestamp()"), &[&ids]).await.unwrap();
    assert_eq!(found(&mut client).await, [], "nothing overlaps it that came later");
    client.execute(CLAIM, &[&ids, &from, &to]).await.unwrap();
    assert_eq!(found(&mut client).await, hidden);
    // And what was claimed over it hidden as well.
    client.batch_execute("UPDATE slotkeeper.allocations SET shadow = true, shadowed_at = statement_timestamp() WHERE NOT shadow")
        .await
        .unwrap();
    assert_eq!(found(&mut client).await, hidden);
    back(&client).await;

    // Marked by a quarantine, and its place claimed past the library.
    let (ids, from, to) = places(&client, &mut random, true).await;
    client.execute(CLAIM, &[&ids, &from, &to]).await.unwrap();
    assert_eq!(found(&mut client).await, hidden);
    back(&client).await;

    // Claimed twice first, then hidden: with an instant from before, without one.
    for (at, expected) in [("created_at", &hidden), ("NULL", &marks)] {
        let (ids, from, to) = places(&client, &mut random, false).await;
        client.batch_execute(NO_CONSTRAINT).await.unwrap();
        client.execute(CLAIM, &[&ids, &from, &to]).await.unwrap();
        assert_eq!(found(&mut client).await[0].0, "allocation_overlap");
        client.execute(&mark(at), &[&ids]).await.unwrap();
        assert_eq!(found(&mut client).await, expected[..], "{at}");
        back(&client).await;
        let repaired = Migrator::new().repair(&mut client, &Repair::dry_run().apply()).await.unwrap();
        assert!(repaired.after.is_ok(), "{repaired}");
    }

    // A claim that was let go is in nobody's way, and neither is a marked row that was.
    for released in ["id <> ALL ($1) AND NOT shadow", "id = ANY ($1)"] {
        let (ids, from, to) = places(&client, &mut random, true).await;
        client.execute(CLAIM, &[&ids, &from, &to]).await.unwrap();
        let sql = format!(
            "UPDATE slotkeeper.allocations SET released_at = statement_timestamp() WHERE kind = 'blackout' AND {released}"
        );
        client.execute(&sql, &[&ids]).await.unwrap();
        assert_eq!(found(&mut client).await, [], "{released}");
        back(&client).await;
    }
}

#[tokio::test]
async fn a_mark_that_no_quarantine_makes_is_found_wherever_it_is() {
    let (database, folder) = (kit::database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    quarantined(&mut client, &folder).await;
    keep(&client).await;
    let mut random = StdRng::seed_from_u64(29);
    let set = |what: &str| format!("UPDATE slotkeeper.allocations SET {what} WHERE id = ANY ($1)");
    for (marked, damage) in [
        (false, set("shadow = true")),
        (false, set("shadowed_at = statement_timestamp()")),
        (false, mark("'infinity'")),
        (false, mark("statement_timestamp() + interval '1 hour'")),
        (false, mark("created_at - interval '1 us'")),
        (true, set("shadowed_at = NULL")),
        (true, set("shadow = false, during = tstzrange(lower(during) + interval '10 min', upper(during))")),
        (true, set("shadowed_at = '-infinity'")),
    ] {
        let (ids, ..) = places(&client, &mut random, marked).await;
        client.execute(&damage, &[&ids]).await.unwrap();
        let found = found(&mut client).await;
        let mark = found.iter().find(|(name, _)| name == "allocation_mark");
        assert_eq!(mark.map(|(_, rows)| *rows), Some(TIMES as u64), "{damage}: {found:?}");
        back(&client).await;
    }
    assert_eq!(found(&mut client).await, []);
}

#[tokio::test]
async fn a_mark_and_its_instant_come_and_go_together() {
    let (database, folder) = (kit::database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    let (migrator, file) = (Migrator::new(), folder.file("marked"));
    legacy(&client).await;
    let before = digest(&client, "slotkeeper").await;
    migrator.quarantine(&mut client, &Cleanup::dry_run().apply(&file)).await.unwrap();
    assert_ne!(digest(&client, "slotkeeper").await, before);
    migrator.restore(&mut client, &file, &Pace::new()).await.unwrap();
    assert_eq!(digest(&client, "slotkeeper").await, before, "neither is left");

    // Dropped with everything, and brought back with everything.
    migrator.quarantine(&mut client, &Cleanup::dry_run().apply(folder.file("again"))).await.unwrap();
    migrator.repair(&mut client, &Repair::dry_run().apply()).await.unwrap();
    let before = digest(&client, "slotkeeper").await;
    let mut exported = Vec::new();
    for step in 1..=migrator.migrations().len() {
        let options = Down::new().export(folder.file(&format!("export {step}")));
        exported.extend(migrator.down(&mut client, options).await.unwrap().unwrap().exported);
    }
    migrator.up(&mut client).await.unwrap();
    for step in exported.iter().rev() {
        migrator.restore(&mut client, &step.path, &Pace::new()).await.unwrap();
    }
    assert_eq!(digest(&client, "slotkeeper").await, before);

    // Let go, and archived once it is old.
    let old = "UPDATE slotkeeper.allocations SET released_at = statement_timestamp() - interval '2 days',
        kind = 'external' WHERE shadow";
    client.batch_execute(old).await.unwrap();
    let marks = "SELECT md5(string_agg(id::text || shadow || shadowed_at, '|' ORDER BY id)) FROM slotkeeper.";
    let marks = async |table: &str| -> Option<String> {
        client.query_one(&format!("{marks}{table} WHERE shadow"), &[]).await.unwrap().get(0)
    };
    let before = marks("allocations").await;
    let batch = RetentionBatch::new(TenantId::SINGLE, Age::days(1).unwrap()).limit(1_000).unwrap();
    Slotkeeper::new().retention().archive_allocations(&client, &batch).await.unwrap();
    assert!(before.is_some());
    assert_eq!((marks("allocations").await, marks("allocations_archive").await), (None, before));
    assert_eq!(found(&mut client).await, []);
}
