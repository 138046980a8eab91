//! A service's own table and the booking's tables commit together, or vanish together.
//!
//! ```text
//! cargo run --example own_transaction
//! ```
//!
//! Every call takes a pool, a client or an open transaction. Given the caller's transaction it is part of it, and a
//! refusal leaves that transaction usable: four acts below, each on one transaction of the service's own.

#![allow(clippy::print_stdout, reason = "an example shows what happens")]

use anyhow::{Result, bail, ensure};
use chrono::DateTime;
use deadpool_postgres::{Pool, Transaction};
use slotkeeper::{
    Claim, Error, IdempotencyKey, ResourceId, ResourceKind, ResourceName, Slotkeeper, TenantId, Window,
    booking::ConfirmHold,
    constraint_map::{ConstraintMap, Unmapped},
    hold::PlaceHold,
    resource::NewResource,
    tokio_postgres,
    uuid::Uuid,
};

/// The service's own schema. A visit may refer to its booking like any row of the service's own.
const VISITS: &str = "
    CREATE SCHEMA app;
    CREATE TABLE app.visits (
        id         uuid PRIMARY KEY,
        guest      text NOT NULL,
        party      integer NOT NULL,
        tenant_id  uuid NOT NULL,
        booking_id uuid,
        CONSTRAINT visits_guest_key UNIQUE (tenant_id, guest),
        CONSTRAINT visits_party_check CHECK (party BETWEEN 1 AND 12),
        CONSTRAINT visits_booking_fkey FOREIGN KEY (tenant_id, booking_id) REFERENCES slotkeeper.bookings (tenant_id, id)
    )";

