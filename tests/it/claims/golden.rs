//! Records are kept for ever: version 1 stays readable, whatever the library writes later.

use super::common::*;
use serde_json::Value;
use std::collections::BTreeSet;

const CONFIRMED: &str = include_str!("golden/confirm_confirmed.v1.json");
const CONFLICT: &str = include_str!("golden/book_conflict.v1.json");

fn read(text: &str) -> Snapshot {
    Snapshot::read(serde_json::from_str(text).unwrap()).unwrap()
}

fn id<T: From<uuid::Uuid>>(text: &str) -> T {
    T::from(text.parse().unwrap())
}

#[test]
fn a_confirmed_record_of_version_1_is_readable() {
    let s = read(CONFIRMED);
    assert_eq!((s.v, s.schema, s.operation), (1, 1, Operation::Confirm));
    let hold = s.hold.unwrap();
    assert_eq!(hold.id, id("01890000-0000-7000-8000-000000000001"));
    assert_eq!(s.request.hold, Some(hold.id));
    assert_eq!((s.request.pending, s.request.if_still_free), (Some(true), Some(true)));
    assert_eq!((&*hold.status, hold.requested, hold.window), ("active", 2, window(600, 630)));
    assert_eq!(hold.placed_at.to_rfc3339(), "2029-12-31T09:00:00.000001+00:00");
    let booking = s.booking.unwrap();
    assert_eq!(
        (booking.status, booking.revision, booking.window),
        (BookingStatus::Pending, 1, window(600, 630))
    );
    assert_eq!(s.resources.iter().map(|r| (r.min_party, r.capacity)).collect::<Vec<_>>(), [(1, 4), (2, 6)]);
    assert_eq!(s.allocations[1].resource, s.resources[1].id);
    assert_eq!(s.allocations[1].window, window(595, 635));
    assert_eq!((s.blockers.len(), s.erased), (0, None));
}

#[test]
fn a_conflict_record_of_version_1_is_readable() {
    let s = read(CONFLICT);
    assert_eq!((s.v, s.operation, s.allocations.len()), (1, Operation::Book, 0));
    assert_eq!(s.request.pairs[0].window, window(600, 630));
    assert_eq!(s.request.buffers.unwrap().after(), chrono::TimeDelta::minutes(5));
    assert_eq!(s.blockers[0].kind, Some(AllocationKind::Held));
    assert_eq!(s.blockers[0].overlap, window(610, 630));
    assert_eq!(s.blockers[0].allocation, Some(id("01890000-0000-7000-8000-0000000000b1")));
}

/// The paths of every value in a JSON document, lists taken as one.
fn shape(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(k, v)| shape(v, &format!("{path}.{k}"), found)),
        Value::Array(items) => items.iter().for_each(|item| shape(item, &format!("{path}[]"), found)),
        Value::Null => {}
        _ => drop(found.insert(path.to_owned())),
    }
}

fn shape_of(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    shape(value, "", &mut found);
    found
}

async fn raw(h: &House, decision: &Decision) -> Value {
    let query = "SELECT snapshot FROM slotkeeper.confirmations WHERE id = $1";
    h.db.client().await.unwrap().query_one(query, &[&decision.confirmation]).await.unwrap().get(0)
}

/// What is written today has the shape of the kept files: a change of format must raise the version.
#[tokio::test]
async fn what_is_written_today_has_the_shape_of_version_1() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let buffers = Buffers::new(chrono::TimeDelta::minutes(5), chrono::TimeDelta::minutes(5)).unwrap();
    let held = hold(&h, all(&t, 600, 630).with_buffers(buffers).unwrap()).await;
    let waiting = RequestBooking::new(h.tenant, window(600, 630));
    let waiting = h.keeper.bookings().request(&h.pool, &waiting).await.unwrap();
    let details = BookingDetails::new().customer(CustomerRef::new("c").unwrap());
    let refused = BookPlaces::new(h.tenant, one(t[0], 600, 630).with_buffers(buffers).unwrap(), fresh_key());
    let refused = h.keeper.bookings().book(&h.pool, &refused.details(details.clone())).await.unwrap();
    let ask = ConfirmHold::new(h.tenant, held.id, fresh_key())
        .for_pending(waiting)
        .expecting_window(window(600, 630))
        .if_still_free()
        .details(details);
    let confirmed = confirm(&h, ask).await;
    for (decision, golden) in [(&confirmed, CONFIRMED), (&refused, CONFLICT)] {
        let golden: Value = serde_json::from_str(golden).unwrap();
        assert_eq!(shape_of(&raw(&h, decision).await), shape_of(&golden));
        assert_eq!(golden["v"], decision.snapshot.v);
    }
    assert_ne!(
        shape_of(&raw(&h, &confirmed).await),
        shape_of(&raw(&h, &refused).await),
        "the check can fail"
    );
}
