//! The audit of these tests: rows that may not exist without others. Planted damage is found, each kind by its name.

use crate::support::*;
use slotkeeper::{allocation::*, booking::*, hold::*};
use tokio_postgres::Client;

/// Name, and a query for offenders.
const CHECKS: [(&str, &str); 13] = [
    (
        "a live held row has an active hold",
        "SELECT FROM slotkeeper.allocations a WHERE a.released_at IS NULL AND a.kind = 'held' AND NOT EXISTS (
           SELECT FROM slotkeeper.holds h
            WHERE h.tenant_id = a.tenant_id AND h.id = a.claim_id AND h.status = 'active')",
    ),
    (
        "a live blackout has its event",
        "SELECT FROM slotkeeper.allocations a WHERE a.released_at IS NULL AND a.kind = 'blackout' AND NOT EXISTS (
           SELECT FROM slotkeeper.outbox o WHERE o.tenant_id = a.tenant_id AND o.subject_id = a.claim_id
              AND o.event = 'blackout.blocked')",
    ),
    (
        "a live booked row has a confirmed booking",
        "SELECT FROM slotkeeper.allocations a WHERE a.released_at IS NULL AND a.kind = 'booked' AND NOT EXISTS (
           SELECT FROM slotkeeper.bookings b WHERE b.tenant_id = a.tenant_id AND b.claim_id = a.claim_id
              AND b.status = 'confirmed')",
    ),
    (
        // Whether it was confirmed or moved last: the record of its current revision lists the rows.
        "a confirmed booking has exactly the live rows its record lists",
        "SELECT FROM slotkeeper.bookings b WHERE b.status = 'confirmed' AND
           (SELECT array_agg(a.id ORDER BY a.id) FROM slotkeeper.allocations a
             WHERE a.tenant_id = b.tenant_id AND a.claim_id = b.claim_id AND a.released_at IS NULL AND a.kind = 'booked')
           IS DISTINCT FROM
           (SELECT array_agg(id ORDER BY id) FROM (SELECT (x->>'id')::uuid AS id
              FROM {history} y
              JOIN slotkeeper.confirmations c ON c.tenant_id = y.tenant_id AND c.id = y.confirmation_id
             CROSS JOIN jsonb_array_elements(c.snapshot->'allocations') x
             WHERE y.tenant_id = b.tenant_id AND y.booking_id = b.id AND y.revision = b.revision) x)",
    ),
    (
        "a booking that is not confirmed holds nothing",
        "SELECT FROM slotkeeper.bookings b JOIN slotkeeper.allocations a
             ON a.tenant_id = b.tenant_id AND a.claim_id = b.claim_id AND a.released_at IS NULL
          WHERE b.status <> 'confirmed'",
    ),
    (
        "a consumed hold has a booking",
        "SELECT FROM slotkeeper.holds h WHERE h.status = 'consumed' AND NOT EXISTS (
           SELECT FROM slotkeeper.bookings b WHERE b.tenant_id = h.tenant_id AND b.claim_id = h.id)",
    ),
    (
        "a hold whose place is booked is consumed",
        "SELECT FROM slotkeeper.holds h JOIN slotkeeper.bookings b
             ON b.tenant_id = h.tenant_id AND b.claim_id = h.id WHERE h.status <> 'consumed'",
    ),
    (
        "an unexpired hold has all its rows",
        "SELECT FROM slotkeeper.holds h WHERE h.status = 'active' AND h.expires_at > now() AND h.rows <> (
           SELECT count(*) FROM slotkeeper.allocations a WHERE a.tenant_id = h.tenant_id AND a.claim_id = h.id
              AND a.released_at IS NULL AND a.kind = 'held' AND a.expires_at = h.expires_at)",
    ),
    (
        "a hold was placed with all its rows",
        "SELECT FROM slotkeeper.holds h WHERE h.rows > (
           SELECT count(*) FROM slotkeeper.allocations a WHERE a.tenant_id = h.tenant_id AND a.claim_id = h.id)",
    ),
    (
        "a decision that changed a booking has it, its history and its event",
        "SELECT FROM slotkeeper.confirmations c
          WHERE (c.outcome IN ('confirmed', 'moved')
                 OR c.outcome = 'cancelled' AND c.snapshot->'booking'->>'status' <> 'cancelled')
            AND NOT EXISTS (
           SELECT FROM slotkeeper.bookings b
             JOIN {history} y ON y.tenant_id = b.tenant_id AND y.booking_id = b.id
             JOIN slotkeeper.outbox o ON o.tenant_id = b.tenant_id AND o.subject_id = b.id
            WHERE b.tenant_id = c.tenant_id AND b.id = c.booking_id AND y.confirmation_id = c.id AND o.id = c.id)",
    ),
    (
        "a refusal has neither history nor event",
        "SELECT FROM slotkeeper.confirmations c
          WHERE c.outcome NOT IN ('confirmed', 'moved', 'cancelled', 'erased') AND (
                EXISTS (SELECT FROM slotkeeper.outbox o WHERE o.tenant_id = c.tenant_id AND o.id = c.id)
             OR EXISTS (SELECT FROM {history} y
                         WHERE y.tenant_id = c.tenant_id AND y.confirmation_id = c.id))",
    ),
    (
        "a booking's history is complete and ends with what it is",
        "SELECT FROM slotkeeper.bookings b WHERE b.revision <> (
           SELECT count(*) FROM {history} y
            WHERE y.tenant_id = b.tenant_id AND y.booking_id = b.id AND y.revision BETWEEN 1 AND b.revision)
            OR NOT EXISTS (SELECT FROM {history} y WHERE y.tenant_id = b.tenant_id
                 AND y.booking_id = b.id AND y.revision = b.revision AND y.status = b.status AND y.during = b.during)",
    ),
    (
        "history and events have a booking and a record",
        "SELECT FROM (
           SELECT y.tenant_id, y.booking_id, y.confirmation_id FROM {history} y
            WHERE y.status <> 'pending'
            UNION ALL SELECT o.tenant_id, o.subject_id, o.id FROM slotkeeper.outbox o WHERE o.event LIKE 'booking.%') e
          WHERE NOT EXISTS (SELECT FROM slotkeeper.bookings b WHERE b.tenant_id = e.tenant_id AND b.id = e.booking_id)
             OR NOT EXISTS (SELECT FROM slotkeeper.confirmations c
                             WHERE c.tenant_id = e.tenant_id AND c.id = e.confirmation_id)",
    ),
];

