//! A house with a past on a server of its own flavour, and places nobody has asked for yet.

use super::{Party, Past, Shape, fresh_key, only_checking, past::opening};
use chrono::TimeDelta;
use deadpool_postgres::Client;
use futures_util::pin_mut;
use slotkeeper::{
    AllocationId, Claim, ClaimId, ResourceId, Slotkeeper, TenantId, Window, booking::ConfirmHold,
    confirmation::Outcome, hold::PlaceHold,
};
use std::time::{Duration, Instant};
use tokio_postgres::{
    binary_copy::BinaryCopyInWriter,
    types::{ToSql, Type},
};

/// 90 minutes each, between 00:00 and 10:30: outside opening hours, so free on every day of the book.
const NIGHT_TURNS: usize = 7;

pub struct House {
    pub db: kit::Database,
    pub client: Client,
    pub keeper: Slotkeeper,
    pub shape: Shape,
    /// Every table of every tenant.
    pub seats: Vec<(TenantId, ResourceId)>,
    /// How long the last load took.
    pub loading: Duration,
    days: usize,
    next: usize,
}

impl House {
    /// A durable server, one connection, every statement prepared, `rows` live bookings, statistics up to date.
    pub async fn open(rows: usize, synchronous_commit: bool) -> Self {
        let db = kit::durable_database().await.expect("a database");
        if !synchronous_commit {
            let sql = format!("ALTER DATABASE {} SET synchronous_commit = off", db.name());
            db.client().await.expect("a client").batch_execute(&sql).await.expect("a setting");
        }
        let client = db.pool(2).get().await.expect("a connection");
        let shape = Shape::for_rows(rows);
        let seats = seats(&client, shape).await;
        let mut house = Self {
            db,
            client,
            keeper: Slotkeeper::new(),
            shape,
            seats,
            loading: Duration::ZERO,
            days: 1,
            next: 0,
        };
        house.load(rows, false).await;
        house.live_a_little(if only_checking() { 10 } else { 1_000 }).await;
        house.settle().await;
        house
    }

    /// Writes the first `rows` parties of the book; `released` ones are history and in nobody's way.
    pub async fn load(&mut self, rows: usize, released: bool) {
        let sql =
            "COPY slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id, released_at)
                   FROM STDIN (FORMAT binary)";
        let start = Instant::now();
        let sink = self.client.copy_in(sql).await.expect("a copy");
        let types =
            [Type::UUID, Type::UUID, Type::UUID, Type::TSTZ_RANGE, Type::TEXT, Type::UUID, Type::TIMESTAMPTZ];
        let writer = BinaryCopyInWriter::new(sink, &types);
        pin_mut!(writer);
        let gone = released.then(opening);
        let mut past = Past::new(self.shape);
        for Party { tenant, table, window } in past.by_ref().take(rows) {
            let (tenant, table) = self.seats[tenant * self.shape.tables + table];
            let (id, claim) = (AllocationId::generate(), ClaimId::generate());
            let row: [&(dyn ToSql + Sync); 7] = [&tenant, &id, &table, &window, &"booked", &claim, &gone];
            writer.as_mut().write(&row).await.expect("a row");
        }
        writer.finish().await.expect("all rows");
        self.loading = start.elapsed();
        self.days = self.days.max(past.days());
    }

    /// Gives every table of the schema some rows, so that its plans are those of a house in use.
    async fn live_a_little(&mut self, times: usize) {
        for _ in 0..times {
            let (tenant, claim) = self.claim(2);
            let hold = PlaceHold::new(tenant, claim);
            let hold = self.keeper.holds().place(&self.client, &hold).await.expect("a free place").id;
            let confirm = ConfirmHold::new(tenant, hold, fresh_key());
            let decision = self.keeper.bookings().confirm(&self.client, &confirm).await.expect("a decision");
            assert_eq!(decision.outcome, Outcome::Confirmed);
        }
    }

    /// A plan made for an empty table would read the whole of it; a house in use has statistics.
    pub async fn settle(&self) {
        self.client.batch_execute("VACUUM ANALYZE").await.expect("statistics");
        self.client.batch_execute("CHECKPOINT").await.expect("a checkpoint");
        self.keeper.warm(&self.client).await.expect("a warm cache");
    }

    /// The next free 90 minutes, table after table, night after night, amid the parties of the book.
    pub fn place(&mut self) -> (TenantId, ResourceId, Window) {
        let n = self.next;
        self.next += 1;
        let (tenant, table) = self.seats[n % self.seats.len()];
        let turn = n / self.seats.len();
        // Once through the nights of the book, the house opens for more days.
        let (day, night) = (turn / NIGHT_TURNS, turn % NIGHT_TURNS);
        let start = opening() + TimeDelta::days(signed(day)) + TimeDelta::minutes(signed(night) * 90);
        (tenant, table, Window::starting_at(start, TimeDelta::minutes(90)).expect("a window"))
    }

    /// The next free 90 minutes on `count` tables of one tenant at once.
    pub fn claim(&mut self, count: usize) -> (TenantId, Claim) {
        // A group of tables never straddles two tenants.
        let left = self.next % self.shape.tables;
        if left + count > self.shape.tables {
            self.next += self.shape.tables - left;
        }
        let (tenant, _, window) = self.place();
        let first = (self.next - 1) % self.seats.len();
        self.next += count - 1;
        let tables: Vec<ResourceId> = (first..first + count).map(|n| self.seats[n].1).collect();
        (tenant, Claim::all(tables, window).expect("a claim"))
    }

    /// What is in the book: put it next to every figure measured.
    pub async fn describe(&self) -> String {
        let sql = "SELECT count(*), count(*) FILTER (WHERE extract(hour FROM lower(during) AT TIME ZONE 'UTC') = 19)
                     FROM slotkeeper.allocations WHERE extract(hour FROM lower(during) AT TIME ZONE 'UTC') >= 11";
        let row = self.client.query_one(sql, &[]).await.expect("counts");
        let (parties, peak): (i64, i64) = (row.get(0), row.get(1));
        let Shape { name, tenants, tables, .. } = self.shape;
        format!(
            "house {name}: {tenants} tenants x {tables} tables x {} days, {parties} parties, {} % in the peak hour, \
             {:.1} turns a day",
            self.days,
            peak * 100 / parties,
            parties as f64 / (tenants * tables * self.days) as f64
        )
    }
}

/// Writes the house's tables, in one statement: creating 40,000 through the library is not what is measured.
async fn seats(client: &Client, shape: Shape) -> Vec<(TenantId, ResourceId)> {
    let tenants: Vec<TenantId> = (0..shape.tenants).map(|_| TenantId::generate()).collect();
    let seats: Vec<_> = tenants
        .iter()
        .flat_map(|tenant| (0..shape.tables).map(|_| (*tenant, ResourceId::generate())))
        .collect();
    let (of, ids): (Vec<TenantId>, Vec<ResourceId>) = seats.iter().copied().unzip();
    let sql = "INSERT INTO slotkeeper.resources
                      (tenant_id, id, kind, name, capacity, min_party, attributes, active, revision)
               SELECT tenant, id, 'table', 'table', 4, 1, '{}', true, 1
                 FROM unnest($1::uuid[], $2::uuid[]) AS seat (tenant, id)";
    client.execute(sql, &[&of, &ids]).await.expect("tables");
    seats
}

fn signed(n: usize) -> i64 {
    i64::try_from(n).expect("a small number")
}
