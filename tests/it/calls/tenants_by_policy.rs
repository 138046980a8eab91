//! Tenants under row-level security, as a role that owns nothing.

use super::{
    act::Answer,
    refusals::all_refusals,
    stage::*,
    successes::{reads, writes},
};
use crate::support::*;
use deadpool_postgres::Pool;
use slotkeeper::{Slotkeeper, TenantId, booking::*, confirmation::Outcome, migrate::Duty};

/// Policies as `Slotkeeper::with_row_security` words them, on every table with a tenant.
const POLICIES: &str = "DO $$ DECLARE t regclass; BEGIN
    FOR t IN SELECT a.attrelid FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
              WHERE a.attname = 'tenant_id' AND c.relkind = 'r' AND c.relnamespace = 'slotkeeper'::regnamespace LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON %s USING (tenant_id =
            nullif(current_setting(''slotkeeper.tenant_id'', true), '''')::uuid)', t);
    END LOOP; END $$";

/// A house with a second door, for a role with the rights to work and no more.
struct Guarded {
    house: House,
    pool: Pool,
}

impl Guarded {
    async fn open() -> Self {
        let house = House::open().await;
        house.sql(POLICIES).await;
        let pool = house.role(Duty::ALL).await;
        Self { house, pool }
    }
}

/// Scenario 76.
#[tokio::test]
async fn two_tenants_book_the_same_id_and_window_and_neither_sees_the_other() {
    let g = Guarded::open().await;
    let keeper = Slotkeeper::new().with_row_security(true);
    let table = uuid::Uuid::now_v7().into();
    let tenants = [TenantId::generate(), TenantId::generate()];
    let mut bookings = Vec::new();
    for tenant in tenants {
        keeper.resources().create(&g.pool, &resource(tenant).with_id(table)).await.unwrap();
        let book = BookPlaces::new(tenant, one(table, 600, 630), key("the same"));
        let decision = keeper.bookings().book(&g.pool, &book).await.unwrap();
        assert_eq!(decision.outcome, Outcome::Confirmed);
        bookings.push(decision.booking.unwrap());
    }
    assert!(keeper.bookings().find(&g.pool, tenants[0], bookings[0]).await.unwrap().is_some());
    assert!(keeper.bookings().find(&g.pool, tenants[0], bookings[1]).await.unwrap().is_none());
    let mut client = g.pool.get().await.unwrap();
    for table in ["resources", "allocations", "bookings", "confirmations", "outbox"] {
        let raw = format!("SELECT count(*), count(DISTINCT tenant_id) FROM slotkeeper.{table}");
        let count = |row: tokio_postgres::Row| (row.get::<_, i64>(0), row.get::<_, i64>(1));
        // The setting of the calls before is gone: nothing is visible to raw SQL.
        assert_eq!(count(client.query_one(&raw, &[]).await.unwrap()), (0, 0), "{table}");
        let tx = client.transaction().await.unwrap();
        tx.batch_execute(&format!("SET LOCAL slotkeeper.tenant_id = '{}'", tenants[0])).await.unwrap();
        assert_eq!(count(tx.query_one(&raw, &[]).await.unwrap()), (1, 1), "{table}");
        drop(tx);
        // It is the policy that hides: whoever is above it sees both.
        let owner = g.house.pool.get().await.unwrap();
        assert_eq!(count(owner.query_one(&raw, &[]).await.unwrap()), (2, 2), "{table}");
    }
    drop(client);
}

#[tokio::test]
async fn every_call_works_under_the_policies_as_a_role_that_owns_nothing() {
    let g = Guarded::open().await;
    let keeper = Slotkeeper::new().with_row_security(true);
    let stage = Stage::of(&g.house, &keeper, "slotkeeper").await;
    let mut client = g.pool.get().await.unwrap();
    for call in writes().into_iter().chain(reads()) {
        let tx = client.transaction().await.unwrap();
        assert_eq!((call.act)(&stage, &tx).await, Answer::Done, "{}", call.name);
        tx.rollback().await.unwrap();
    }
    drop(client);
    for refusal in all_refusals() {
        assert_eq!((refusal.act)(&stage, &g.pool).await, refusal.answer, "{}", refusal.name);
    }
}

/// A handle that does not announce the tenant finds nothing and can write nothing: forgetting it is not a leak.
#[tokio::test]
async fn without_the_announcement_nothing_is_seen_and_nothing_is_written() {
    let g = Guarded::open().await;
    let stage = Stage::open(&g.house).await;
    let digest = g.house.digest().await;
    for call in reads() {
        let answer = (call.act)(&stage, &g.pool).await;
        let nothing = [Answer::Recorded("nothing"), Answer::Refused("resource_not_found")];
        assert!(nothing.contains(&answer), "{}: {answer:?}", call.name);
    }
    let error = stage.keeper.resources().create(&g.pool, &resource(stage.tenant)).await.unwrap_err();
    assert_eq!((error.code(), error.sqlstate()), ("misconfigured", Some("42501")));
    assert_eq!(g.house.digest().await, digest);
}

#[tokio::test]
async fn every_table_with_a_tenant_is_under_a_policy_in_these_tests() {
    let g = Guarded::open().await;
    let query = "SELECT array_agg(relname::text ORDER BY relname) FROM pg_class
                  WHERE relnamespace = 'slotkeeper'::regnamespace AND relforcerowsecurity";
    let client = g.house.pool.get().await.unwrap();
    let mut tables = TABLES.map(str::to_owned);
    tables.sort();
    assert_eq!(client.query_one(query, &[]).await.unwrap().get::<_, Vec<String>>(0), tables);
    drop(client);
}
