//! A tenant with one of everything: every call finds something to succeed on, and something that refuses it.

use crate::support::*;
use chrono::{DateTime, TimeDelta, Utc};
use slotkeeper::{
    Actor, BlackoutId, BookingId, Claim, CustomerRef, EventId, HoldId, HoldPolicy, IdempotencyKey, Reference,
    ResourceId, Slotkeeper, TenantId,
    allocation::Block,
    availability_cache::{CacheBody, FailureCode, MaxAge, RefreshAvailability},
    booking::*,
    hold::*,
    offer::{OfferSource, RecordOffers},
    resource::{NewResource, Resource},
    retention::{Age, RetentionBatch},
};

/// Minutes of the day; nothing of the stage is on `free` resources outside 1200–1400.
pub struct Stage {
    pub keeper: Slotkeeper,
    /// The same with one active hold for each actor.
    pub limited: Slotkeeper,
    pub tenant: TenantId,
    /// Booked 600–660 by `booking`, and 900–930, where `late`'s place was.
    pub taken: ResourceId,
    pub free: [ResourceId; 2],
    /// One of `free`.
    pub resource: Resource,
    pub inactive: ResourceId,
    /// Another tenant's.
    pub foreign: ResourceId,
    /// Confirmed, revision 1, at `taken` 600–660.
    pub booking: BookingId,
    pub cancelled: BookingId,
    /// Waits for 1200–1230.
    pub pending: BookingId,
    /// Active, nobody's, at `resource` 1200–1230.
    pub hold: HoldId,
    /// A minute more than it has.
    pub until: DateTime<Utc>,
    /// Expired, its place at `resource` 1300–1330 still its own.
    pub expired: HoldId,
    /// Expired, its place at `taken` 900–930 booked by somebody.
    pub late: HoldId,
    pub released: HoldId,
    pub consumed: HoldId,
    pub blackout: BlackoutId,
    pub events: Vec<EventId>,
    /// Used once with every recorded call.
    pub used: IdempotencyKey,
}

impl Stage {
    pub async fn open(house: &House) -> Self {
        Self::of(house, &house.keeper, "slotkeeper").await
    }

    pub async fn of(house: &House, keeper: &Slotkeeper, schema: &str) -> Self {
        let (tenant, db, k) = (TenantId::generate(), &house.pool, keeper);
        let mut made = Vec::new();
        for tenant in [tenant, tenant, tenant, tenant, TenantId::generate()] {
            made.push(k.resources().create(db, &resource(tenant)).await.unwrap());
        }
        let [taken, first, second, inactive, foreign] = [0, 1, 2, 3, 4].map(|n: usize| made[n].id);
        let place = |r, from, to| PlaceHold::new(tenant, one(r, from, to));
        let book = |r, from, to, k| BookPlaces::new(tenant, one(r, from, to), k);
        k.resources().deactivate(db, tenant, inactive).await.unwrap();
        k.resources().create(db, &resource(tenant).reference(reference("taken"))).await.unwrap();

        let used = key("used");
        let details = BookingDetails::new().reference(reference("taken"));
        let booking = k.bookings().book(db, &book(taken, 600, 660, used.clone()).details(details)).await;
        let cancelled = k.bookings().book(db, &book(taken, 700, 730, fresh_key())).await;
        let cancelled = cancelled.unwrap().booking.unwrap();
        let to = MoveBooking::new(tenant, cancelled, 1, one(taken, 700, 720), used.clone());
        assert!(k.bookings().move_to(db, &to).await.unwrap().outcome.is_success());
        let cancel = CancelBooking::new(tenant, cancelled, used.clone());
        assert!(k.bookings().cancel(db, &cancel).await.unwrap().outcome.is_success());
        let nobody = EraseCustomer::new(tenant, customer("nobody"), used.clone());
        assert!(k.bookings().erase(db, &nobody).await.unwrap().outcome.is_success());
        let pending =
            k.bookings().request(db, &RequestBooking::new(tenant, window(1200, 1230))).await.unwrap();

        let hold = place(first, 1200, 1230).reference(reference("taken"));
        let hold = k.holds().place(db, &hold).await.unwrap();
        let expired = k.holds().place(db, &place(first, 1300, 1330)).await.unwrap().id;
        let late = k.holds().place(db, &place(taken, 900, 930)).await.unwrap().id;
        expire(house, schema, &[expired, late]).await;
        assert!(
            k.bookings().book(db, &book(taken, 900, 930, fresh_key())).await.unwrap().outcome.is_success()
        );
        let released = k.holds().place(db, &place(taken, 1000, 1030)).await.unwrap().id;
        k.holds().release(db, &ReleaseHold::new(tenant, released)).await.unwrap();
        let consumed = k.holds().place(db, &place(taken, 1100, 1130)).await.unwrap().id;
        let confirm = ConfirmHold::new(tenant, consumed, used.clone());
        assert!(k.bookings().confirm(db, &confirm).await.unwrap().outcome.is_success());
        let limited = k.clone().with_hold_policy(HoldPolicy::new().active_per_actor(1));
        limited.holds().place(db, &place(taken, 1300, 1330).actor(actor("busy"))).await.unwrap();
        let blackout = Block::new(tenant, one(taken, 1400, 1430));
        k.availability_cache().refresh(db, &refresh(tenant, OfferSource::Default)).await.unwrap();
        k.offers().record(db, &offers(tenant)).await.unwrap();
        past(house, keeper, schema, tenant, second).await;
        Self {
            limited,
            tenant,
            taken,
            free: [first.min(second), first.max(second)],
            resource: made.swap_remove(1),
            inactive,
            foreign,
            booking: booking.unwrap().booking.unwrap(),
            cancelled,
            pending,
            hold: hold.id,
            until: hold.expires_at + TimeDelta::minutes(1),
            expired,
            late,
            released,
            consumed,
            blackout: k.allocations().block(db, &blackout).await.unwrap(),
            events: k.outbox().list(db, tenant, 100).await.unwrap().iter().map(|event| event.id).collect(),
            used,
            keeper: keeper.clone(),
        }
    }

