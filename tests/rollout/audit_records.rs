//! A record is bound to what it says: whatever of its key, request, outcome or blockers is changed, the audit finds it.

use crate::support::{
    decisions::{Decisions, KINDS},
    record_damage::{BLOCKERS, Damage, FIELDS, REQUEST},
};
use rand::{SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::Value;
use slotkeeper::{TenantId, migrate::Migrator};
use tokio_postgres::Client;
use uuid::Uuid;

/// How often each kind of damage is planted, in random places.
const TIMES: usize = 100;

/// Every outcome there is, and one that only a newer version could write.
const OUTCOMES: [&str; 12] = [
    "confirmed",
    "moved",
    "cancelled",
    "erased",
    "conflict",
    "hold_expired",
    "hold_released",
    "hold_consumed",
    "window_mismatch",
    "state_mismatch",
    "stale_revision",
    "checked_in",
];

/// A record with its snapshot, as [`house`] made it.
#[derive(Clone)]
struct Record {
    id: Uuid,
    outcome: String,
    snapshot: Value,
}

/// Decisions of every kind, the audit clean of them, and a copy of the records aside.
async fn house(client: &mut Client) -> (Vec<Record>, StdRng) {
    let mut decisions = Decisions::open(client, TenantId::SINGLE, StdRng::seed_from_u64(17)).await;
    for _ in 0..12 {
        for kind in KINDS {
            decisions.make(kind).await;
        }
    }
    let random = decisions.random.clone();
    client.batch_execute("CREATE TABLE kept AS TABLE slotkeeper.confirmations").await.unwrap();
    let audit = Migrator::new().audit(client).await.unwrap();
    assert!(audit.is_clean() && audit.checks.iter().all(|check| check.rows == 0), "{audit}");
    let rows = client.query("SELECT id, outcome, snapshot FROM kept ORDER BY id", &[]).await.unwrap();
    let record =
        |row: &tokio_postgres::Row| Record { id: row.get(0), outcome: row.get(1), snapshot: row.get(2) };
    (rows.iter().map(record).collect(), random)
}

/// How many records the audit takes for damaged, and for newer; then all are as they were.
async fn found(client: &mut Client) -> (u64, u64) {
    let audit = Migrator::new().audit(client).await.unwrap();
    let rows = |name| audit.checks.iter().find(|check| check.name == name).unwrap().rows;
    let found = (rows("decision_record"), rows("decision_unknown"));
    let back = "TRUNCATE slotkeeper.confirmations; INSERT INTO slotkeeper.confirmations TABLE kept";
    client.batch_execute(back).await.unwrap();
    found
}

/// Plants one kind of damage in as many random records as there are of it, until it was planted often enough.
async fn plant(client: &mut Client, records: &[Record], random: &mut StdRng, name: &str, damage: Damage) {
    let mut planted = 0;
    while planted < TIMES {
        let (mut ids, mut snapshots) = (Vec::new(), Vec::new());
        for record in records.choose_multiple(random, records.len()) {
            let mut snapshot = record.snapshot.clone();
            if ids.len() + planted < TIMES && damage(&mut snapshot, random) {
                ids.push(record.id);
                snapshots.push(snapshot);
            }
        }
        assert!(!ids.is_empty(), "nothing to change: {name}");
        let sql = "UPDATE slotkeeper.confirmations c SET snapshot = d.snapshot
            FROM unnest($1::uuid[], $2::jsonb[]) AS d (id, snapshot) WHERE c.id = d.id";
        client.execute(sql, &[&ids, &snapshots]).await.unwrap();
        assert_eq!(found(client).await, (ids.len() as u64, 0), "{name}");
        planted += ids.len();
    }
}

#[tokio::test]
async fn a_changed_key_request_or_blocker_is_found_wherever_it_is() {
    let database = kit::database().await.unwrap();
    let mut client = database.client().await.unwrap();
    let (records, mut random) = house(&mut client).await;
    let ids: Vec<Uuid> = records.choose_multiple(&mut random, TIMES).map(|record| record.id).collect();
    for key in ["key || 'x'", "left(key, -1)", "gen_random_uuid()::text"] {
        let sql = format!("UPDATE slotkeeper.confirmations SET key = {key} WHERE id = ANY($1)");
        client.execute(&sql, &[&ids]).await.unwrap();
        assert_eq!(found(&mut client).await, (TIMES as u64, 0), "{key}");
    }
    for (name, damage) in REQUEST.into_iter().chain(FIELDS).chain(BLOCKERS) {
        plant(&mut client, &records, &mut random, name, damage).await;
    }
}

/// Every record with every other outcome, alone and with the columns beside it made to fit.
#[tokio::test]
async fn an_outcome_that_was_changed_to_any_other_is_found_wherever_it_is() {
    let database = kit::database().await.unwrap();
    let mut client = database.client().await.unwrap();
    let (records, _) = house(&mut client).await;
    let ids: Vec<Uuid> = records.iter().map(|record| record.id).collect();
    assert!(ids.len() > 3 * TIMES);
    let alone = "UPDATE slotkeeper.confirmations c SET outcome = d.outcome
        FROM unnest($1::uuid[], $2::text[]) AS d (id, outcome) WHERE c.id = d.id";
    let fitting = "UPDATE slotkeeper.confirmations c SET outcome = d.outcome, rows = d.places,
            booking_id = CASE WHEN d.outcome IN ('confirmed', 'moved') THEN coalesce(c.booking_id, c.id)
                WHEN c.snapshot->>'booking' IS NOT NULL THEN c.booking_id END
        FROM (SELECT d.id, d.outcome, CASE WHEN d.outcome IN ('confirmed', 'moved')
                  AND jsonb_typeof(k.snapshot->'allocations') = 'array'
                  THEN jsonb_array_length(k.snapshot->'allocations') ELSE 0 END AS places
                FROM unnest($1::uuid[], $2::text[]) AS d (id, outcome) JOIN kept k ON k.id = d.id) d
       WHERE c.id = d.id";
    for sql in [alone, fitting] {
        for turn in 1..OUTCOMES.len() {
            let other = |record: &Record| {
                let was = OUTCOMES.iter().position(|outcome| *outcome == record.outcome).unwrap();
                OUTCOMES[(was + turn) % OUTCOMES.len()]
            };
            let outcomes: Vec<&str> = records.iter().map(other).collect();
            client.execute(sql, &[&ids, &outcomes]).await.unwrap();
            assert_eq!(found(&mut client).await, (ids.len() as u64, 0), "{turn}: {sql}");
        }
    }
    // Control: with its own outcome a record is taken for what it is.
    let outcomes: Vec<&str> = records.iter().map(|record| record.outcome.as_str()).collect();
    client.execute(alone, &[&ids, &outcomes]).await.unwrap();
    assert_eq!(found(&mut client).await, (0, 0));
}

#[tokio::test]
async fn what_a_newer_version_wrote_is_counted_apart_unless_its_checksum_does_not_fit() {
    let database = kit::database().await.unwrap();
    let mut client = database.client().await.unwrap();
    let (records, _) = house(&mut client).await;
    let all = records.len() as u64;
    for (newer, change, expected) in [
        ("'{\"v\": 2}'", "", (0, all)),
        ("'{\"schema\": 999}'", ", outcome = 'checked_in'", (0, all)),
        ("'{\"schema\": 999}'", ", key = key || 'x'", (all, 0)),
        ("'{\"v\": 2, \"request\": {}}'", "", (all, 0)),
        // Nothing says that it is newer.
        ("'{}'", ", outcome = 'checked_in'", (all, 0)),
        ("'{\"v\": 0}'", "", (all, 0)),
    ] {
        let sql = format!("UPDATE slotkeeper.confirmations SET snapshot = snapshot || {newer}{change}");
        client.batch_execute(&sql).await.unwrap();
        assert_eq!(found(&mut client).await, expected, "{sql}");
    }
}
