//! Values that cannot be sent, and what is sent in spite of looking odd.

use super::stage::{Stage, actor};
use crate::support::*;
use chrono::{TimeDelta, Utc};
use kit::proxy::Proxy;
use serde_json::json;
use slotkeeper::{
    Actor, Claim, Error, HoldPolicy, IdempotencyKey, InvalidInput, JsonObject, Price, ResourceId,
    TimeZoneName, Ttl, booking::*, hold::*,
};

#[test]
fn a_claim_has_1_to_64_resources_and_no_duplicates() {
    let ids: Vec<ResourceId> = (0..65).map(|_| ResourceId::generate()).collect();
    assert_eq!(Claim::all([], window(0, 30)), Err(InvalidInput::NoResources));
    assert_eq!(Claim::all(ids.clone(), window(0, 30)), Err(InvalidInput::TooManyResources { limit: 64 }));
    assert!(
        Claim::all(std::iter::repeat_with(ResourceId::generate), window(0, 30)).is_err(),
        "even without end"
    );
    assert_eq!(Claim::all([ids[0], ids[0]], window(0, 30)), Err(InvalidInput::ClaimOverlapsItself));
}

#[test]
fn times_to_live_and_instants_have_limits() {
    let s = TimeDelta::seconds;
    for (length, ok) in [(0, false), (-1, false), (1, true), (30 * 86_400, true), (30 * 86_400 + 1, false)] {
        assert_eq!(Ttl::new(s(length)).is_ok(), ok, "{length}");
    }
    assert_eq!(Ttl::new(TimeDelta::zero()), Err(InvalidInput::Ttl));
    let life = |length| HoldPolicy::new().longest_life(length).is_ok();
    assert!(life(s(1)) && life(TimeDelta::days(400)));
    assert!(!life(TimeDelta::zero()) && !life(TimeDelta::days(400) + s(1)));
    let h = (slotkeeper::TenantId::SINGLE, slotkeeper::HoldId::generate());
    let extend = |until| ExtendHold::new(h.0, h.1, until).err();
    assert_eq!(extend(at(0) + TimeDelta::nanoseconds(1)), Some(InvalidInput::Instant));
    assert_eq!(extend(chrono::DateTime::<Utc>::MAX_UTC), Some(InvalidInput::Instant));
    assert_eq!(extend(at(0)), None);
}

#[test]
fn json_that_would_not_come_back_the_same_is_refused() {
    let new = |value| JsonObject::new(value).err();
    let nested = |depth| (0..depth).fold(json!(1), |inner, _| json!({ "a": inner }));
    let json = Some(InvalidInput::Json { field: "json" });
    assert_eq!(new(nested(31)), None);
    assert_eq!(new(nested(32)), json);
    assert_eq!(new(nested(120)), json);
    for bad in [json!({"a": "\0"}), json!({"\0": 1}), json!([1]), json!("text"), json!(null)] {
        assert_eq!(new(bad), json);
    }
    // `numeric` writes all the digits, and has no negative zero.
    for bad in [1e308, -1e308, 1e-300, 9e-7, -0.0, 1e16].map(|number| json!({ "a": [number] })) {
        assert_eq!(new(bad.clone()), json, "{bad}");
    }
    for good in
        [json!([0.0, 0.1, -0.1, 1e-6, 9e15]), json!([u64::MAX, i64::MIN])].map(|all| json!({ "a": all }))
    {
        assert_eq!(new(good.clone()), None, "{good}");
    }
}

