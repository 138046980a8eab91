//! What real errors, of the server and of the driver itself, are taken for.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use tokio_postgres::{Client, Config, Error, NoTls};

use super::{Failure, classify_code};

const TABLES: &str = "CREATE TABLE t (a int PRIMARY KEY, b text); INSERT INTO t VALUES (1), (2);
    CREATE TABLE d (a int UNIQUE DEFERRABLE)";

async fn open() -> (kit::Database, Client) {
    let database = kit::empty_database().await.unwrap();
    let client = database.client().await.unwrap();
    client.batch_execute(TABLES).await.unwrap();
    (database, client)
}

async fn error(client: &Client, sql: &str) -> Error {
    client.batch_execute(sql).await.unwrap_err()
}

#[tokio::test]
async fn failures_of_one_session_have_their_meaning() {
    let (_database, client) = open().await;
    let deep = format!("SELECT '{}'::jsonb", "[".repeat(100_000));
    for (sql, expected) in [
        ("SET LOCAL statement_timeout = '20ms'; SELECT pg_sleep(5)", Failure::Cancelled),
        ("SET LOCAL transaction_read_only = on; INSERT INTO t VALUES (3)", Failure::ReadOnly),
        ("SET LOCAL ROLE pg_monitor; INSERT INTO t VALUES (3)", Failure::Misconfigured),
        ("SELECT * FROM canary", Failure::Misconfigured),
        ("SELECT canary FROM t", Failure::Misconfigured),
        ("SELECT canary(1)", Failure::Misconfigured),
        ("SELECT canary.canary()", Failure::Misconfigured),
        ("SELEKT", Failure::Misconfigured),
        ("EXECUTE canary", Failure::StalePlan),
        ("INSERT INTO d VALUES (1) ON CONFLICT (a) DO NOTHING", Failure::Misconfigured),
        ("SELECT int4range(2, 1)", Failure::InvalidData),
        ("SELECT 1 / 0", Failure::InvalidData),
        ("SELECT 'canary'::uuid", Failure::InvalidData),
        ("SELECT 'canary'::timestamptz", Failure::InvalidData),
        ("SELECT '\"\\u0000\"'::jsonb", Failure::InvalidData),
        (&*deep, Failure::InvalidData),
        ("DO $$ BEGIN RAISE EXCEPTION 'canary'; END $$", Failure::Other(*b"P0001")),
    ] {
        let failure = Failure::classify(&error(&client, sql).await);
        assert_eq!(failure, expected, "{}", sql.get(..80).unwrap_or(sql));
        assert!(!failure.may_have_written(true));
        assert!(!format!("{failure:?}").contains("canary"));
    }
}

#[tokio::test]
async fn a_statement_that_no_longer_fits_is_a_stale_plan() {
    let (_database, client) = open().await;
    let statement = client.prepare("SELECT * FROM t").await.unwrap();
    client.batch_execute("ALTER TABLE t ALTER b TYPE int USING NULL").await.unwrap();
    let changed = client.query(&statement, &[]).await.unwrap_err();
    // As behind a pooler that does not follow prepared statements.
    let statement = client.prepare("SELECT a FROM t").await.unwrap();
    client.batch_execute("DEALLOCATE ALL").await.unwrap();
    let forgotten = client.query(&statement, &[]).await.unwrap_err();
    for (error, code) in [(changed, "0A000"), (forgotten, "26000")] {
        assert_eq!(error.code().unwrap().code(), code);
        assert_eq!(Failure::classify(&error), Failure::StalePlan);
    }
}

#[tokio::test]
async fn an_ended_session_leaves_a_sent_write_in_doubt() {
    let (database, client) = open().await;
    // The time-out itself is the subject: it ends the session while nobody asks anything of it.
    let idle = database.client().await.unwrap();
    idle.batch_execute("BEGIN; SET LOCAL idle_in_transaction_session_timeout = '20ms'").await.unwrap();
    while !idle.is_closed() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let timed_out = error(&idle, "SELECT 1").await;
    let killed = error(&client, "SELECT pg_terminate_backend(pg_backend_pid())").await;
    assert_eq!(killed.code().unwrap().code(), "57P01");
    let closed = error(&client, "SELECT 1").await;
    let unreachable = Config::new().host("/nonexistent").user("x").connect(NoTls).await.err().unwrap();
    for error in [timed_out, killed, closed, unreachable] {
        let failure = Failure::classify(&error);
        assert_eq!(failure, Failure::Connection, "{error:?}");
        assert!(failure.may_have_written(true) && !failure.may_have_written(false));
    }
}

