//! A database that is not set up for the library, or not there: each says so in its own way.

use super::{
    act::Answer,
    stage::{Stage, resource},
    state::{VISITS, visit, visits},
    successes::{reads, writes},
};
use crate::support::*;
use deadpool_postgres::{Manager, Pool, Runtime};
use kit::proxy::Proxy;
use slotkeeper::{Error, ErrorKind, Retry, Slotkeeper};
use std::time::Duration;
use tokio_postgres::{Config, NoTls};

fn pool(config: Config) -> Pool {
    let manager = Manager::new(config, NoTls);
    Pool::builder(manager).max_size(2).runtime(Runtime::Tokio1).build().unwrap()
}

async fn every_call_is(stage: &Stage, db: &dyn slotkeeper::Executor, answer: Answer) {
    for call in writes().into_iter().chain(reads()) {
        assert_eq!((call.act)(stage, db).await, answer, "{}", call.name);
    }
}

#[tokio::test]
async fn a_database_without_the_schema_is_misconfigured() {
    let h = House::open().await;
    let stage = Stage::open(&h).await;
    let empty = kit::empty_database().await.unwrap();
    let pool = empty.pool(2);
    let error = h.keeper.warm(&pool).await.unwrap_err();
    assert_eq!((error.kind(), error.sqlstate()), (ErrorKind::Misconfigured, Some("42P01")));
    assert_eq!(error.retry(), Retry::Never);
    every_call_is(&stage, &pool, Answer::Refused("misconfigured")).await;
    every_call_is(&stage, &empty.client().await.unwrap(), Answer::Refused("misconfigured")).await;
}

#[tokio::test]
async fn a_role_without_rights_is_misconfigured_and_one_that_may_only_read_reads() {
    let h = House::open().await;
    let stage = Stage::open(&h).await;
    let role = format!("{}_guest", h.db.name());
    h.sql(&format!("CREATE ROLE {role} LOGIN")).await;
    let mut config = h.db.config();
    config.user(&role);
    let guest = pool(config);
    let digest = h.digest().await;
    assert_eq!(h.keeper.warm(&guest).await.unwrap_err().sqlstate(), Some("42501"));
    every_call_is(&stage, &guest, Answer::Refused("misconfigured")).await;
    h.sql(&format!("GRANT USAGE ON SCHEMA slotkeeper TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA slotkeeper TO {role}")).await;
    for read in reads() {
        assert_eq!((read.act)(&stage, &guest).await, Answer::Done, "{}", read.name);
    }
    for write in writes() {
        assert_eq!((write.act)(&stage, &guest).await, Answer::Refused("misconfigured"), "{}", write.name);
    }
    assert_eq!(h.digest().await, digest);
    guest.close();
    h.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn a_session_that_may_only_read_says_so() {
    let h = House::open().await;
    let stage = Stage::open(&h).await;
    let mut config = h.db.config();
    config.options("-c default_transaction_read_only=on");
    let pool = pool(config);
    let digest = h.digest().await;
    for read in reads() {
        assert_eq!((read.act)(&stage, &pool).await, Answer::Done, "{}", read.name);
    }
    for write in writes() {
        assert_eq!((write.act)(&stage, &pool).await, Answer::Refused("read_only"), "{}", write.name);
    }
    let error = h.keeper.resources().create(&pool, &resource(h.tenant)).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Misconfigured, Retry::After));
    assert_eq!(h.digest().await, digest);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_and_a_wrong_door_is_misconfigured() {
    let h = House::open().await;
    let stage = Stage::open(&h).await;
    let (mut nowhere, mut database, mut role) = (Config::new(), h.db.config(), h.db.config());
    // Port 1 of the loopback interface: nobody listens.
    nowhere.host("127.0.0.1").port(1).user("nobody").connect_timeout(Duration::from_secs(2));
    every_call_is(&stage, &pool(nowhere), Answer::Refused("unavailable")).await;
    database.dbname("no_such_database");
    every_call_is(&stage, &pool(database), Answer::Refused("misconfigured")).await;
    role.user("no_such_role");
    every_call_is(&stage, &pool(role), Answer::Refused("misconfigured")).await;
}