    pub fn place(&self, claim: Claim) -> PlaceHold {
        PlaceHold::new(self.tenant, claim)
    }

    pub fn replace(&self, old: HoldId, claim: Claim) -> ReplaceHold {
        ReplaceHold::new(old, self.place(claim))
    }

    pub fn book(&self, claim: Claim) -> BookPlaces {
        BookPlaces::new(self.tenant, claim, fresh_key())
    }

    pub fn confirm(&self, hold: HoldId) -> ConfirmHold {
        ConfirmHold::new(self.tenant, hold, fresh_key())
    }

    pub fn cancel(&self, booking: BookingId) -> CancelBooking {
        CancelBooking::new(self.tenant, booking, fresh_key())
    }

    pub fn to(&self, booking: BookingId, revision: i32, claim: Claim) -> MoveBooking {
        MoveBooking::new(self.tenant, booking, revision, claim, fresh_key())
    }

    pub fn block(&self, claim: Claim) -> Block {
        Block::new(self.tenant, claim)
    }

    pub fn refresh(&self, source: OfferSource) -> RefreshAvailability {
        refresh(self.tenant, source)
    }

    pub fn offers(&self) -> RecordOffers {
        offers(self.tenant)
    }

    pub fn old(&self) -> RetentionBatch {
        old(self.tenant)
    }

    pub fn extend(&self, hold: HoldId) -> ExtendHold {
        ExtendHold::new(self.tenant, hold, self.until).unwrap()
    }
}

/// Makes holds expire a millisecond ago, past the library.
pub async fn expire(house: &House, schema: &str, holds: &[HoldId]) {
    let client = house.pool.get().await.unwrap();
    for (table, column) in [("holds", "id"), ("allocations", "claim_id")] {
        let sql = format!(
            "UPDATE {schema}.{table} SET expires_at = statement_timestamp() - interval '1 ms' WHERE {column} = ANY ($1)"
        );
        client.execute(&sql, &[&holds]).await.unwrap();
    }
}

/// Begun in the future, and so now.
fn refresh(tenant: TenantId, source: OfferSource) -> RefreshAvailability {
    let body = CacheBody::new(serde_json::json!({ "free": [1] })).unwrap();
    RefreshAvailability::new(tenant, source, at(0), body).unwrap()
}

/// Ten years, in minutes.
const LONG_AGO: i64 = 5_256_000;

/// A booking that is over, and a hold, a request and a record that nobody has touched for long.
async fn past(house: &House, k: &Slotkeeper, schema: &str, tenant: TenantId, resource: ResourceId) {
    let (db, ago) = (&house.pool, -LONG_AGO);
    let book = BookPlaces::new(tenant, one(resource, ago, ago + 30), fresh_key());
    k.bookings().book(db, &book).await.unwrap().into_result().unwrap();
    let hold = PlaceHold::new(tenant, one(resource, ago + 60, ago + 90));
    let hold = k.holds().place(db, &hold).await.unwrap().id;
    k.holds().release(db, &ReleaseHold::new(tenant, hold)).await.unwrap();
    let request = RequestBooking::new(tenant, window(ago, ago + 30));
    let request = k.bookings().request(db, &request).await.unwrap();
    let back = "- interval '40 days'";
    house
        .sql(&format!(
            "UPDATE {schema}.holds SET placed_at = placed_at {back}, expires_at = expires_at {back} WHERE id = '{hold}';
             UPDATE {schema}.bookings SET updated_at = updated_at {back} WHERE id = '{request}';
             UPDATE {schema}.confirmations SET decided_at = decided_at {back} WHERE tenant_id = '{tenant}'
                AND operation = 'erase'"
        ))
        .await;
}

/// Everything that has been over for a week.
pub fn old(tenant: TenantId) -> RetentionBatch {
    RetentionBatch::new(tenant, Age::days(7).unwrap())
}

fn offers(tenant: TenantId) -> RecordOffers {
    RecordOffers::new(tenant, OfferSource::Default, [at(0), at(30), at(0), at(-LONG_AGO)]).unwrap()
}

pub fn failure() -> FailureCode {
    FailureCode::new("calendar_down").unwrap()
}

pub fn max_age() -> MaxAge {
    MaxAge::new(TimeDelta::days(1)).unwrap()
}

pub fn resource(tenant: TenantId) -> NewResource {
    NewResource::new(tenant, kind("table"), name("a table"))
}

pub fn reference(text: &str) -> Reference {
    Reference::new(text).unwrap()
}

pub fn details() -> BookingDetails {
    BookingDetails::new().reference(reference("new"))
}

pub fn taken_details() -> BookingDetails {
    BookingDetails::new().reference(reference("taken"))
}

pub fn actor(text: &str) -> Actor {
    Actor::new(text).unwrap()
}

pub fn customer(text: &str) -> CustomerRef {
    CustomerRef::new(text).unwrap()
}
