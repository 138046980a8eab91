//! Decisions of every operation and outcome, made by the library on places of their own.

use super::house::{key, tables, window};
use rand::{Rng, rngs::StdRng};
use slotkeeper::{
    BookingId, Buffers, Claim, CustomerRef, HoldId, Pair, ResourceId, Slotkeeper, TenantId,
    booking::{
        BookPlaces, BookingDetails, CancelBooking, ConfirmHold, EraseCustomer, MoveBooking, RequestBooking,
    },
    chrono::TimeDelta,
    confirmation::Decision,
    hold::{PlaceHold, ReleaseHold, ReplaceHold},
};
use tokio_postgres::Client;

/// Operation, outcome, and which of the ways to it.
pub const KINDS: [(&str, &str, usize); 25] = [
    ("confirm", "confirmed", 0),
    ("confirm", "confirmed", 1),
    ("confirm", "confirmed", 2),
    ("confirm", "confirmed", 3),
    ("confirm", "state_mismatch", 0),
    ("confirm", "state_mismatch", 1),
    ("confirm", "hold_consumed", 0),
    ("confirm", "hold_released", 0),
    ("confirm", "hold_released", 1),
    ("confirm", "window_mismatch", 0),
    ("confirm", "window_mismatch", 1),
    ("confirm", "hold_expired", 0),
    ("confirm", "hold_expired", 1),
    ("confirm", "conflict", 0),
    ("book", "confirmed", 0),
    ("book", "state_mismatch", 0),
    ("book", "window_mismatch", 0),
    ("book", "conflict", 0),
    ("cancel", "cancelled", 0),
    ("cancel", "stale_revision", 0),
    ("move", "moved", 0),
    ("move", "state_mismatch", 0),
    ("move", "stale_revision", 0),
    ("move", "conflict", 0),
    ("erase", "erased", 0),
];

/// One tenant's tables, and where the next decision finds them free.
pub struct Decisions<'a> {
    pub client: &'a Client,
    pub random: StdRng,
    tenant: TenantId,
    tables: Vec<ResourceId>,
    next: i64,
    keeper: Slotkeeper,
}

impl<'a> Decisions<'a> {
    pub async fn open(client: &'a Client, tenant: TenantId, random: StdRng) -> Self {
        let tables = tables(client, tenant, 12).await;
        Self { client, random, tenant, tables, next: 0, keeper: Slotkeeper::new() }
    }

    /// Makes a decision of one kind, and says that it is of that kind.
    pub async fn make(&mut self, (operation, outcome, way): (&str, &str, usize)) {
        // Nothing of an earlier one is within half a day.
        self.next += 1440;
        let decision = match operation {
            "confirm" => self.confirm(outcome, way).await,
            "book" => self.book(outcome).await,
            "cancel" => self.cancel(outcome).await,
            "move" => self.move_to(outcome).await,
            _ => {
                let customer = CustomerRef::new(key().as_str()).unwrap();
                let erase = EraseCustomer::new(self.tenant, customer, key());
                self.keeper.bookings().erase(self.client, &erase).await.unwrap()
            }
        };
        assert_eq!(decision.outcome.code(), outcome, "{operation} {way}");
    }

    async fn confirm(&mut self, outcome: &str, way: usize) -> Decision {
        let claim = self.claim();
        let hold = self.hold(&claim).await;
        let (ask, other) = (ConfirmHold::new(self.tenant, hold, key()), window(0, 17));
        let ask = match (outcome, way) {
            ("confirmed", 1) => ask.for_pending(self.pending(&claim).await).expecting_window(claim.window()),
            ("confirmed", 2) => ask.as_booking(BookingId::generate()),
            // Some of its places may be gone and are claimed anew.
            ("confirmed", 3) => {
                self.expire(hold).await;
                self.sweep(hold, 1).await;
                ask.if_still_free()
            }
            ("state_mismatch", 0) => ask.for_pending(self.booked().await),
            ("state_mismatch", _) => {
                let pending = self.pending(&claim).await;
                ask.as_booking(pending)
            }
            ("hold_consumed", _) => {
                let first = ConfirmHold::new(self.tenant, hold, key());
                assert!(self.decide(&first).await.outcome.is_success());
                ask
            }
            ("hold_released", 0) => {
                let release = ReleaseHold::new(self.tenant, hold);
                self.keeper.holds().release(self.client, &release).await.unwrap();
                ask
            }
            ("hold_released", _) => {
                self.next += 1440;
                let new = PlaceHold::new(self.tenant, self.claim());
                self.keeper.holds().replace(self.client, &ReplaceHold::new(hold, new)).await.unwrap();
                ask.if_still_free()
            }
            ("window_mismatch", 0) => ask.expecting_window(other),
            ("window_mismatch", _) => {
                let pending = RequestBooking::new(self.tenant, other);
                ask.for_pending(self.keeper.bookings().request(self.client, &pending).await.unwrap())
            }
            ("hold_expired", 0) => {
                self.expire(hold).await;
                ask.details(BookingDetails::new().customer(CustomerRef::new("c").unwrap()))
            }
            // Its time is not over yet, and a place of it is gone all the same.
            ("hold_expired", _) => {
                self.sweep(hold, 1).await;
                ask
            }
            ("conflict", _) => {
                self.expire(hold).await;
                let count = self.random.random_range(1..=claim.as_pairs().len());
                self.take(&claim, count).await;
                ask.if_still_free()
            }
            _ => ask,
        };
        let decision = self.decide(&ask).await;
        if (outcome, way) == ("hold_expired", 1) {
            self.expire(hold).await;
        }
        decision
    }