/// The connection ends while nobody uses it: nothing was sent, so nothing is unknown.
#[tokio::test]
async fn a_connection_that_ended_before_the_call_is_unavailable() {
    let h = House::open().await;
    let stage = Stage::open(&h).await;
    let proxy = Proxy::start(&h.db).await.unwrap();
    let (bare, connection) = proxy.config().connect(NoTls).await.unwrap();
    let driver = tokio::spawn(connection);
    let pool = proxy.pool(2);
    h.keeper.warm(&pool).await.unwrap();
    h.keeper.warm(&bare).await.unwrap();
    drop(proxy);
    drop(driver.await.unwrap());
    every_call_is(&stage, &bare, Answer::Refused("unavailable")).await;
    let error = h.keeper.holds().find(&bare, h.tenant, stage.hold).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Busy, Retry::After));
}

#[tokio::test]
async fn a_pool_with_no_connection_to_give_is_busy() {
    let h = House::open().await;
    let stage = Stage::open(&h).await;
    let pool = h.db.pool(1);
    let mut timeouts = pool.timeouts();
    timeouts.wait = Some(Duration::from_millis(5));
    let manager = Manager::new(h.db.config(), NoTls);
    let pool =
        Pool::builder(manager).max_size(1).timeouts(timeouts).runtime(Runtime::Tokio1).build().unwrap();
    let _taken = pool.get().await.unwrap();
    assert_eq!((writes()[0].act)(&stage, &pool).await, Answer::Refused("busy"));
}

/// Loud, and without a name in what is printed: the names are for the operator, through the accessors.
#[tokio::test]
async fn a_constraint_the_host_added_is_reported_as_unknown() {
    let h = House::open().await;
    let stage = Stage::open(&h).await;
    h.sql(
        "ALTER TABLE slotkeeper.bookings ADD CONSTRAINT marker_rule CHECK (customer_ref <> 'marker_value')",
    )
    .await;
    let digest = h.digest().await;
    let details = slotkeeper::booking::BookingDetails::new().customer(super::stage::customer("marker_value"));
    let claims = [one(stage.free[0], 0, 30), all(&stage.free, 0, 30)];
    for claim in claims {
        let book = stage.book(claim).details(details.clone());
        let error = h.keeper.bookings().book(&h.pool, &book).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Misconfigured, Retry::Never));
        assert!(!format!("{error} {error:?}").contains("marker"), "{error:?}");
        let Error::UnknownConstraint(violation) = error else { panic!("{error:?}") };
        assert_eq!(violation.constraint(), Some("marker_rule"));
        assert_eq!(violation.table(), Some("bookings"));
    }
    assert_eq!(h.digest().await, digest);
    let book = stage.book(one(stage.free[0], 0, 30));
    assert!(h.keeper.bookings().book(&h.pool, &book).await.unwrap().outcome.is_success());
}

/// A host's unique index on our table must not be taken for one of ours that means "repeat".
#[tokio::test]
async fn a_unique_index_the_host_added_is_no_reason_to_repeat() {
    let h = House::open().await;
    let stage = Stage::open(&h).await;
    h.sql("CREATE UNIQUE INDEX marker_key ON slotkeeper.allocations (tenant_id, resource_id) WHERE kind = 'blackout'").await;
    let block = stage.block(one(stage.taken, 1500, 1530));
    let error = h.keeper.allocations().block(&h.pool, &block).await.unwrap_err();
    assert_eq!(error.code(), "unknown_constraint");
}

/// What is no refusal but a fault fails the caller's transaction where no savepoint was sent, and only there.
#[tokio::test]
async fn a_fault_leaves_the_callers_transaction_usable_only_under_a_savepoint() {
    let h = House::with(Slotkeeper::new()).await;
    h.sql(VISITS).await;
    let stage = Stage::open(&h).await;
    h.sql("ALTER TABLE slotkeeper.holds ADD CONSTRAINT marker_rule CHECK (actor IS NOT NULL) NOT VALID")
        .await;
    let mut client = h.pool.get().await.unwrap();
    for (claim, goes_on) in [(one(stage.free[0], 0, 30), false), (all(&stage.free, 0, 30), true)] {
        let rows = visits(&h).await;
        let tx = client.transaction().await.unwrap();
        visit(&tx).await;
        let error = h.keeper.holds().place(&tx, &stage.place(claim)).await.unwrap_err();
        assert_eq!(error.code(), "unknown_constraint");
        tx.commit().await.unwrap();
        assert_eq!(visits(&h).await - rows, i64::from(goes_on));
    }
}
