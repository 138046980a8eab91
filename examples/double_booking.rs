//! Two hundred guests ask for one table on one evening, all at the same moment. One gets it.
//!
//! ```text
//! cargo run --example double_booking
//! ```
//!
//! A service needs two things: one call, with a key that names the guest's intention, and one function that turns the
//! answer into a status and a body ([`respond`]). Then: what a retry gets, and what happens to somebody who writes past
//! the library.

#![allow(clippy::print_stdout, reason = "an example shows what happens")]

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Datelike, Months, TimeDelta, Utc};
use deadpool_postgres::{Client, GenericClient, Pool};
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use slotkeeper::{
    Claim, Constraint, Error, ErrorKind, IdempotencyKey, ResourceId, ResourceKind, ResourceName, Slotkeeper,
    TenantId, Window,
    allocation::Blocker,
    booking::BookPlaces,
    confirmation::{Decision, Outcome},
    resource::NewResource,
    violation::Violation,
};
use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use tokio::{sync::Barrier, task::JoinSet};

const GUESTS: usize = 200;
const CONNECTIONS: usize = 50;

#[tokio::main]
async fn main() -> Result<()> {
    let database = kit::database().await?;
    let deadlocks_before = database.deadlocks().await?;
    let pool = database.pool(CONNECTIONS);
    let restaurant = Restaurant::open(&pool).await?;

    // What the service returns: 201 to one guest, 409 to all others, nothing else to anybody.
    let (answers, elapsed) = restaurant.race(&pool).await?;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|(_, response)| response.status == 201);
    ensure!(won.len() == 1, "{} guests were given the table", won.len());
    for (guest, response) in &lost {
        let refused = response.status == 409 && response.body["code"] == "conflict";
        ensure!(refused, "guest {guest} was told {response}");
    }
    let (winner, yes) = won[0];
    let (loser, no) = lost[0];
    println!("guest {winner}: {yes}");
    println!("guest {loser}: {no}");

    // The winner's phone lost the reply and asks again: same key, same answer, no second booking.
    let again = restaurant.ask(&pool, *winner).await?;
    println!("guest {winner}: {again}");
    ensure!(again.replayed && !yes.replayed, "the second answer is not marked as a replay");
    ensure!(again.status == yes.status && again.body == yes.body, "the second answer is another one");

    // A script writes past the library. The constraint does not care who asks.
    let mut client = pool.get().await?;
    let error = restaurant.insert_past_the_library(&client).await.err();
    let error = error.context("the raw insert was accepted")?;
    let violation = Violation::from_error(&error).context("not the violation of a constraint")?;
    let constraint = violation.known().context("not a constraint of the library")?;
    ensure!(constraint == Constraint::AllocationsResourceDuringExcl, "refused by {constraint:?}");
    println!("a script: {} {}: {}", violation.sqlstate().code(), constraint.name(), constraint.rule());

    let (records, overlaps) = restaurant.audit(&mut client).await?;
    ensure!(records == GUESTS as i64, "{records} decisions on record"); // the replay added none
    ensure!(overlaps == 0, "{overlaps} overlaps");

    drop(client);
    let deadlocks = database.deadlocks().await? - deadlocks_before;
    ensure!(deadlocks == 0, "{deadlocks} deadlocks");
    println!(
        "double_booking: tasks={GUESTS} winners={} refused={} replayed=1 records={records} overlaps={overlaps} \
         deadlocks={deadlocks} elapsed_ms={}",
        won.len(),
        lost.len(),
        elapsed.as_millis()
    );
    Ok(())
}

/// What the service sends back over HTTP.
struct Response {
    status: u16,
    /// Sent as a header, so that a repeated request gets the very same body.
    replayed: bool,
    body: Value,
}

/// The whole translation between the library and a protocol.
fn respond(answer: Result<Decision, Error>) -> Response {
    match answer {
        // Decided, and on record under the request's key.
        Ok(decision) => {
            let status = match decision.outcome {
                Outcome::Confirmed => 201,
                Outcome::HoldExpired | Outcome::HoldReleased => 410,
                _ => 409,
            };
            let mut body = json!({ "code": decision.outcome.code(), "booking": decision.booking });
            if let Outcome::Conflict { blockers } = &decision.outcome {
                // A guest may know that the table is taken and when, not by whom or by what.
                body["blockers"] = blockers.iter().map(Blocker::redacted).map(|it| json!(it)).collect();
            }
            Response { status, replayed: decision.is_replay(), body }
        }
        // Not decided: nothing was changed, or, for `OutcomeUnknown` alone, nobody knows and a repeat settles it.
        Err(error) => {
            let status = match error.kind() {
                ErrorKind::Conflict => 409,
                ErrorKind::NotFound => 404,
                ErrorKind::Expired => 410,
                ErrorKind::InvalidInput => 422,
                ErrorKind::Busy | ErrorKind::OutcomeUnknown => 503,
                _ => 500,
            };
            Response { status, replayed: false, body: json!({ "code": error.code() }) }
        }
    }
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let replayed = if self.replayed { " (replayed)" } else { "" };
        write!(f, "{}{replayed} {}", self.status, self.body)
    }
}