/// The names of the checks that fail.
pub async fn orphans(client: &Client) -> Vec<String> {
    let parts = CHECKS.map(|(name, query)| {
        let query = query.replace("{history}", HISTORY);
        format!("SELECT '{}' WHERE EXISTS ({query})", name.replace('\'', "''"))
    });
    let rows = client.query(&parts.join(" UNION ALL "), &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Nothing is orphaned and nothing overlaps.
pub async fn assert_whole(h: &House) {
    assert_eq!(orphans(&h.pool.get().await.unwrap()).await, Vec::<String>::new());
    assert_eq!(h.overlaps().await, 0);
    assert_audit(h).await;
}

/// Damage, and the check that must find it. The order is that of [`CHECKS`].
const PLANTED: [&str; 13] = [
    "DELETE FROM slotkeeper.holds WHERE status = 'active'",
    "DELETE FROM slotkeeper.outbox WHERE event = 'blackout.blocked'",
    "UPDATE slotkeeper.bookings SET status = 'cancelled' WHERE revision = 1 AND status = 'confirmed'",
    "UPDATE slotkeeper.allocations SET released_at = now() WHERE id IN (
       SELECT id FROM slotkeeper.allocations WHERE kind = 'booked' AND released_at IS NULL LIMIT 1)",
    "UPDATE slotkeeper.allocations SET released_at = NULL WHERE claim_id IN (
       SELECT claim_id FROM slotkeeper.bookings WHERE status = 'cancelled')",
    "UPDATE slotkeeper.holds SET status = 'consumed' WHERE status = 'active'",
    "UPDATE slotkeeper.holds SET status = 'active' WHERE status = 'consumed'",
    "UPDATE slotkeeper.allocations SET released_at = now() WHERE kind = 'held' AND id IN (
       SELECT id FROM slotkeeper.allocations WHERE kind = 'held' AND released_at IS NULL LIMIT 1)",
    "DELETE FROM slotkeeper.allocations WHERE kind = 'held'",
    "DELETE FROM slotkeeper.outbox WHERE event = 'booking.confirmed'",
    "INSERT INTO slotkeeper.outbox (tenant_id, id, event, subject_id, body)
       SELECT tenant_id, id, 'booking.confirmed', id, '{}' FROM slotkeeper.confirmations WHERE outcome = 'conflict'",
    "UPDATE slotkeeper.bookings SET history = history - 1 WHERE revision = 2",
    "DELETE FROM slotkeeper.confirmations WHERE outcome = 'moved'",
];

#[tokio::test]
async fn planted_damage_of_every_kind_is_found() {
    let h = House::open().await;
    let (k, db, t) = (&h.keeper, &h.pool, h.tables(2).await);
    k.holds().place(db, &PlaceHold::new(h.tenant, all(&t, 0, 30))).await.unwrap();
    let hold = k.holds().place(db, &PlaceHold::new(h.tenant, all(&t, 30, 60))).await.unwrap();
    k.bookings()
        .confirm(db, &ConfirmHold::new(h.tenant, hold.id, fresh_key()))
        .await
        .unwrap()
        .into_result()
        .unwrap();
    k.allocations().block(db, &Block::new(h.tenant, all(&t, 60, 90))).await.unwrap();
    k.bookings().request(db, &RequestBooking::new(h.tenant, window(0, 30))).await.unwrap();
    let mut booked = Vec::new();
    for from in [90, 120, 90] {
        let new = BookPlaces::new(h.tenant, all(&t, from, from + 30), fresh_key());
        booked.push(k.bookings().book(db, &new).await.unwrap().booking); // the last one is refused
    }
    let cancel = CancelBooking::new(h.tenant, booked[0].unwrap(), fresh_key());
    k.bookings().cancel(db, &cancel).await.unwrap().into_result().unwrap();
    let to = MoveBooking::new(h.tenant, booked[1].unwrap(), 1, all(&t, 150, 180), fresh_key());
    k.bookings().move_to(db, &to).await.unwrap().into_result().unwrap();
    assert_whole(&h).await;

    let client = db.get().await.unwrap();
    for (damage, (name, _)) in PLANTED.iter().zip(CHECKS) {
        client.batch_execute("BEGIN").await.unwrap();
        assert!(client.execute(*damage, &[]).await.unwrap() > 0, "planted nothing: {name}");
        let found = orphans(&client).await;
        assert!(found.iter().any(|found| found == name), "{name}: {found:?}");
        client.batch_execute("ROLLBACK").await.unwrap();
    }
    assert_whole(&h).await;
}
