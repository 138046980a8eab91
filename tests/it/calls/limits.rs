//! Every limit, at it and one beyond it: the longest value accepted is one the tables take.

use super::stage::customer;
use crate::support::*;
use slotkeeper::{
    Actor, CustomerRef, IdempotencyKey, InvalidInput, JsonObject, Price, Reference, ResourceKind,
    ResourceName, TimeZoneName,
    booking::*,
    hold::*,
    resource::{ListResources, NewResource},
};

/// Bytes count, not characters: two-byte letters, and one of one byte if the limit is odd.
fn long(limit: usize) -> String {
    "é".repeat(limit / 2) + &"x".repeat(limit % 2)
}

#[test]
fn one_byte_beyond_a_limit_is_refused() {
    macro_rules! refused {
        ($($name:ident $limit:literal $field:literal;)+) => {$(
            assert_eq!($name::LIMIT, $limit);
            assert!($name::new(long($limit)).is_ok());
            let beyond = Some(InvalidInput::TooLong { field: $field, limit: $limit });
            assert_eq!($name::new(long($limit + 1)).err(), beyond);
            assert_eq!($name::new("").err(), Some(InvalidInput::Empty { field: $field }));
            let control = Some(InvalidInput::ControlCharacter { field: $field });
            assert_eq!($name::new("a\0").err(), control);
            assert_eq!($name::new("\n").err(), control);
        )+};
    }
    refused! {
        Reference 120 "reference";
        Actor 120 "actor";
        CustomerRef 120 "customer reference";
        ResourceKind 40 "resource kind";
        ResourceName 200 "resource name";
        IdempotencyKey 200 "idempotency key";
    }
    assert!(TimeZoneName::new("x".repeat(64)).is_ok() && TimeZoneName::new("x".repeat(65)).is_err());
    let json = |n| JsonObject::new(serde_json::json!({ "a": "x".repeat(n - 8) }));
    assert!(json(JsonObject::LIMIT).is_ok());
    assert_eq!(
        json(JsonObject::LIMIT + 1).err(),
        Some(InvalidInput::TooLong { field: "json", limit: 8_192 })
    );
    let list = |n| ListResources::new(slotkeeper::TenantId::SINGLE).limit(n).is_ok();
    assert!(list(1) && list(1_000) && !list(0) && !list(1_001));
    let parties =
        |a, b| NewResource::new(slotkeeper::TenantId::SINGLE, kind("x"), name("x")).parties(a, b).is_ok();
    assert!(parties(1, 1) && parties(1, 2_147_483_647));
    assert!(!parties(0, 1) && !parties(2, 1) && !parties(1, 2_147_483_648));
}

#[tokio::test]
async fn everything_at_its_limit_is_stored_and_comes_back() {
    let h = House::open().await;
    let (k, db) = (&h.keeper, &h.pool);
    let reference = || Reference::new(long(120)).unwrap();
    let json = || JsonObject::new(serde_json::json!({ "a": "x".repeat(8_184) })).unwrap();
    let new = NewResource::new(h.tenant, kind(&long(40)), name(&long(200)));
    let new = new.reference(reference()).attributes(json()).parties(1, 2_147_483_647).unwrap();
    let made = k.resources().create(db, &new).await.unwrap();
    assert_eq!(k.resources().find(db, h.tenant, made.id).await.unwrap().unwrap(), made);
    assert_eq!((made.reference, made.attributes), (Some(reference()), json()));

    let place = PlaceHold::new(h.tenant, one(made.id, 0, 30)).reference(reference());
    let hold = k.holds().place(db, &place.actor(Actor::new(long(120)).unwrap())).await.unwrap();
    assert_eq!(k.holds().find(db, h.tenant, hold.id).await.unwrap().unwrap(), hold);
    let details =
        BookingDetails::new().reference(reference()).customer(customer(&long(120))).metadata(json());
    let details = details.price(Price::new(i64::MAX, "EUR").unwrap());
    let details = details.time_zone(TimeZoneName::new("x".repeat(64)).unwrap());
    let confirm = ConfirmHold::new(h.tenant, hold.id, key(&long(200))).details(details.clone());
    let decision = k.bookings().confirm(db, &confirm).await.unwrap();
    let booking = k.bookings().find(db, h.tenant, decision.booking.unwrap()).await.unwrap().unwrap();
    assert_eq!(booking.details, details);
    assert!(k.bookings().confirm(db, &confirm).await.unwrap().is_replay());
}

/// 64 resources at once: the most a claim may have.
#[tokio::test]
async fn the_largest_claim_is_placed_refused_and_booked() {
    let h = House::open().await;
    let tables = h.tables(64).await;
    let hold = h.keeper.holds().place(&h.pool, &PlaceHold::new(h.tenant, all(&tables, 0, 30))).await.unwrap();
    assert_eq!(hold.pairs.len(), 64);
    let error = h.keeper.holds().place(&h.pool, &PlaceHold::new(h.tenant, all(&tables, 0, 30))).await;
    let Err(slotkeeper::Error::Conflict { blockers }) = error else { panic!("{error:?}") };
    assert_eq!(blockers.len(), 64);
    let confirm = ConfirmHold::new(h.tenant, hold.id, fresh_key());
    let decision = h.keeper.bookings().confirm(&h.pool, &confirm).await.unwrap();
    assert!(decision.outcome.is_success());
    assert_eq!((decision.snapshot.allocations.len(), decision.snapshot.resources.len()), (64, 64));
}