/// A restaurant with one table, and the evening everybody wants.
#[derive(Clone)]
struct Restaurant {
    keeper: Slotkeeper,
    tenant: TenantId,
    table: ResourceId,
    evening: Window,
}

impl Restaurant {
    async fn open(pool: &Pool) -> Result<Self> {
        let (keeper, tenant) = (Slotkeeper::new(), TenantId::generate());
        let table = NewResource::new(tenant, ResourceKind::new("table")?, ResourceName::new("Table 1")?);
        let table = keeper.resources().create(pool, &table.parties(1, 4)?).await?.id;
        let evening = Window::starting_at(next_month_at_seven()?, TimeDelta::hours(2))?;

        // Connect and prepare before the doors open, as a service does at start-up: the race is about the table.
        let clients: Vec<Client> = try_join_all((0..CONNECTIONS).map(|_| pool.get())).await?;
        try_join_all(clients.iter().map(|client| keeper.warm(client))).await?;
        Ok(Self { keeper, tenant, table, evening })
    }

    /// One guest asks. This is all a handler does.
    async fn ask(&self, pool: &Pool, guest: usize) -> Result<Response> {
        let key = IdempotencyKey::new(format!("guest-{guest}"))?;
        let request = BookPlaces::new(self.tenant, Claim::one(self.table, self.evening), key);
        Ok(respond(self.keeper.bookings().book(pool, &request).await))
    }

    /// All guests ask at once.
    async fn race(&self, pool: &Pool) -> Result<(Vec<(usize, Response)>, Duration)> {
        let doors = Arc::new(Barrier::new(GUESTS + 1));
        let mut guests = JoinSet::new();
        for guest in 0..GUESTS {
            let (restaurant, pool, doors) = (self.clone(), pool.clone(), doors.clone());
            guests.spawn(async move {
                doors.wait().await;
                anyhow::Ok((guest, restaurant.ask(&pool, guest).await?))
            });
        }
        doors.wait().await;
        let start = Instant::now();
        let answers: Result<Vec<_>> = guests.join_all().await.into_iter().collect();
        Ok((answers?, start.elapsed()))
    }

    /// The same table and evening, written as somebody with `psql` would.
    async fn insert_past_the_library(
        &self,
        db: &impl GenericClient,
    ) -> Result<u64, slotkeeper::tokio_postgres::Error> {
        let insert = "INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
                      VALUES ($1, gen_random_uuid(), $2, $3::tstzrange, 'booked', gen_random_uuid())";
        db.execute(insert, &[&self.tenant, &self.table, &self.evening]).await
    }

    /// How many decisions are on record, and how many pairs of live allocations overlap.
    async fn audit(&self, client: &mut Client) -> Result<(i64, i64)> {
        let records = count(client, "SELECT count(*) FROM slotkeeper.confirmations").await?;
        let overlaps = count(client, OVERLAPS).await?;

        // A check that cannot fail shows nothing: without the constraint the script gets its way and is counted. All of
        // it in a transaction that is rolled back.
        let without = client.transaction().await?;
        let remove = "ALTER TABLE slotkeeper.allocations DROP CONSTRAINT allocations_resource_during_excl";
        without.batch_execute(remove).await?;
        self.insert_past_the_library(&without).await?;
        let planted = count(&without, OVERLAPS).await?;
        without.rollback().await?;
        ensure!(planted == 1, "{planted} overlaps were counted where one was planted");
        Ok((records, overlaps))
    }
}

/// Compares bounds one by one: neither the range operator nor the index that the constraint uses.
const OVERLAPS: &str = "
    SELECT count(*) FROM slotkeeper.allocations a JOIN slotkeeper.allocations b
        ON a.tenant_id = b.tenant_id AND a.resource_id = b.resource_id AND a.id < b.id
       AND lower(a.during) < upper(b.during) AND lower(b.during) < upper(a.during)
     WHERE a.released_at IS NULL AND b.released_at IS NULL";

async fn count(db: &impl GenericClient, query: &str) -> Result<i64> {
    Ok(db.query_one(query, &[]).await?.get(0))
}

/// 19:00 UTC on the fifteenth of next month.
fn next_month_at_seven() -> Result<DateTime<Utc>> {
    let today = DateTime::<Utc>::from(SystemTime::now()).date_naive();
    let day = today.checked_add_months(Months::new(1)).and_then(|day| day.with_day(15));
    let seven = day.and_then(|day| day.and_hms_opt(19, 0, 0)).context("there is a next month")?;
    Ok(seven.and_utc())
}
