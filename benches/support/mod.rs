//! A house of 100 tables with a past, on a durable server, and places nobody has asked for yet.

use chrono::{DateTime, TimeDelta, Utc};
use deadpool_postgres::Client;
use slotkeeper::{
    Claim, IdempotencyKey, ResourceId, ResourceKind, ResourceName, Slotkeeper, TenantId, Window,
    booking::ConfirmHold, confirmation::Outcome, hold::PlaceHold, resource::NewResource,
};

/// Tables in the house.
pub const TABLES: usize = 100;

pub struct House {
    pub db: kit::Database,
    pub client: Client,
    pub keeper: Slotkeeper,
    pub tenant: TenantId,
    pub tables: Vec<ResourceId>,
    next: usize,
}

impl House {
    /// One connection, every statement prepared, `rows` past bookings, statistics up to date.
    pub async fn open(rows: i64, synchronous_commit: bool) -> Self {
        let db = kit::durable_database().await.expect("a database");
        if !synchronous_commit {
            let sql = format!("ALTER DATABASE {} SET synchronous_commit = off", db.name());
            db.client().await.expect("a client").batch_execute(&sql).await.expect("a setting");
        }
        let keeper = Slotkeeper::new();
        let client = db.pool(2).get().await.expect("a connection");
        let tenant = TenantId::generate();
        let mut tables = Vec::new();
        for n in 0..TABLES {
            let kind = ResourceKind::new("table").expect("a kind");
            let new =
                NewResource::new(tenant, kind, ResourceName::new(format!("table {n}")).expect("a name"));
            tables.push(keeper.resources().create(&client, &new).await.expect("a table").id);
        }
        let past = "INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
             SELECT $1, gen_random_uuid(), ($2::uuid[])[1 + g % cardinality($2::uuid[])],
                    tstzrange(t, t + interval '90 min'), 'booked', gen_random_uuid()
               FROM generate_series(0, $3::bigint - 1) g, LATERAL (
                    SELECT timestamptz '2001-01-01' + g / cardinality($2::uuid[]) * interval '2 h' AS t) w";
        client.execute(past, &[&tenant, &tables, &rows]).await.expect("a past");
        let mut house = Self { db, client, keeper, tenant, tables, next: 0 };
        house.live_a_little(if only_checking() { 10 } else { 1_000 }).await;
        // A plan made for an empty table would read the whole of it; a house in use has statistics.
        house.client.batch_execute("VACUUM ANALYZE").await.expect("statistics");
        house.keeper.warm(&house.client).await.expect("a warm cache");
        house
    }

    /// Fills every table a little.
    async fn live_a_little(&mut self, times: usize) {
        for _ in 0..times {
            let hold = PlaceHold::new(self.tenant, self.claim(2));
            let hold = self.keeper.holds().place(&self.client, &hold).await.expect("a free place").id;
            let confirm = ConfirmHold::new(self.tenant, hold, fresh_key());
            let decision = self.keeper.bookings().confirm(&self.client, &confirm).await.expect("a decision");
            assert_eq!(decision.outcome, Outcome::Confirmed);
        }
    }

    /// The next free 90 minutes on the next table, round the house.
    pub fn place(&mut self) -> (ResourceId, Window) {
        let n = self.next;
        self.next += 1;
        let turn = i64::try_from(n / TABLES).expect("a small number");
        let start: DateTime<Utc> = DateTime::from_timestamp(1_893_456_000, 0).expect("2030");
        let window = Window::starting_at(start + TimeDelta::minutes(120 * turn), TimeDelta::minutes(90));
        (self.tables[n % TABLES], window.expect("a window"))
    }

    /// The next free 90 minutes on `count` tables at once.
    pub fn claim(&mut self, count: usize) -> Claim {
        // From the start of a turn nobody has touched.
        self.next = self.next.div_ceil(TABLES) * TABLES;
        let (_, window) = self.place();
        self.next = self.next.div_ceil(TABLES) * TABLES;
        let tables: Vec<ResourceId> = (0..count).map(|n| self.tables[n]).collect();
        Claim::all(tables, window).expect("a claim")
    }
}

pub fn fresh_key() -> IdempotencyKey {
    IdempotencyKey::new(uuid::Uuid::now_v7().to_string()).expect("a key")
}

/// Whether Criterion only checks that the bench runs (`cargo bench -- --test`, `cargo test --benches`).
pub fn only_checking() -> bool {
    std::env::args().any(|arg| arg == "--test") || !std::env::args().any(|arg| arg == "--bench")
}

/// Past rows, from `SLOTKEEPER_BENCH_ROWS` or 100,000; few when only checking.
pub fn rows() -> i64 {
    let asked = std::env::var("SLOTKEEPER_BENCH_ROWS").ok().and_then(|rows| rows.parse().ok());
    if only_checking() { 1_000 } else { asked.unwrap_or(100_000) }
}
