//! Limits are checked before anything is sent.

use super::*;
use OfferSource::Default;
use serde_json::json;
use slotkeeper::{InvalidInput, TenantId, offer::PruneOffers};

const T: TenantId = TenantId::SINGLE;

#[test]
fn a_batch_has_1_to_1000_slots_that_can_be_stored() {
    let record = |slots: Vec<DateTime<Utc>>| RecordOffers::new(T, Default, slots).err();
    let outside = Some(InvalidInput::OutOfRange { field: "slots", min: 1, max: 1_000 });
    assert_eq!(record(vec![]), outside);
    assert_eq!(record(vec![at(0)]), None);
    assert_eq!(record(vec![at(0); 1_000]), None);
    assert_eq!(record(vec![at(0); 1_001]), outside, "repetitions count");
    assert_eq!(RecordOffers::new(T, Default, std::iter::repeat(at(0))).err(), outside, "even without end");
    assert_eq!(record(vec![at(0), at(0) + TimeDelta::nanoseconds(1)]), Some(InvalidInput::Instant));
    assert_eq!(record(vec![DateTime::<Utc>::MAX_UTC]), Some(InvalidInput::Instant));
}

#[test]
fn pages_and_instants_have_limits() {
    let limit = Some(InvalidInput::OutOfRange { field: "limit", min: 1, max: 1_000 });
    for (rows, error) in [(0, limit), (1, None), (1_000, None), (1_001, limit)] {
        assert_eq!(ListOffers::new(T, Default, window(0, 1)).limit(rows).err(), error);
        assert_eq!(PruneOffers::new(T, at(0)).unwrap().limit(rows).err(), error);
    }
    let far = DateTime::<Utc>::MAX_UTC;
    assert_eq!(PruneOffers::new(T, far).err(), Some(InvalidInput::Instant));
    assert_eq!(RefreshAvailability::new(T, Default, far, body(1)).err(), Some(InvalidInput::Instant));
}

#[test]
fn ages_codes_and_bodies_have_limits() {
    for (seconds, ok) in [(0, false), (1, true), (2_592_000, true), (2_592_001, false)] {
        assert_eq!(MaxAge::new(TimeDelta::seconds(seconds)).is_ok(), ok, "{seconds}");
    }
    let code = |text: &str| FailureCode::new(text).err();
    assert_eq!((code("a"), code(&"x_9".repeat(13))), (None, None));
    for bad in ["", "Ada Lovelace", "down!", "é", "UP", &"x".repeat(41)] {
        assert_eq!(code(bad), Some(InvalidInput::FailureCode), "{bad}");
    }
    let body = |value| CacheBody::new(value).err();
    assert_eq!(body(json!([1])), Some(InvalidInput::Json { field: "body" }));
    assert_eq!(body(json!({"a": "\0"})), Some(InvalidInput::Json { field: "body" }));
    assert_eq!(body(json!({ "a": "x".repeat(CacheBody::LIMIT - 8) })), None);
    let beyond = Some(InvalidInput::TooLong { field: "body", limit: 262_144 });
    assert_eq!(body(json!({ "a": "x".repeat(CacheBody::LIMIT - 7) })), beyond);
}

#[tokio::test]
async fn everything_at_its_limit_is_stored_and_comes_back() {
    let h = House::open().await;
    let full = CacheBody::new(json!({ "a": "x".repeat(CacheBody::LIMIT - 8) })).unwrap();
    let cache = h.keeper.availability_cache();
    let refresh = RefreshAvailability::new(h.tenant, Default, at(0), full.clone()).unwrap();
    cache.refresh(&h.pool, &refresh).await.unwrap();
    cache.fail(&h.pool, h.tenant, Default, &code(&"x".repeat(40))).await.unwrap();
    let found = look(&h, Default).await;
    assert_eq!(found.body.as_ref(), Some(full.as_value()));
    assert_eq!(found.last_error, Some("x".repeat(40)));
    let minutes: Vec<i64> = (0..1_000).rev().collect();
    assert_eq!(record(&h, Default, &minutes).await, 1_000);
    assert_eq!(listed(&h, Default).await.len(), 1_000);
    let edges: Vec<DateTime<Utc>> =
        ["1970-01-01T00:00:00Z", "2200-01-01T00:00:00Z"].map(|text| text.parse().unwrap()).to_vec();
    let request = RecordOffers::new(h.tenant, Default, edges).unwrap();
    assert_eq!(h.keeper.offers().record(&h.pool, &request).await.unwrap(), 2);
}

#[test]
fn debug_shows_no_body() {
    assert_eq!(format!("{:?}", body(7)), "CacheBody(1 keys)");
}
