//! What a recorder hears: `cargo test --features metrics --test metrics`. A process of its own, because a recorder is
//! installed once for all.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use metrics_util::{
    CompositeKey,
    debugging::{DebugValue, DebuggingRecorder, Snapshotter},
};
use slotkeeper::{
    Claim, IdempotencyKey, ResourceId, ResourceKind, ResourceName, Slotkeeper, TenantId, Window,
    booking::{BookPlaces, ConfirmHold},
    chrono::{DateTime, TimeDelta},
    hold::{PlaceHold, ReleaseHold},
    metrics::describe_metrics,
    resource::NewResource,
};
use std::collections::BTreeMap;

/// Everything counted since the last look: `name{label=value,…}` and how often.
fn heard(snapshotter: &Snapshotter) -> BTreeMap<String, u64> {
    let mut heard = BTreeMap::new();
    for (key, unit, description, value) in snapshotter.snapshot().into_vec() {
        assert!(description.is_some(), "{key:?} is not described");
        let amount = match value {
            DebugValue::Counter(count) => count,
            DebugValue::Histogram(times) => {
                assert_eq!(unit, Some(metrics::Unit::Seconds));
                assert!(times.iter().all(|time| (0.0..60.0).contains(&time.into_inner())));
                times.len() as u64
            }
            DebugValue::Gauge(_) => panic!("{key:?} is a gauge"),
        };
        if amount > 0 {
            heard.insert(name(&key), amount);
        }
    }
    heard
}

fn name(key: &CompositeKey) -> String {
    let labels = key.key().labels().map(|label| format!("{}={}", label.key(), label.value()));
    format!(
        "{}{{{}}}",
        key.key().name().trim_start_matches("slotkeeper_"),
        labels.collect::<Vec<_>>().join(",")
    )
}

fn expect(snapshotter: &Snapshotter, expected: &[(&str, u64)]) {
    let expected =
        expected.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect::<BTreeMap<_, _>>();
    assert_eq!(heard(snapshotter), expected);
}

struct House {
    pool: slotkeeper::deadpool_postgres::Pool,
    keeper: Slotkeeper,
    tenant: TenantId,
    table: ResourceId,
    _database: kit::Database,
}

async fn house() -> House {
    let database = kit::database().await.unwrap();
    let (pool, keeper, tenant) = (database.pool(16), Slotkeeper::new(), TenantId::generate());
    let new =
        NewResource::new(tenant, ResourceKind::new("table").unwrap(), ResourceName::new("one").unwrap());
    let table = keeper.resources().create(&pool, &new).await.unwrap().id;
    House { pool, keeper, tenant, table, _database: database }
}

impl House {
    fn claim(&self, minute: i64) -> Claim {
        let start = DateTime::from_timestamp(1_893_456_000, 0).unwrap() + TimeDelta::minutes(minute);
        Claim::one(self.table, Window::starting_at(start, TimeDelta::minutes(30)).unwrap())
    }

    fn book(&self, minute: i64, key: &str) -> BookPlaces {
        BookPlaces::new(self.tenant, self.claim(minute), IdempotencyKey::new(key).unwrap())
    }

    fn place(&self, minute: i64) -> PlaceHold {
        PlaceHold::new(self.tenant, self.claim(minute))
    }
}

/// One test, because the recorder is the process's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_write_is_heard_by_outcome_and_nothing_says_whose_it_was() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    recorder.install().unwrap();
    describe_metrics();
    let h = house().await;
    expect(
        &snapshotter,
        &[
            ("decisions_total{operation=resource.create,outcome=created}", 1),
            ("passes_total{operation=resource.create}", 1),
            ("write_duration_seconds{operation=resource.create}", 1),
        ],
    );
    outcomes(&h, &snapshotter).await;
    raised(&h, &snapshotter).await;
    unanswered(&h, &snapshotter).await;
    races(&h, &snapshotter).await;
}

