//! The library as a service runs it: a role that owns nothing.

use super::common::*;
use slotkeeper::migrate::Duty;
use tokio_postgres::{Client, error::SqlState};

async fn insert(
    client: &Client,
    h: &House,
    table: ResourceId,
    range: &str,
) -> Result<u64, tokio_postgres::Error> {
    let text = format!(
        "INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
         VALUES ('{}', gen_random_uuid(), '{table}', '{range}', 'booked', gen_random_uuid())",
        h.tenant
    );
    client.execute(&text, &[]).await
}

/// Scenario 14.
#[tokio::test]
async fn raw_sql_of_the_application_role_is_refused_by_the_constraint_too() {
    let h = House::open().await;
    let table = h.table().await;
    let role = h.role([Duty::Service]).await;
    let client = role.get().await.unwrap();
    let (half_past, two) = ("[2030-01-01 10:15Z,2030-01-01 10:45Z)", "[2030-01-01 14:00Z,2030-01-01 14:30Z)");
    let request = BookPlaces::new(h.tenant, one(table, 600, 630), fresh_key());
    let first = h.keeper.bookings().book(&role, &request).await.unwrap();
    assert_eq!(first.outcome, Outcome::Confirmed);

    let refused = insert(&client, &h, table, half_past).await.unwrap_err();
    let error = refused.as_db_error().unwrap();
    assert_eq!(error.code(), &SqlState::EXCLUSION_VIOLATION);
    assert_eq!(error.constraint(), Some("allocations_resource_during_excl"));
    assert_eq!(insert(&client, &h, table, two).await.unwrap(), 1, "elsewhere the role may write");

    let moved = "UPDATE slotkeeper.allocations SET during = $1::tstzrange";
    let refused = client.execute(moved, &[&window(600, 630)]).await.unwrap_err();
    assert_eq!(refused.code(), Some(&SqlState::EXCLUSION_VIOLATION), "an update is judged as well");
    for forbidden in [
        "ALTER TABLE slotkeeper.allocations DROP CONSTRAINT allocations_resource_during_excl",
        "SET session_replication_role = replica",
        "DROP INDEX slotkeeper.allocations_resource_during_excl",
    ] {
        let refused = client.batch_execute(forbidden).await.unwrap_err();
        assert_eq!(refused.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{forbidden}");
    }
    // The negative control: it is the constraint that refused.
    h.sql("ALTER TABLE slotkeeper.allocations DROP CONSTRAINT allocations_resource_during_excl").await;
    assert_eq!(insert(&client, &h, table, half_past).await.unwrap(), 1);
    assert_eq!(h.overlaps().await, 1);
}

/// P15: every call works as that role.
#[tokio::test]
async fn the_whole_library_works_as_a_role_that_owns_nothing() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let role = h.role([Duty::Service, Duty::Relay]).await;
    let (k, db, tenant) = (&h.keeper, &role, h.tenant);
    k.warm(db).await.unwrap();

    let new = slotkeeper::resource::NewResource::new(tenant, kind("room"), name("r"));
    let room = k.resources().create(db, &new).await.unwrap();
    let change = slotkeeper::resource::UpdateResource::from(tenant, &room).name(name("s"));
    k.resources().update(db, &change).await.unwrap();
    k.resources().deactivate(db, tenant, room.id).await.unwrap();

    let a = k.holds().place(db, &PlaceHold::new(tenant, one(t[0], 0, 30))).await.unwrap();
    let new = PlaceHold::new(tenant, all(&t, 15, 45));
    let b = k.holds().replace(db, &ReplaceHold::new(a.id, new)).await.unwrap();
    let later = b.expires_at + chrono::TimeDelta::minutes(1);
    k.holds().extend(db, &ExtendHold::new(tenant, b.id, later).unwrap()).await.unwrap();
    k.holds().find(db, tenant, b.id).await.unwrap().unwrap();
    let c = k.bookings().confirm(db, &ConfirmHold::new(tenant, b.id, fresh_key())).await.unwrap();
    let booking = c.into_result().unwrap();
    let moved = MoveBooking::new(tenant, booking, 1, all(&t, 100, 130), fresh_key());
    k.bookings().move_to(db, &moved).await.unwrap().into_result().unwrap();
    let late = k.holds().place(db, &PlaceHold::new(tenant, one(t[0], 0, 30))).await.unwrap();
    expire(&h, late.id).await;
    k.holds().sweep(db, &SweepHolds::new(tenant)).await.unwrap();
    let late = ConfirmHold::new(tenant, late.id, fresh_key()).if_still_free();
    k.bookings().confirm(db, &late).await.unwrap().into_result().unwrap();
    let pending = k.bookings().request(db, &RequestBooking::new(tenant, window(200, 230))).await.unwrap();
    let approve = BookPlaces::new(tenant, all(&t, 200, 230), fresh_key()).for_pending(pending);
    k.bookings().book(db, &approve).await.unwrap().into_result().unwrap();
    k.bookings()
        .cancel(db, &CancelBooking::new(tenant, booking, fresh_key()))
        .await
        .unwrap()
        .into_result()
        .unwrap();
    let erase = EraseCustomer::new(tenant, CustomerRef::new("c").unwrap(), fresh_key());
    assert_eq!(k.bookings().erase(db, &erase).await.unwrap().outcome, Outcome::Erased);
    let blackout = k.allocations().block(db, &Block::new(tenant, all(&t, 300, 330))).await.unwrap();
    k.allocations().unblock(db, tenant, blackout).await.unwrap();
    let open = k.holds().place(db, &PlaceHold::new(tenant, one(t[1], 400, 430))).await.unwrap();
    k.holds().release(db, &ReleaseHold::new(tenant, open.id)).await.unwrap();
    assert!(k.allocations().is_free(db, tenant, t[0], window(300, 330)).await.unwrap());
    assert_eq!(k.bookings().history(db, tenant, booking).await.unwrap().len(), 3);
    assert_eq!(k.confirmations().list_by_booking(db, tenant, booking).await.unwrap().len(), 3);
    let events: Vec<_> =
        k.outbox().list(db, tenant, 100).await.unwrap().iter().map(|event| event.id).collect();
    assert_eq!(k.outbox().delete(db, tenant, &events).await.unwrap(), events.len() as u64);
}
