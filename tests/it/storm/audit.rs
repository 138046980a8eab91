//! What must be true of the tables whatever happened, judged without the constraint and without the library.

use crate::support::House;
use slotkeeper::Window;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Each counts what must not be.
const RULES: [(&str, &str); 10] = [
    ("a consumed hold without exactly one booking",
     "SELECT count(*) FROM slotkeeper.holds h WHERE h.status = 'consumed' AND 1 <> (SELECT count(*)
        FROM slotkeeper.bookings b WHERE b.tenant_id = h.tenant_id AND b.claim_id = h.id)"),
    ("a booking of a hold that was not consumed",
     "SELECT count(*) FROM slotkeeper.holds h JOIN slotkeeper.bookings b
          ON b.tenant_id = h.tenant_id AND b.claim_id = h.id WHERE h.status <> 'consumed'"),
    ("a confirmed booking that does not hold as many places as were decided",
     "SELECT count(*) FROM slotkeeper.bookings b JOIN {history} y
          ON y.tenant_id = b.tenant_id AND y.booking_id = b.id AND y.revision = b.revision
        LEFT JOIN slotkeeper.confirmations c ON c.tenant_id = b.tenant_id AND c.id = y.confirmation_id
       WHERE b.status = 'confirmed' AND c.rows IS DISTINCT FROM (SELECT count(*) FROM slotkeeper.allocations a
           WHERE a.tenant_id = b.tenant_id AND a.claim_id = b.claim_id AND a.released_at IS NULL
             AND a.kind = 'booked')"),
    ("a confirmed booking whose places are at another time",
     "SELECT count(*) FROM slotkeeper.bookings b WHERE b.status = 'confirmed' AND b.during IS DISTINCT FROM (
        SELECT tstzrange(min(lower(a.during)) + make_interval(secs => b.buffer_before_seconds),
                         max(upper(a.during)) - make_interval(secs => b.buffer_after_seconds))
          FROM slotkeeper.allocations a WHERE a.tenant_id = b.tenant_id AND a.claim_id = b.claim_id
           AND a.released_at IS NULL)"),
    ("a booked place without a confirmed booking",
     "SELECT count(*) FROM slotkeeper.allocations a WHERE a.kind = 'booked' AND a.released_at IS NULL AND NOT EXISTS (
        SELECT FROM slotkeeper.bookings b WHERE b.tenant_id = a.tenant_id AND b.claim_id = a.claim_id
           AND b.status = 'confirmed')"),
    ("a held place without an active hold",
     "SELECT count(*) FROM slotkeeper.allocations a WHERE a.kind = 'held' AND a.released_at IS NULL AND NOT EXISTS (
        SELECT FROM slotkeeper.holds h WHERE h.tenant_id = a.tenant_id AND h.id = a.claim_id
           AND h.status = 'active')"),
    ("an unexpired hold that lacks a place",
     "SELECT count(*) FROM slotkeeper.holds h WHERE h.status = 'active' AND h.expires_at > statement_timestamp()
         AND h.rows <> (SELECT count(*) FROM slotkeeper.allocations a WHERE a.tenant_id = h.tenant_id
             AND a.claim_id = h.id AND a.released_at IS NULL AND a.kind = 'held' AND a.expires_at = h.expires_at)"),
    ("a booking whose history is not one row a revision",
     "SELECT count(*) FROM slotkeeper.bookings b WHERE b.revision <> (SELECT count(*)
        FROM {history} y WHERE y.tenant_id = b.tenant_id AND y.booking_id = b.id)"),
    ("a booking that is not what its last revision says",
     "SELECT count(*) FROM slotkeeper.bookings b WHERE NOT EXISTS (SELECT FROM {history} y
       WHERE y.tenant_id = b.tenant_id AND y.booking_id = b.id AND y.revision = b.revision
         AND y.status = b.status AND y.during = b.during)"),
    ("a decision about a booking without its event",
     "SELECT count(*) FROM {history} y WHERE y.confirmation_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM slotkeeper.outbox o WHERE o.tenant_id = y.tenant_id AND o.id = y.confirmation_id
           AND o.subject_id = y.booking_id)"),
];

/// Everything that is wrong, in words.
pub async fn audit(house: &House) -> Vec<String> {
    let mut wrong = Vec::new();
    for (what, sql) in RULES {
        let found = house.count(sql).await;
        if found > 0 {
            wrong.push(format!("{found} times {what}"));
        }
    }
    let overlaps = overlaps(house).await;
    if overlaps > 0 {
        wrong.push(format!("{overlaps} overlaps"));
    }
    wrong
}

/// Live rows that begin before an earlier one of the same resource ends, found by sorting.
pub async fn overlaps(house: &House) -> usize {
    let sql = "SELECT tenant_id, resource_id, during FROM slotkeeper.allocations
                WHERE released_at IS NULL AND NOT shadow";
    let rows = house.db.client().await.unwrap().query(sql, &[]).await.unwrap();
    let mut places: BTreeMap<(Uuid, Uuid), Vec<Window>> = BTreeMap::new();
    for row in rows {
        places.entry((row.get(0), row.get(1))).or_default().push(row.get(2));
    }
    let mut overlaps = 0;
    for windows in places.values_mut() {
        windows.sort_unstable_by_key(Window::start);
        let mut busy_until = windows[0].start();
        for window in windows {
            overlaps += usize::from(window.start() < busy_until);
            busy_until = busy_until.max(window.end());
        }
    }
    overlaps
}

/// Decisions that were answered but not recorded so, and records nobody was told of.
pub async fn records(house: &House, decisions: &[(Uuid, &'static str, bool)]) -> Vec<String> {
    let sql = "SELECT id, outcome FROM slotkeeper.confirmations";
    let rows = house.db.client().await.unwrap().query(sql, &[]).await.unwrap();
    let stored: BTreeMap<Uuid, String> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let mut wrong = Vec::new();
    for (id, outcome, _) in decisions {
        if stored.get(id).is_none_or(|stored| stored != outcome) {
            wrong.push(format!("{id} was answered {outcome}, but {:?} is recorded", stored.get(id)));
        }
    }
    let mut first: Vec<Uuid> = decisions.iter().filter(|(.., replay)| !replay).map(|(id, ..)| *id).collect();
    let told = first.len();
    first.sort_unstable();
    first.dedup();
    if (told, told) != (first.len(), stored.len()) {
        let (once, records) = (first.len(), stored.len());
        wrong.push(format!("{told} decisions, {once} of them different, {records} records"));
    }
    wrong
}