/// The driver's fixed texts are all there is to go by: a new version of it may change them, and then this test fails.
#[tokio::test]
async fn the_drivers_own_errors_tell_whether_the_statement_ran() {
    let (_database, client) = open().await;
    let encoding = [
        client.query("SELECT $1::int", &[&"canary"]).await.unwrap_err(),
        client.query("SELECT $1::int", &[]).await.unwrap_err(),
        client.execute("SELECT 'a\0b'", &[]).await.unwrap_err(),
    ];
    for error in encoding {
        assert_eq!(Failure::classify(&error), Failure::Encoding, "{error}");
    }
    let row = client.query_one("SELECT a FROM t WHERE a = 1", &[]).await.unwrap();
    let decoding = [
        row.try_get::<_, String>(0).unwrap_err(),
        row.try_get::<_, i32>("canary").unwrap_err(),
        client.query_one("INSERT INTO t VALUES (3), (4) RETURNING a", &[]).await.unwrap_err(),
        client.query_one("DELETE FROM t WHERE a = 9 RETURNING a", &[]).await.unwrap_err(),
    ];
    for error in decoding {
        assert_eq!(Failure::classify(&error), Failure::Decoding, "{error}");
    }
    let written: i64 = client.query_one("SELECT count(*) FROM t", &[]).await.unwrap().get(0);
    assert_eq!(written, 4, "an error of the driver, and yet the rows are there");
    let setting = "host=x connect_timeout=canary".parse::<Config>().unwrap_err();
    assert_eq!(Failure::classify(&setting), Failure::Misconfigured);
}

#[test]
fn every_sqlstate_has_one_meaning() {
    let table: &[(Failure, &[&str])] = &[
        (Failure::Serialization, &["40001"]),
        (Failure::Deadlock, &["40P01"]),
        (Failure::LockTimeout, &["55P03"]),
        (Failure::Cancelled, &["57014"]),
        (Failure::TooBusy, &["53300", "53200", "53100", "53000", "53400", "57P03"]),
        (Failure::AbortedTransaction, &["25P02"]),
        (Failure::ReadOnly, &["25006"]),
        (Failure::StalePlan, &["26000", "42P05"]),
        (
            Failure::Misconfigured,
            &[
                "42501", "42P01", "42703", "3F000", "42883", "55000", "0A000", "42P10", "42809", "42601",
                "28000", "28P01", "3D000", "44000",
            ],
        ),
        (
            Failure::InvalidData,
            &["22000", "22003", "22004", "22007", "22008", "22021", "22P02", "22P05", "54000", "54001"],
        ),
        (
            Failure::Connection,
            &[
                "08000", "08001", "08003", "08006", "08007", "08P01", "57P01", "57P02", "57P04", "57P05",
                "25P03", "25P04", "40003",
            ],
        ),
        (Failure::Other(*b"XX000"), &["XX000"]),
        (Failure::Other(*b"P0001"), &["P0001"]),
        (Failure::Other(*b"21000"), &["21000"]),
        (Failure::Other(*b"55006"), &["55006"]),
        (Failure::Other(*b"?????"), &["", "2", "toolong", "ä"]),
    ];
    for (failure, codes) in table {
        for code in *codes {
            assert_eq!(classify_code(code, None), *failure, "{code}");
            assert_eq!(classify_code(code, Some("exec_simple_query")), *failure, "{code}");
        }
    }
}

#[test]
fn a_stale_plan_is_told_by_the_routine() {
    assert_eq!(classify_code("0A000", Some("RevalidateCachedQuery")), Failure::StalePlan);
    assert_eq!(classify_code("42601", Some("RevalidateCachedQuery")), Failure::Misconfigured);
}

#[test]
fn a_write_is_in_doubt_only_if_it_was_sent_and_not_answered() {
    let doubtful = [Failure::Connection, Failure::Decoding, Failure::Other(*b"XX000")];
    let settled = [
        Failure::Serialization,
        Failure::Deadlock,
        Failure::LockTimeout,
        Failure::Cancelled,
        Failure::TooBusy,
        Failure::AbortedTransaction,
        Failure::ReadOnly,
        Failure::StalePlan,
        Failure::Misconfigured,
        Failure::InvalidData,
        Failure::Encoding,
        Failure::Other(*b"XX002"),
        Failure::Other(*b"P0001"),
    ];
    for failure in doubtful {
        assert!(failure.may_have_written(true), "{failure:?}");
        assert!(!failure.may_have_written(false), "{failure:?}");
    }
    for failure in settled {
        assert!(!failure.may_have_written(true), "{failure:?}");
    }
}