/// What can go wrong when a guest is seated, in the service's own words.
#[derive(Debug, thiserror::Error)]
enum SeatError {
    /// The transaction is still usable: try another table.
    #[error("the table is taken")]
    TableTaken,
    /// The service's own statement failed, and as ever in PostgreSQL its transaction with it: roll back.
    #[error("the guest has a visit already")]
    ComesAlready,
    /// Likewise.
    #[error("a visit is for 1 to 12 people")]
    PartySize,
    #[error("the hold was not confirmed: {0}")]
    NotConfirmed(&'static str),
    #[error(transparent)]
    Slotkeeper(#[from] Error),
    #[error(transparent)]
    Database(#[from] Unmapped),
}

/// One rule for each constraint of the service's own. What has no rule is never guessed at.
fn constraints() -> Result<ConstraintMap<SeatError>> {
    Ok(ConstraintMap::builder()
        .in_schema("app")
        .exact("visits_guest_key", |_| SeatError::ComesAlready)
        .exact("visits_party_check", |_| SeatError::PartySize)
        .build()?)
}

#[tokio::main]
async fn main() -> Result<()> {
    let database = kit::database().await?;
    let pool = database.pool(4);
    let restaurant = Restaurant::open(&pool).await?;

    // Act 1: both are there.
    let mut client = pool.get().await?;
    let tx = client.transaction().await?;
    let visit = restaurant.greet(&tx, "Ada", 2).await?;
    restaurant.seat(&tx, visit, 0).await?;
    ensure!(restaurant.count(&pool).await? == Counts::of(0), "others see a visit before it is committed");
    tx.commit().await?;
    ensure!(restaurant.count(&pool).await? == Counts::of(1), "a committed visit is incomplete");
    println!("1. Ada is seated at table 1: visit, hold, booking and allocation are committed together");

    // Act 2: table 1 is refused. The visit written before the refusal is still there; the guest takes table 2.
    let tx = client.transaction().await?;
    let visit = restaurant.greet(&tx, "Grace", 2).await?;
    match restaurant.seat(&tx, visit, 0).await {
        Err(SeatError::TableTaken) => println!("2. table 1 is taken; the same transaction tries table 2"),
        other => bail!("table 1 was given away twice: {other:?}"),
    }
    restaurant.seat(&tx, visit, 1).await?;
    tx.commit().await?;
    ensure!(restaurant.count(&pool).await? == Counts::of(2), "the refusal cost the transaction something");

    // Act 3: the service changes its mind. Neither is there, and the table is free again.
    let tx = client.transaction().await?;
    let visit = restaurant.greet(&tx, "Edsger", 2).await?;
    restaurant.seat(&tx, visit, 2).await?;
    tx.rollback().await?;
    ensure!(restaurant.count(&pool).await? == Counts::of(2), "a rollback left something behind");
    println!("3. Edsger leaves before the commit: no visit, no hold, no booking, no allocation");

    // Act 4: the service's own constraints refuse, after a booking was made. All of it goes, and the error is the
    // service's own.
    for (guest, party) in [("Ada", 2), ("Barbara", 13)] {
        let tx = client.transaction().await?;
        let visit = restaurant.greet(&tx, "Edsger", 2).await?;
        restaurant.seat(&tx, visit, 2).await?;
        match (guest, restaurant.greet(&tx, guest, party).await) {
            ("Ada", Err(error @ SeatError::ComesAlready))
            | ("Barbara", Err(error @ SeatError::PartySize)) => {
                println!("4. {guest}, party of {party}: {error}; Edsger's table goes with the transaction");
            }
            (_, other) => bail!("{guest} was answered {other:?}"),
        }
        tx.rollback().await?;
        ensure!(
            restaurant.count(&pool).await? == Counts::of(2),
            "a failed transaction left something behind"
        );
    }

    let Counts { visits, tied, holds, bookings, allocations } = restaurant.count(&pool).await?;
    println!(
        "own_transaction: committed=2 refused=1 rolled_back=1 own_violations=2 visits={visits} tied={tied} \
         holds={holds} bookings={bookings} allocations={allocations}"
    );
    Ok(())
}

struct Restaurant {
    keeper: Slotkeeper,
    constraints: ConstraintMap<SeatError>,
    tenant: TenantId,
    tables: Vec<ResourceId>,
    evening: Window,
}

impl Restaurant {
    async fn open(pool: &Pool) -> Result<Self> {
        pool.get().await?.batch_execute(VISITS).await?;
        let (keeper, tenant) = (Slotkeeper::new(), TenantId::generate());
        let mut tables = Vec::new();
        for name in ["Table 1", "Table 2", "Table 3"] {
            let table = NewResource::new(tenant, ResourceKind::new("table")?, ResourceName::new(name)?);
            tables.push(keeper.resources().create(pool, &table.parties(1, 4)?).await?.id);
        }
        let at = |text| DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
        let evening = Window::new(at("2031-03-01T19:00:00Z")?, at("2031-03-01T21:00:00Z")?)?;
        Ok(Self { keeper, constraints: constraints()?, tenant, tables, evening })
    }

    /// Writes the service's own row.
    async fn greet(&self, tx: &Transaction<'_>, guest: &str, party: i32) -> Result<Uuid, SeatError> {
        let visit = Uuid::now_v7();
        let insert = "INSERT INTO app.visits (id, guest, party, tenant_id) VALUES ($1, $2, $3, $4)";
        let written = tx.execute(insert, &[&visit, &guest, &party, &self.tenant]).await;
        written.map(|_| visit).map_err(|error| self.own_words(error))
    }

    /// Holds a table, confirms it, and ties the visit to the booking.
    async fn seat(&self, tx: &Transaction<'_>, visit: Uuid, table: usize) -> Result<(), SeatError> {
        let claim = Claim::one(self.tables[table], self.evening);
        let hold = match self.keeper.holds().place(tx, &PlaceHold::new(self.tenant, claim)).await {
            Err(Error::Conflict { .. }) => return Err(SeatError::TableTaken),
            answer => answer?,
        };
        // One key for one intention: this hold's confirmation.
        let key = IdempotencyKey::new(hold.id.to_string()).map_err(Error::from)?;
        let decision =
            self.keeper.bookings().confirm(tx, &ConfirmHold::new(self.tenant, hold.id, key)).await?;
        let booking = decision.into_result().map_err(|outcome| SeatError::NotConfirmed(outcome.code()))?;
        let tie = "UPDATE app.visits SET booking_id = $2 WHERE id = $1";
        let tied = tx.execute(tie, &[&visit, &booking]).await;
        tied.map(|_| ()).map_err(|error| self.own_words(error))
    }

    /// The error that the violated constraint stands for.
    fn own_words(&self, error: tokio_postgres::Error) -> SeatError {
        self.constraints.map(error).unwrap_or_else(SeatError::Database)
    }

    /// What is committed, seen from another connection.
    async fn count(&self, pool: &Pool) -> Result<Counts> {
        let query = "SELECT (SELECT count(*) FROM app.visits),
                            (SELECT count(booking_id) FROM app.visits),
                            (SELECT count(*) FROM slotkeeper.holds),
                            (SELECT count(*) FROM slotkeeper.bookings),
                            (SELECT count(*) FROM slotkeeper.allocations)";
        let row = pool.get().await?.query_one(query, &[]).await?;
        let [visits, tied, holds, bookings, allocations] = [0, 1, 2, 3, 4].map(|n| row.get(n));
        Ok(Counts { visits, tied, holds, bookings, allocations })
    }
}

#[derive(Debug, PartialEq)]
struct Counts {
    visits: i64,
    tied: i64,
    holds: i64,
    bookings: i64,
    allocations: i64,
}

impl Counts {
    /// So many visits, each with all that belongs to it.
    fn of(visits: i64) -> Self {
        Self { visits, tied: visits, holds: visits, bookings: visits, allocations: visits }
    }
}