    async fn book(&mut self, outcome: &str) -> Decision {
        let claim = self.claim();
        let ask = BookPlaces::new(self.tenant, claim.clone(), key());
        let ask = match outcome {
            "confirmed" if self.random.random() => ask.for_pending(self.pending(&claim).await),
            "state_mismatch" => ask.for_pending(self.booked().await),
            "window_mismatch" => {
                let pending = RequestBooking::new(self.tenant, window(0, 17));
                ask.for_pending(self.keeper.bookings().request(self.client, &pending).await.unwrap())
            }
            "conflict" => {
                let count = self.random.random_range(1..=claim.as_pairs().len());
                self.take(&claim, count).await;
                if self.random.random() { ask.as_booking(BookingId::generate()) } else { ask }
            }
            _ => ask,
        };
        self.keeper.bookings().book(self.client, &ask).await.unwrap()
    }

    async fn cancel(&mut self, outcome: &str) -> Decision {
        let ask = CancelBooking::new(self.tenant, self.booked().await, key());
        let ask = match outcome {
            "stale_revision" => ask.expecting_revision(7),
            _ if self.random.random() => ask.expecting_revision(1),
            _ => ask,
        };
        self.keeper.bookings().cancel(self.client, &ask).await.unwrap()
    }

    async fn move_to(&mut self, outcome: &str) -> Decision {
        let booking = self.booked().await;
        self.next += 1440;
        let (to, revision) = (self.claim(), if outcome == "stale_revision" { 7 } else { 1 });
        if outcome == "state_mismatch" {
            let cancel = CancelBooking::new(self.tenant, booking, key());
            self.keeper.bookings().cancel(self.client, &cancel).await.unwrap().into_result().unwrap();
        }
        if outcome == "conflict" {
            let count = self.random.random_range(1..=to.as_pairs().len());
            self.take(&to, count).await;
        }
        let ask = MoveBooking::new(self.tenant, booking, revision, to, key());
        self.keeper.bookings().move_to(self.client, &ask).await.unwrap()
    }

    async fn decide(&self, ask: &ConfirmHold) -> Decision {
        self.keeper.bookings().confirm(self.client, ask).await.unwrap()
    }

    /// One to three tables, at one time or each at its own, with buffers or without.
    fn claim(&mut self) -> Claim {
        let (count, first) =
            (self.random.random_range(1..=3), self.random.random_range(0..self.tables.len()));
        let apart = self.random.random_range(0..2);
        let pairs = (0..count).map(|n| {
            let (table, from) = ((first + n) % self.tables.len(), self.next + n as i64 * 50 * apart);
            Pair { resource: self.tables[table], window: window(from, from + 60) }
        });
        let claim = Claim::pairs(pairs.collect::<Vec<_>>()).unwrap();
        let minutes = |n| TimeDelta::minutes(n);
        let buffers = (self.random.random_range(0..3) * 5, self.random.random_range(0..3) * 5);
        claim.with_buffers(Buffers::new(minutes(buffers.0), minutes(buffers.1)).unwrap()).unwrap()
    }

    async fn hold(&self, claim: &Claim) -> HoldId {
        let place = PlaceHold::new(self.tenant, claim.clone());
        self.keeper.holds().place(self.client, &place).await.unwrap().id
    }

    async fn pending(&self, claim: &Claim) -> BookingId {
        let request = RequestBooking::new(self.tenant, claim.window());
        self.keeper.bookings().request(self.client, &request).await.unwrap()
    }

    async fn booked(&mut self) -> BookingId {
        self.next += 1440;
        let ask = BookPlaces::new(self.tenant, self.claim(), key());
        self.keeper.bookings().book(self.client, &ask).await.unwrap().into_result().unwrap()
    }

    /// Somebody books half an hour of some of a claim's places.
    async fn take(&self, claim: &Claim, count: usize) {
        for pair in &claim.as_pairs()[..count] {
            let middle = pair.window.start() + TimeDelta::minutes(15);
            let half = slotkeeper::Window::new(middle, middle + TimeDelta::minutes(30)).unwrap();
            let ask = BookPlaces::new(self.tenant, Claim::one(pair.resource, half), key());
            self.keeper.bookings().book(self.client, &ask).await.unwrap().into_result().unwrap();
        }
    }

    async fn expire(&self, hold: HoldId) {
        let sql = "WITH h AS (UPDATE slotkeeper.holds SET expires_at = placed_at + interval '1 us' WHERE id = $1 RETURNING *)
            UPDATE slotkeeper.allocations a SET expires_at = h.expires_at FROM h WHERE a.claim_id = h.id";
        self.client.execute(sql, &[&hold]).await.unwrap();
    }

    /// Takes some of a hold's places from it, as a sweep or a claim after expiry does.
    async fn sweep(&self, hold: HoldId, count: i64) {
        let sql = "UPDATE slotkeeper.allocations SET released_at = now() WHERE id IN (
            SELECT id FROM slotkeeper.allocations WHERE claim_id = $1 ORDER BY id LIMIT $2)";
        self.client.execute(sql, &[&hold, &count]).await.unwrap();
    }
}