/// What is accepted comes back the same, and a repeat is known for one.
#[tokio::test]
async fn accepted_json_is_stored_as_it_is() {
    let h = House::open().await;
    let mut values = vec![
        json!({}),
        json!({"a": [0.1, 1.0, 100.0, u64::MAX, i64::MIN, 1e-6, 0.0, 9e15, 123_456_789_012_345.6, true, null, "\u{1}\"\\ü"]}),
        json!({"deep": (0..30).fold(json!(1), |inner, _| json!({ "a": inner }))}),
    ];
    // As long as allowed, and of the kinds that grow most when stored: spaces and zeros are added.
    values.extend([json!({ "a": vec![1; 4_092] }), json!({ "a": vec![1e-6; 1_637] })]);
    assert!(values[3..].iter().all(|value| value.to_string().len() > JsonObject::LIMIT - 6));
    for value in values {
        let details = BookingDetails::new().metadata(JsonObject::new(value).unwrap());
        let request = RequestBooking::new(h.tenant, window(0, 30)).details(details.clone());
        let id = h.keeper.bookings().request(&h.pool, &request).await.unwrap();
        let found = h.keeper.bookings().find(&h.pool, h.tenant, id).await.unwrap().unwrap();
        assert_eq!(found.details, details);
        assert_eq!(h.keeper.bookings().request(&h.pool, &request).await.unwrap(), id, "a repeat is a repeat");
    }
}

#[test]
fn control_characters_currencies_and_zones_are_checked() {
    for bad in ["", "a\0b", "a\nb", "\u{7f}", "\u{9f}"] {
        assert!(IdempotencyKey::new(bad).is_err() && Actor::new(bad).is_err(), "{bad:?}");
    }
    for bad in ["", "eur", "EURO", "EU", "E1R", "ÄBC"] {
        assert_eq!(Price::new(1, bad).err(), Some(InvalidInput::Currency), "{bad}");
    }
    for bad in ["", "Europe/Lisbon'", "a b", "Ä"] {
        assert_eq!(TimeZoneName::new(bad).err(), Some(InvalidInput::TimeZone), "{bad}");
    }
    assert!(Price::new(i64::MIN, "EUR").is_ok() && TimeZoneName::new("Etc/GMT+12").is_ok());
}

/// The one value that only the call can refuse, because the policy is the handle's.
#[tokio::test]
async fn a_value_the_policy_refuses_is_not_sent() {
    let h = House::open().await;
    let proxy = Proxy::start(&h.db).await.unwrap();
    let stage = Stage::open(&h).await;
    let pool = proxy.pool(1);
    let policy = HoldPolicy::new().longest_life(TimeDelta::minutes(2)).unwrap();
    let keeper = h.keeper.clone().with_hold_policy(policy);
    keeper.warm(&pool).await.unwrap();
    proxy.reset();
    let place = stage.place(one(stage.free[0], 0, 30)).actor(actor("a"));
    let error = keeper.holds().place(&pool, &place).await.unwrap_err();
    assert!(matches!(error, Error::InvalidInput(InvalidInput::HoldLife)), "{error:?}");
    let replace = stage.replace(stage.hold, one(stage.free[0], 0, 30));
    let error = keeper.holds().replace(&pool, &replace).await.unwrap_err();
    assert!(matches!(error, Error::InvalidInput(InvalidInput::HoldLife)), "{error:?}");
    assert_eq!((proxy.round_trips(), proxy.messages().len()), (0, 0));
    let place = place.ttl(Ttl::new(TimeDelta::minutes(2)).unwrap());
    keeper.holds().place(&pool, &place).await.unwrap();
    assert_eq!(proxy.round_trips(), 1, "the proxy sees what is sent");
}

#[tokio::test]
async fn text_that_looks_like_sql_is_text() {
    let h = House::open().await;
    let digest = h.digest().await;
    let odd = "'; DROP TABLE slotkeeper.holds; -- $1 \\ {} %s \u{202e}";
    let table = h.table().await;
    assert_ne!(h.digest().await, digest);
    let place =
        PlaceHold::new(h.tenant, one(table, 0, 30)).actor(actor(odd)).reference(super::stage::reference(odd));
    let hold = h.keeper.holds().place(&h.pool, &place).await.unwrap();
    let found = h.keeper.holds().find(&h.pool, h.tenant, hold.id).await.unwrap().unwrap();
    assert_eq!(found.actor.unwrap().as_str(), odd);
    let confirm = ConfirmHold::new(h.tenant, hold.id, key(odd));
    assert!(h.keeper.bookings().confirm(&h.pool, &confirm).await.unwrap().outcome.is_success());
    assert!(h.keeper.bookings().confirm(&h.pool, &confirm).await.unwrap().is_replay());
}