async fn outcomes(h: &House, snapshotter: &Snapshotter) {
    let (holds, bookings, db) = (h.keeper.holds(), h.keeper.bookings(), &h.pool);
    let place = h.place(0);
    let hold = holds.place(db, &place).await.unwrap().id;
    holds.place(db, &place).await.unwrap();
    holds.place(db, &h.place(10)).await.unwrap_err();
    let confirm = ConfirmHold::new(h.tenant, hold, IdempotencyKey::new("c").unwrap());
    bookings.confirm(db, &confirm).await.unwrap().into_result().unwrap();
    bookings.book(db, &h.book(0, "refused")).await.unwrap().into_result().unwrap_err();
    bookings.book(db, &h.book(60, "b")).await.unwrap().into_result().unwrap();
    bookings.book(db, &h.book(60, "b")).await.unwrap().into_result().unwrap();
    bookings.book(db, &h.book(120, "b")).await.unwrap_err();
    holds.release(db, &ReleaseHold::new(h.tenant, hold)).await.unwrap_err();
    // A read is not counted.
    bookings.find(db, h.tenant, slotkeeper::BookingId::generate()).await.unwrap();
    expect(
        snapshotter,
        &[
            ("decisions_total{operation=booking.book,outcome=confirmed}", 1),
            ("decisions_total{operation=booking.book,outcome=conflict}", 1),
            ("decisions_total{operation=booking.book,outcome=key_reused}", 1),
            ("decisions_total{operation=booking.book,outcome=replayed}", 1),
            ("decisions_total{operation=booking.confirm,outcome=confirmed}", 1),
            ("decisions_total{operation=hold.place,outcome=conflict}", 1),
            ("decisions_total{operation=hold.place,outcome=placed}", 1),
            ("decisions_total{operation=hold.place,outcome=replayed}", 1),
            ("decisions_total{operation=hold.release,outcome=hold_consumed}", 1),
            ("passes_total{operation=booking.book}", 4),
            ("passes_total{operation=booking.confirm}", 1),
            ("passes_total{operation=hold.place}", 3),
            ("passes_total{operation=hold.release}", 1),
            ("violations_total{constraint=allocations_resource_during_excl}", 2),
            ("violations_total{constraint=confirmations_key_key}", 1),
            ("write_duration_seconds{operation=booking.book}", 4),
            ("write_duration_seconds{operation=booking.confirm}", 1),
            ("write_duration_seconds{operation=hold.place}", 3),
            ("write_duration_seconds{operation=hold.release}", 1),
        ],
    );
}

/// What the server raises: a number that is taken, and a rule of the host's, whose name is nobody's business.
async fn raised(h: &House, snapshotter: &Snapshotter) {
    let client = h.pool.get().await.unwrap();
    let rule = "ALTER TABLE slotkeeper.holds ADD CONSTRAINT secret_rule CHECK (reference <> 'forbidden')";
    client.batch_execute(rule).await.unwrap();
    let reference = |text| slotkeeper::Reference::new(text).unwrap();
    h.keeper.holds().place(&h.pool, &h.place(200).reference(reference("r"))).await.unwrap();
    h.keeper.holds().place(&h.pool, &h.place(300).reference(reference("r"))).await.unwrap_err();
    h.keeper.holds().place(&h.pool, &h.place(300).reference(reference("forbidden"))).await.unwrap_err();
    expect(
        snapshotter,
        &[
            ("decisions_total{operation=hold.place,outcome=placed}", 1),
            ("decisions_total{operation=hold.place,outcome=reference_taken}", 1),
            ("decisions_total{operation=hold.place,outcome=unknown_constraint}", 1),
            ("passes_total{operation=hold.place}", 4),
            ("violations_total{constraint=holds_reference_key}", 2),
            ("violations_total{constraint=other}", 1),
            ("write_duration_seconds{operation=hold.place}", 3),
        ],
    );
}

/// No connection to be had is an answer too.
async fn unanswered(h: &House, snapshotter: &Snapshotter) {
    let closed = h._database.pool(1);
    closed.close();
    h.keeper.holds().place(&closed, &h.place(400)).await.unwrap_err();
    expect(
        snapshotter,
        &[
            ("decisions_total{operation=hold.place,outcome=unavailable}", 1),
            ("write_duration_seconds{operation=hold.place}", 1),
        ],
    );
}

/// Sixteen callers for each of eight windows: passes are decisions and repeats, and every loser is a conflict.
async fn races(h: &House, snapshotter: &Snapshotter) {
    for minute in 0..8 {
        let calls = (0..16).map(|_| {
            let (pool, keeper, place) = (h.pool.clone(), h.keeper.clone(), h.place(600 + 30 * minute));
            tokio::spawn(async move { keeper.holds().place(&pool, &place).await.is_ok() })
        });
        let mut winners = 0;
        for call in calls.collect::<Vec<_>>() {
            winners += usize::from(call.await.unwrap());
        }
        assert_eq!(winners, 1);
    }
    let heard = heard(snapshotter);
    let count = |name: &str| heard.get(name).copied().unwrap_or_default();
    assert_eq!(count("decisions_total{operation=hold.place,outcome=placed}"), 8);
    assert_eq!(count("decisions_total{operation=hold.place,outcome=conflict}"), 120);
    assert_eq!(count("violations_total{constraint=allocations_resource_during_excl}"), 120);
    assert_eq!(count("write_duration_seconds{operation=hold.place}"), 128);
    let repeats = count("lost_races_total{operation=hold.place}");
    assert!(repeats > 0, "nobody lost a race");
    assert_eq!(count("passes_total{operation=hold.place}"), 128 + repeats);
    assert_eq!(heard.len(), 6, "{heard:?}");
}
