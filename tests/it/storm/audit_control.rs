//! The negative control of the audit: each rule sees the damage it is there for.

use super::audit::{audit, overlaps, records};
use crate::support::*;
use slotkeeper::{booking::*, hold::*};

/// A consumed hold, a booking of two places, a live hold, a cancelled booking: nothing wrong.
async fn healthy() -> House {
    let h = House::open().await;
    let t = h.tables(2).await;
    let (holds, bookings, k) = (h.keeper.holds(), h.keeper.bookings(), h.tenant);
    let hold = holds.place(&h.pool, &PlaceHold::new(k, one(t[0], 0, 30))).await.unwrap();
    let confirm = ConfirmHold::new(k, hold.id, fresh_key());
    assert!(bookings.confirm(&h.pool, &confirm).await.unwrap().outcome.is_success());
    let both = bookings.book(&h.pool, &BookPlaces::new(k, all(&t, 60, 90), fresh_key())).await.unwrap();
    assert!(both.outcome.is_success());
    holds.place(&h.pool, &PlaceHold::new(k, one(t[1], 120, 150))).await.unwrap();
    let gone = bookings.book(&h.pool, &BookPlaces::new(k, one(t[0], 180, 210), fresh_key())).await.unwrap();
    let cancel = CancelBooking::new(k, gone.booking.unwrap(), fresh_key());
    assert!(bookings.cancel(&h.pool, &cancel).await.unwrap().outcome.is_success());
    assert_eq!(audit(&h).await, Vec::<String>::new());
    h
}

#[tokio::test]
async fn the_audit_sees_overlaps_once_the_constraint_is_gone() {
    let h = healthy().await;
    h.sql(
        "ALTER TABLE slotkeeper.allocations DROP CONSTRAINT allocations_resource_during_excl;
         INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
         SELECT tenant_id, gen_random_uuid(), resource_id, during, 'blackout', gen_random_uuid()
           FROM slotkeeper.allocations WHERE kind = 'booked' AND released_at IS NULL",
    )
    .await;
    assert_eq!(overlaps(&h).await, 3);
    assert_eq!(audit(&h).await, ["3 overlaps"]);
}

#[tokio::test]
async fn the_audit_sees_every_other_damage() {
    let h = healthy().await;
    let damage = [
        ("UPDATE slotkeeper.holds SET status = 'consumed'", "a consumed hold without exactly one booking"),
        ("UPDATE slotkeeper.holds SET status = 'released'", "a booking of a hold that was not consumed"),
        (
            "UPDATE slotkeeper.allocations SET released_at = now() WHERE kind = 'booked'",
            "a confirmed booking that does not hold as many places",
        ),
        (
            "UPDATE slotkeeper.bookings SET during = tstzrange('2031-01-01', '2031-01-02')",
            "a confirmed booking whose places are at another time",
        ),
        ("UPDATE slotkeeper.bookings SET status = 'cancelled'", "a booked place without a confirmed booking"),
        (
            "UPDATE slotkeeper.holds SET status = 'replaced' WHERE status = 'active'",
            "a held place without an active hold",
        ),
        (
            "UPDATE slotkeeper.allocations SET released_at = now() WHERE kind = 'held'",
            "an unexpired hold that lacks a place",
        ),
        (
            "UPDATE slotkeeper.bookings SET history = history - 1 WHERE revision = 2",
            "a booking whose history is not one row",
        ),
        (
            r#"UPDATE slotkeeper.bookings SET history = jsonb_set(history, '{-1,status}', '"pending"')"#,
            "a booking that is not what its last revision",
        ),
        ("DELETE FROM slotkeeper.outbox", "a decision about a booking without its event"),
    ];
    let mut client = h.db.client().await.unwrap();
    for (sql, rule) in damage {
        // Planted in one go and taken back by the opposite: a copy of each table.
        let tables = ["holds", "allocations", "bookings", "outbox"];
        let copy = tables.map(|t| format!("CREATE TABLE copy_{t} AS TABLE slotkeeper.{t};")).concat();
        let back = tables.map(|t| {
            format!(
                "DELETE FROM slotkeeper.{t}; INSERT INTO slotkeeper.{t} TABLE copy_{t}; DROP TABLE copy_{t};"
            )
        });
        client.batch_execute(&copy).await.unwrap();
        client.batch_execute(sql).await.unwrap();
        let wrong = audit(&h).await;
        assert!(wrong.iter().any(|wrong| wrong.contains(rule)), "{sql}: {wrong:?}");
        let tx = client.transaction().await.unwrap();
        tx.batch_execute(&back.concat()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(audit(&h).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn the_audit_sees_a_missing_a_changed_and_an_extra_record() {
    let h = House::open().await;
    let table = h.table().await;
    let book = BookPlaces::new(h.tenant, one(table, 0, 30), fresh_key());
    let decision = h.keeper.bookings().book(&h.pool, &book).await.unwrap();
    let told = (decision.confirmation.as_uuid(), "confirmed", false);
    assert_eq!(records(&h, &[told]).await, Vec::<String>::new());
    assert!(!records(&h, &[]).await.is_empty(), "nobody was told");
    assert!(!records(&h, &[told, told]).await.is_empty(), "two were told that they decided");
    assert!(!records(&h, &[(told.0, "conflict", false)]).await.is_empty(), "another outcome was told");
    h.sql("DELETE FROM slotkeeper.confirmations").await;
    assert!(!records(&h, &[told]).await.is_empty(), "it is not recorded");
}
