//! What is shown to customers: the availability cache and the ledger of offered slots.

mod bounds;
mod cache;
mod freshness;
mod ledger;
mod plans;
mod prune;
mod races;

use crate::support::*;
use chrono::{DateTime, TimeDelta, Utc};
use slotkeeper::{
    availability_cache::{Availability, CacheBody, FailureCode, MaxAge, RefreshAvailability},
    offer::{ListOffers, OfferSource, OfferedSlot, RecordOffers},
};

/// Longer than any test takes.
fn an_hour() -> MaxAge {
    MaxAge::new(TimeDelta::hours(1)).unwrap()
}

fn body(n: usize) -> CacheBody {
    CacheBody::new(serde_json::json!({ "n": n })).unwrap()
}

fn code(text: &str) -> FailureCode {
    FailureCode::new(text).unwrap()
}

async fn look(h: &House, source: OfferSource) -> Availability {
    h.keeper.availability_cache().find(&h.pool, h.tenant, source, an_hour()).await.unwrap()
}

/// Keeps `body(n)`, begun at an instant.
async fn keep(h: &House, source: OfferSource, began: DateTime<Utc>, n: usize) -> bool {
    let refresh = RefreshAvailability::new(h.tenant, source, began, body(n)).unwrap();
    h.keeper.availability_cache().refresh(&h.pool, &refresh).await.unwrap()
}

async fn record(h: &House, source: OfferSource, minutes: &[i64]) -> u64 {
    let slots = minutes.iter().map(|minute| at(*minute));
    let request = RecordOffers::new(h.tenant, source, slots).unwrap();
    h.keeper.offers().record(&h.pool, &request).await.unwrap()
}

/// The slots of a whole day.
async fn listed(h: &House, source: OfferSource) -> Vec<OfferedSlot> {
    let list = ListOffers::new(h.tenant, source, window(0, 1440)).limit(1_000).unwrap();
    h.keeper.offers().list(&h.pool, &list).await.unwrap()
}

/// Minute and count of each.
async fn counts(h: &House, source: OfferSource) -> Vec<(i64, i64)> {
    let minute = |slot: &OfferedSlot| (slot.starts_at - at(0)).num_minutes();
    listed(h, source).await.iter().map(|slot| (minute(slot), slot.offered)).collect()
}
