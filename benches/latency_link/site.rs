//! A house, and a link to it; each write, done `n` times over the link.

use super::support::{House, fresh_key};
use deadpool_postgres::Client;
use kit::proxy::Proxy;
use slotkeeper::{
    AllocationId, Claim, ClaimId, Error, ResourceId, TenantId, Window,
    booking::{BookPlaces, ConfirmHold},
    confirmation::Outcome,
    hold::PlaceHold,
};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    BareInsert,
    Place,
    Confirm,
    Book,
    Replay,
    Refusal,
    Recipe,
}

impl Write {
    pub const ALL: [Self; 7] =
        [Self::BareInsert, Self::Place, Self::Confirm, Self::Book, Self::Replay, Self::Refusal, Self::Recipe];

    pub const fn name(self) -> &'static str {
        match self {
            Self::BareInsert => "bare_insert",
            Self::Place => "place_1",
            Self::Confirm => "confirm_2",
            Self::Book => "book_1",
            Self::Replay => "replay",
            Self::Refusal => "refusal",
            Self::Recipe => "recipe",
        }
    }

    pub const fn round_trips(self) -> u64 {
        match self {
            Self::Recipe => 5,
            _ => 1,
        }
    }
}

pub struct Site {
    pub house: House,
    pub proxy: Proxy,
    client: Client,
    /// Booked before, directly.
    first: BookPlaces,
    taken: (TenantId, ResourceId, Window),
}

impl Site {
    pub async fn open(rows: usize) -> Self {
        let mut house = House::open(rows, true).await;
        let proxy = Proxy::start(&house.db).await.expect("a proxy");
        let client = proxy.pool(1).get().await.expect("a connection");
        house.keeper.warm(&client).await.expect("a warm cache");
        let taken = house.place();
        let first = BookPlaces::new(taken.0, Claim::one(taken.1, taken.2), fresh_key());
        let booked = house.keeper.bookings().book(&house.client, &first).await.expect("a decision");
        assert_eq!(booked.outcome, Outcome::Confirmed);
        Self { house, proxy, client, first, taken }
    }

    /// The median of an empty statement: what the link really costs.
    pub async fn select_1(&self, times: usize) -> Duration {
        let statement = self.client.prepare_cached("SELECT 1").await.expect("a statement");
        let mut took = Vec::with_capacity(times);
        for _ in 0..times {
            let start = Instant::now();
            self.client.query_one(&statement, &[]).await.expect("one row");
            took.push(start.elapsed());
        }
        took.sort();
        took[times / 2]
    }

    pub async fn run(&mut self, write: Write, n: u64) -> Duration {
        match write {
            Write::BareInsert => self.bare_insert(n).await,
            Write::Place => self.place(n).await,
            Write::Confirm => self.confirm(n).await,
            Write::Book => self.book(n).await,
            Write::Replay => self.replay(n).await,
            Write::Refusal => self.refusal(n).await,
            Write::Recipe => self.recipe(n).await,
        }
    }

    fn places(&mut self, n: u64) -> Vec<(TenantId, ResourceId, Window)> {
        (0..n).map(|_| self.house.place()).collect()
    }

    async fn bare_insert(&mut self, n: u64) -> Duration {
        let statement = self.client.prepare_cached(INSERT).await.expect("a statement");
        let places = self.places(n);
        let start = Instant::now();
        for (tenant, table, window) in places {
            let (id, claim) = (AllocationId::generate(), ClaimId::generate());
            let done = self.client.execute(&statement, &[&tenant, &id, &table, &window, &claim]).await;
            assert_eq!(done.expect("a free place"), 1);
        }
        start.elapsed()
    }

    async fn place(&mut self, n: u64) -> Duration {
        let places = self.places(n);
        let start = Instant::now();
        for (tenant, table, window) in places {
            let hold = PlaceHold::new(tenant, Claim::one(table, window));
            self.house.keeper.holds().place(&self.client, &hold).await.expect("a free place");
        }
        start.elapsed()
    }

    /// The holds are placed before, and not over the link.
    async fn confirm(&mut self, n: u64) -> Duration {
        let mut confirms = Vec::new();
        for _ in 0..n {
            let (tenant, claim) = self.house.claim(2);
            let hold = PlaceHold::new(tenant, claim);
            self.house.keeper.holds().place(&self.house.client, &hold).await.expect("a free place");
            confirms.push(ConfirmHold::new(tenant, hold.id(), fresh_key()));
        }
        let start = Instant::now();
        for confirm in confirms {
            let decision = self.house.keeper.bookings().confirm(&self.client, &confirm).await;
            assert_eq!(decision.expect("a decision").outcome, Outcome::Confirmed);
        }
        start.elapsed()
    }

    async fn book(&mut self, n: u64) -> Duration {
        let places = self.places(n);
        let start = Instant::now();
        for (tenant, table, window) in places {
            let book = BookPlaces::new(tenant, Claim::one(table, window), fresh_key());
            let decision = self.house.keeper.bookings().book(&self.client, &book).await;
            assert_eq!(decision.expect("a decision").outcome, Outcome::Confirmed);
        }
        start.elapsed()
    }

    async fn replay(&mut self, n: u64) -> Duration {
        let start = Instant::now();
        for _ in 0..n {
            let decision = self.house.keeper.bookings().book(&self.client, &self.first).await;
            assert!(decision.expect("a decision").is_replay());
        }
        start.elapsed()
    }

    /// By a row committed long before: no race is lost.
    async fn refusal(&mut self, n: u64) -> Duration {
        let (tenant, table, window) = self.taken;
        let start = Instant::now();
        for _ in 0..n {
            let hold = PlaceHold::new(tenant, Claim::one(table, window));
            let refused = self.house.keeper.holds().place(&self.client, &hold).await;
            assert!(matches!(refused, Err(Error::Conflict { blockers }) if blockers.len() == 1));
        }
        start.elapsed()
    }

    async fn recipe(&mut self, n: u64) -> Duration {
        let mut statements = Vec::new();
        for sql in [LOCK, LOOK, INSERT] {
            statements.push(self.client.prepare_cached(sql).await.expect("a statement"));
        }
        let places = self.places(n);
        let start = Instant::now();
        for (tenant, table, window) in places {
            let (id, claim) = (AllocationId::generate(), ClaimId::generate());
            let transaction = self.client.transaction().await.expect("BEGIN");
            transaction.query_one(&statements[0], &[&tenant, &table]).await.expect("a lock");
            let blockers = transaction.query(&statements[1], &[&tenant, &table, &window]).await;
            assert!(blockers.expect("a look").is_empty());
            let done = transaction.execute(&statements[2], &[&tenant, &id, &table, &window, &claim]).await;
            assert_eq!(done.expect("a free place"), 1);
            transaction.commit().await.expect("COMMIT");
        }
        start.elapsed()
    }
}

const LOCK: &str = "SELECT id FROM slotkeeper.resources WHERE tenant_id = $1 AND id = $2 FOR UPDATE";
const LOOK: &str = "SELECT id FROM slotkeeper.allocations
    WHERE tenant_id = $1 AND resource_id = $2 AND during && $3::tstzrange AND released_at IS NULL AND NOT shadow";
const INSERT: &str =
    "INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id, expires_at)
     VALUES ($1, $2, $3, $4::tstzrange, 'held', $5, statement_timestamp() + interval '180 s')";
