//! What the errors of a real server are taken for, and that none of them leaks.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test panics to fail")]

use std::collections::HashSet;
use std::fmt::{Debug, Display};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use slotkeeper::constraint::{Constraint, ConstraintKind};
use slotkeeper::constraint_map::{ConstraintMap, InvalidRule, Unmapped};
use slotkeeper::schema::SchemaName;
use slotkeeper::violation::{PartitionNames, Violation};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_postgres::{Client, Config, Error, NoTls};

use failure::Failure;

/// The classification is private to the library, so the test compiles it a second time.
mod violation {
    pub(crate) use slotkeeper::violation::Violation;
}
#[path = "../src/failure.rs"]
mod failure;

// A database for each test.

struct Db {
    client: Client,
    config: Config,
}

/// The one place that knows where the server is.
async fn empty() -> Db {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let dsn =
        std::env::var("ERRORS_TEST_DSN").expect("ERRORS_TEST_DSN names a server to create databases on");
    let mut config: Config = dsn.parse().unwrap();
    let name = format!("errors_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let server = connect(&config).await;
    server.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).await.unwrap();
    config.dbname(&name);
    Db { client: connect(&config).await, config }
}

async fn connect(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

impl Db {
    async fn another(&self) -> Client {
        connect(&self.config).await
    }

    async fn run(&self, sql: &str) {
        self.client.batch_execute(sql).await.unwrap();
    }

    /// The error of the last statement; the ones before it succeed.
    async fn error(&self, sql: &str) -> Error {
        error(&self.client, sql).await
    }

    async fn version(&self) -> u32 {
        let row =
            self.client.query_one("SELECT current_setting('server_version_num')::text", &[]).await.unwrap();
        row.get::<_, String>(0).parse::<u32>().unwrap() / 10_000
    }
}

async fn error(client: &Client, sql: &str) -> Error {
    client.batch_execute(sql).await.expect_err(sql)
}

// A server that says what it is told to: for engines and languages that are not installed.

async fn scripted(fields: &[(char, &str)]) -> Error {
    let (ours, mut theirs) = tokio::io::duplex(4096);
    let mut body = Vec::new();
    for (field, value) in fields {
        body.push(u8::try_from(*field).unwrap());
        body.extend_from_slice(value.as_bytes());
        body.push(0);
    }
    body.push(0);
    let server = tokio::spawn(async move {
        let length = theirs.read_u32().await.unwrap() as usize;
        theirs.read_exact(&mut vec![0; length - 4]).await.unwrap();
        theirs.write_all(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I").await.unwrap();
        theirs.read_u8().await.unwrap();
        let length = theirs.read_u32().await.unwrap() as usize;
        theirs.read_exact(&mut vec![0; length - 4]).await.unwrap();
        theirs.write_u8(b'E').await.unwrap();
        theirs.write_u32(u32::try_from(body.len()).unwrap() + 4).await.unwrap();
        theirs.write_all(&body).await.unwrap();
        theirs.write_all(b"Z\0\0\0\x05I").await.unwrap();
    });
    let (client, connection) = Config::new().user("scripted").connect_raw(ours, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let error = client.simple_query("the script answers").await.expect_err("the script is an error");
    drop(client);
    server.await.unwrap();
    connection.abort();
    error
}

async fn said(code: &str, message: &str, more: &[(char, &str)]) -> Error {
    let mut fields = vec![('S', "ERROR"), ('V', "ERROR"), ('C', code), ('M', message)];
    fields.extend_from_slice(more);
    scripted(&fields).await
}

// Nothing of the database shows.

const CANARY: &str = "canary";

fn silent(shown: &(impl Display + Debug)) {
    for text in [format!("{shown}"), format!("{shown:?}"), format!("{shown:#?}")] {
        assert!(!text.to_lowercase().contains(CANARY), "{text}");
        assert!(!text.to_lowercase().contains("insert"), "{text}");
    }
}

/// The violation in an error, after checking that nothing made of that error shows a name or a value.
fn read(error: &Error) -> Violation {
    let violation = Violation::from_error(error).expect("a violation");
    silent(&violation);
    let failure = Failure::classify(error);
    assert!(!format!("{failure:?}").contains(CANARY), "{failure:?}");
    assert_eq!(failure, Failure::Violation(violation.clone()));
    violation
}

const TABLES: &str = "
    CREATE EXTENSION btree_gist;
    CREATE SCHEMA app;
    CREATE DOMAIN app.canary_size AS int CONSTRAINT canary_size_domain CHECK (VALUE > 0);
    CREATE TABLE app.canary_guests (canary_id text CONSTRAINT canary_guests_pkey PRIMARY KEY);
    CREATE TABLE app.canary_visits (
        canary_id text NOT NULL CONSTRAINT canary_visits_pkey PRIMARY KEY,
        canary_guest text CONSTRAINT canary_guest_fkey REFERENCES app.canary_guests,
        canary_friend text CONSTRAINT canary_friend_fkey REFERENCES app.canary_guests ON DELETE RESTRICT,
        canary_party int CONSTRAINT canary_party_check CHECK (canary_party > 0),
        canary_size app.canary_size,
        canary_window int4range,
        canary_name text,
        CONSTRAINT canary_window_excl EXCLUDE USING gist (canary_window WITH &&));
    CREATE UNIQUE INDEX canary_name_key ON app.canary_visits (canary_name) WHERE canary_name IS NOT NULL;
    INSERT INTO app.canary_guests VALUES ('canary 1'), ('canary 2'), ('canary 3');
    INSERT INTO app.canary_visits VALUES
        ('canary 1', 'canary 1', NULL, 1, 1, '[1,5)', 'canary 1'), ('canary 2', NULL, 'canary 2', 1, 1, NULL, NULL);";

type Expected = (&'static str, &'static str, ConstraintKind, Option<&'static str>, Option<&'static str>);

fn violations(version: u32) -> Vec<Expected> {
    use ConstraintKind::{Check, Exclusion, ForeignKey, NotNull, Unique};
    let visits = Some("canary_visits");
    let restrict = if version >= 18 { "23001" } else { "23503" };
    vec![
        (
            "INSERT INTO app.canary_visits VALUES ('canary 1')",
            "23505",
            Unique,
            visits,
            Some("canary_visits_pkey"),
        ),
        (
            "INSERT INTO app.canary_visits (canary_id, canary_name) VALUES ('canary 9', 'canary 1')",
            "23505",
            Unique,
            visits,
            Some("canary_name_key"),
        ),
        (
            "INSERT INTO app.canary_visits (canary_id, canary_window) VALUES ('canary 9', '[4,6)')",
            "23P01",
            Exclusion,
            visits,
            Some("canary_window_excl"),
        ),
        (
            "INSERT INTO app.canary_visits (canary_id, canary_guest) VALUES ('canary 9', 'canary 9')",
            "23503",
            ForeignKey,
            visits,
            Some("canary_guest_fkey"),
        ),
        (
            "DELETE FROM app.canary_guests WHERE canary_id = 'canary 1'",
            "23503",
            ForeignKey,
            visits,
            Some("canary_guest_fkey"),
        ),
        (
            "DELETE FROM app.canary_guests WHERE canary_id = 'canary 2'",
            restrict,
            ForeignKey,
            visits,
            Some("canary_friend_fkey"),
        ),
        (
            "INSERT INTO app.canary_visits (canary_id, canary_party) VALUES ('canary 9', 0)",
            "23514",
            Check,
            visits,
            Some("canary_party_check"),
        ),
        (
            "INSERT INTO app.canary_visits (canary_id, canary_size) VALUES ('canary 9', 0)",
            "23514",
            Check,
            None,
            Some("canary_size_domain"),
        ),
        ("INSERT INTO app.canary_visits (canary_name) VALUES ('canary 9')", "23502", NotNull, visits, None),
    ]
}

/// Scenario 67, for tables of the host.
#[tokio::test]
async fn every_kind_of_constraint_is_read_and_none_leaks() {
    let db = empty().await;
    db.run(TABLES).await;
    for (sql, code, kind, table, constraint) in violations(db.version().await) {
        let violation = read(&db.error(sql).await);
        assert_eq!(violation.kind(), Some(kind), "{sql}");
        assert_eq!(violation.sqlstate().code(), code, "{sql}");
        assert_eq!(violation.schema(), Some("app"), "{sql}");
        assert_eq!(violation.table(), table, "{sql}");
        assert_eq!(violation.constraint(), constraint, "{sql}");
        assert_eq!(violation.column(), (kind == ConstraintKind::NotNull).then_some("canary_id"), "{sql}");
        assert_eq!(violation.known(), None, "{sql}");
    }
}

/// The same answers where the server speaks another language.
#[tokio::test]
async fn the_language_of_the_server_changes_nothing() {
    let db = empty().await;
    db.run(TABLES).await;
    let english = db.error("INSERT INTO app.canary_visits VALUES ('canary 1')").await;
    // Not every machine has the locale; `names_are_found_in_messages_of_any_language` needs none.
    if db.client.batch_execute("SET lc_messages = 'de_DE.utf8'").await.is_err() {
        return;
    }
    let german = db.error("INSERT INTO app.canary_visits VALUES ('canary 1')").await;
    assert_ne!(german.as_db_error().unwrap().message(), english.as_db_error().unwrap().message());
    assert_eq!(read(&german), read(&english));
    for (sql, code, kind, _, constraint) in violations(db.version().await) {
        let violation = read(&db.error(sql).await);
        assert_eq!((violation.sqlstate().code(), violation.kind()), (code, Some(kind)), "{sql}");
        assert_eq!(violation.constraint(), constraint, "{sql}");
    }
}

#[tokio::test]
async fn a_constraint_of_the_library_is_known() {
    let db = empty().await;
    db.run("CREATE EXTENSION btree_gist; CREATE SCHEMA slotkeeper").await;
    db.run(include_str!("../src/migrate/migrations/0001_create_core.up.sql")).await;
    db.run(
        "INSERT INTO slotkeeper.resources (tenant_id, id, kind, name, reference, capacity, min_party, attributes,
            active, revision)
         VALUES (gen_random_uuid(), gen_random_uuid(), 'canary', 'canary', 'canary', 1, 1, '{}', true, 1);
         INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
         SELECT tenant_id, gen_random_uuid(), id, '[2030-01-01 10:00+00,2030-01-01 11:00+00)', 'booked', id
         FROM slotkeeper.resources",
    )
    .await;
    let schema = SchemaName::default();
    for (sql, name, table) in [
        (
            "INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
             SELECT tenant_id, gen_random_uuid(), resource_id, during, kind, claim_id FROM slotkeeper.allocations",
            "allocations_resource_during_excl",
            "allocations",
        ),
        (
            "INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
             SELECT gen_random_uuid(), id, resource_id, during, kind, claim_id FROM slotkeeper.allocations",
            "allocations_resource_fkey",
            "allocations",
        ),
        ("DELETE FROM slotkeeper.resources", "allocations_resource_fkey", "allocations"),
        (
            "INSERT INTO slotkeeper.resources (tenant_id, id, kind, name, reference, capacity, min_party, attributes,
                active, revision)
             SELECT tenant_id, gen_random_uuid(), kind, name, reference, 1, 1, '{}', true, 1
             FROM slotkeeper.resources",
            "resources_reference_key",
            "resources",
        ),
    ] {
        let violation = read(&db.error(sql).await);
        let known = Constraint::lookup(name);
        assert!(known.is_some(), "{name}");
        assert_eq!(violation.known(), known, "{sql}");
        assert_eq!(violation.known_in(&schema), known, "{sql}");
        assert_eq!(violation.known_in(&SchemaName::new("elsewhere").unwrap()), None, "{sql}");
        assert_eq!((violation.constraint(), violation.table()), (Some(name), Some(table)), "{sql}");
        assert_eq!(violation.schema(), Some("slotkeeper"), "{sql}");
    }
}

#[tokio::test]
async fn a_hosts_constraint_with_one_of_our_names_and_another_kind_is_not_ours() {
    let error = said("23514", "new row violates", &[('s', "app"), ('t', "x"), ('n', "holds_pkey")]).await;
    let violation = read(&error);
    assert_eq!(violation.known(), None);
    assert_eq!((violation.table(), violation.constraint()), (Some("x"), Some("holds_pkey")));
}

const OVERLAP: &str =
    "conflicting key value violates exclusion constraint \"allocations_resource_during_excl_102034\"";

/// The literal answers of a sharding coordinator and of a worker.
#[tokio::test]
async fn a_sharded_constraint_is_known_by_field_or_message() {
    let known = Constraint::lookup("allocations_resource_during_excl");
    assert!(known.is_some());
    let coordinator = said("23P01", OVERLAP, &[('R', "ReportResultError")]).await;
    let worker = said(
        "23P01",
        "irrelevant",
        &[('s', "slotkeeper"), ('t', "allocations_102034"), ('n', "allocations_resource_during_excl_102034")],
    )
    .await;
    let copied = said("XX000", OVERLAP, &[('R', "ReportCopyError")]).await;
    for error in [coordinator, worker, copied] {
        let violation = read(&error);
        assert_eq!(violation.known(), known);
        assert_eq!(violation.known_in(&SchemaName::default()), known);
        assert_eq!(violation.kind(), Some(ConstraintKind::Exclusion));
        assert_eq!(violation.constraint(), Some("allocations_resource_during_excl"));
        assert_eq!(violation.table(), Some("allocations"));
    }
}

#[tokio::test]
async fn names_are_found_in_messages_of_any_language() {
    for message in [
        "doppelter Schlüsselwert verletzt Unique-Constraint »holds_pkey«",
        "la valeur d'une clé dupliquée rompt la contrainte unique « holds_pkey_102 »",
        "重複したキー値は一意性制約holds_pkey違反となります",
    ] {
        assert_eq!(
            read(&said("23505", message, &[]).await).known(),
            Constraint::lookup("holds_pkey"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn detail_is_never_searched_and_two_names_are_none() {
    for (message, detail) in [
        ("duplicate key value", "Key (reference)=(holds_pkey) already exists."),
        ("holds_pkey or resources_reference_key", ""),
        ("xholds_pkey, holds_pkey_, holds_pkeyx", ""),
        // The kind has to agree: this is a check.
        ("holds_claimed_check", ""),
    ] {
        let violation = read(&said("23505", message, &[('D', detail)]).await);
        assert_eq!((violation.known(), violation.constraint()), (None, None), "{message}");
    }
}

/// Damage to the index of a constraint is no refusal by it.
#[tokio::test]
async fn an_internal_error_that_mentions_an_index_is_no_violation() {
    let message = "failed to re-find parent of a page in index \"allocations_resource_during_excl\"";
    for more in [&[('R', "gistFindCorrectParent")][..], &[], &[('n', "allocations_resource_during_excl")]] {
        let error = said("XX000", message, more).await;
        assert_eq!(Violation::from_error(&error), None);
        assert_eq!(Failure::classify(&error), Failure::Other(*b"XX000"));
    }
    for more in [&[('R', "ReportCopyError")][..], &[('R', "ReportCopyError"), ('n', "anything_102034")]] {
        let unknown = said("XX000", "cannot reach anything_102034", more).await;
        assert_eq!(Violation::from_error(&unknown), None);
    }
}

#[tokio::test]
async fn other_codes_of_class_23_are_violations_without_a_kind() {
    let db = empty().await;
    let raise =
        "DO $$ BEGIN RAISE EXCEPTION 'canary' USING ERRCODE = '23000', CONSTRAINT = 'canary_rule'; END $$";
    let violation = read(&db.error(raise).await);
    assert_eq!((violation.kind(), violation.constraint()), (None, Some("canary_rule")));
    assert_eq!(read(&said("23001", "canary", &[]).await).kind(), Some(ConstraintKind::ForeignKey));
    assert_eq!(read(&said("23999", "canary", &[]).await).kind(), None);
    assert_eq!(read(&said("23000", "holds_pkey", &[]).await).kind(), Some(ConstraintKind::Unique));
}

// What a failure means.

const T: &str = "CREATE TABLE t (a int PRIMARY KEY, b text); INSERT INTO t VALUES (1), (2)";

#[tokio::test]
async fn failures_of_one_session_have_their_meaning() {
    let db = empty().await;
    db.run(T).await;
    db.run("CREATE TABLE d (a int UNIQUE DEFERRABLE)").await;
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
        let failure = Failure::classify(&db.error(sql).await);
        assert_eq!(failure, expected, "{}", sql.get(..80).unwrap_or(sql));
        assert!(!failure.may_have_written(true));
    }
}

#[tokio::test]
async fn a_default_that_only_reads_is_read_only() {
    let db = empty().await;
    db.run(T).await;
    db.run("SET default_transaction_read_only = on").await;
    assert_eq!(Failure::classify(&db.error("INSERT INTO t VALUES (3)").await), Failure::ReadOnly);
}

#[tokio::test]
async fn an_aborted_transaction_is_not_the_cause() {
    let db = empty().await;
    db.run("BEGIN").await;
    assert_eq!(Failure::classify(&db.error("SELECT 1 / 0").await), Failure::InvalidData);
    assert_eq!(Failure::classify(&db.error("SELECT 1").await), Failure::AbortedTransaction);
}

#[tokio::test]
async fn a_statement_prepared_before_a_change_of_type_is_a_stale_plan() {
    let db = empty().await;
    db.run(T).await;
    let statement = db.client.prepare("SELECT * FROM t").await.unwrap();
    db.run("ALTER TABLE t ALTER b TYPE int USING NULL").await;
    let error = db.client.query(&statement, &[]).await.unwrap_err();
    assert_eq!(error.code().unwrap().code(), "0A000");
    assert_eq!(Failure::classify(&error), Failure::StalePlan);
    // As behind a pooler that does not follow prepared statements.
    let statement = db.client.prepare("SELECT a FROM t").await.unwrap();
    db.run("DEALLOCATE ALL").await;
    let error = db.client.query(&statement, &[]).await.unwrap_err();
    assert_eq!(error.code().unwrap().code(), "26000");
    assert_eq!(Failure::classify(&error), Failure::StalePlan);
}

#[tokio::test]
async fn two_sessions_meet_in_every_way() {
    let db = empty().await;
    db.run(T).await;
    let (one, two) = (&db.client, db.another().await);
    // 55P03, by time-out and by NOWAIT.
    one.batch_execute("BEGIN; UPDATE t SET b = 'canary' WHERE a = 1").await.unwrap();
    for sql in ["SET LOCAL lock_timeout = '20ms'; DELETE FROM t", "SELECT 1 FROM t FOR UPDATE NOWAIT"] {
        assert_eq!(Failure::classify(&error(&two, sql).await), Failure::LockTimeout, "{sql}");
    }
    one.batch_execute("ROLLBACK").await.unwrap();
    // 40001
    two.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM t").await.unwrap();
    one.batch_execute("UPDATE t SET b = 'canary'").await.unwrap();
    assert_eq!(Failure::classify(&error(&two, "UPDATE t SET b = ''").await), Failure::Serialization);
    two.batch_execute("ROLLBACK").await.unwrap();
    // 40P01
    for session in [one, &two] {
        session.batch_execute("SET deadlock_timeout = '20ms'; BEGIN").await.unwrap();
    }
    one.batch_execute("UPDATE t SET b = '' WHERE a = 1").await.unwrap();
    two.batch_execute("UPDATE t SET b = '' WHERE a = 2").await.unwrap();
    let outcomes = tokio::join!(
        one.batch_execute("UPDATE t SET b = '' WHERE a = 2; ROLLBACK"),
        two.batch_execute("UPDATE t SET b = '' WHERE a = 1; ROLLBACK"),
    );
    let victims: Vec<_> = [outcomes.0, outcomes.1].into_iter().filter_map(Result::err).collect();
    assert_eq!(victims.iter().map(Failure::classify).collect::<Vec<_>>(), [Failure::Deadlock]);
    // 57014, by a request to cancel.
    let cancel = two.cancel_token();
    let (cancelled, sent) = tokio::join!(error(&two, "ROLLBACK; SELECT pg_sleep(5)"), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        cancel.cancel_query(NoTls).await
    });
    sent.unwrap();
    assert_eq!(Failure::classify(&cancelled), Failure::Cancelled);
}

#[tokio::test]
async fn a_lost_connection_leaves_a_sent_write_in_doubt() {
    let db = empty().await;
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let victim = db.another().await;
    let (lost, _) = tokio::join!(error(&victim, "SELECT pg_sleep(5)"), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        db.client.query(kill, &[]).await.unwrap()
    });
    assert_eq!(lost.code().unwrap().code(), "57P01");
    let closed = error(&victim, "SELECT 1").await;
    assert!(closed.is_closed());
    let idle = db.another().await;
    idle.batch_execute("BEGIN; SET LOCAL idle_in_transaction_session_timeout = '20ms'").await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let timed_out = error(&idle, "SELECT 1").await;
    let unreachable = Config::new().host("/nonexistent").user("x").connect(NoTls).await.err().unwrap();
    for error in [lost, closed, timed_out, unreachable] {
        let failure = Failure::classify(&error);
        assert_eq!(failure, Failure::Connection, "{error:?}");
        assert!(failure.may_have_written(true) && !failure.may_have_written(false));
    }
}

#[tokio::test]
async fn the_drivers_own_errors_tell_whether_the_statement_ran() {
    let db = empty().await;
    db.run(T).await;
    let client = &db.client;
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

#[tokio::test]
async fn the_last_words_of_a_session_leave_doubt_unless_they_are_the_first() {
    let cases = [
        ("ERROR", Some("ERROR"), "08006", Failure::Connection),
        ("FATAL", Some("FATAL"), "XX000", Failure::Connection),
        ("FATAL", None, "22023", Failure::Connection),
        ("PANIC", Some("PANIC"), "53100", Failure::Connection),
        ("FATAL", Some("FATAL"), "40001", Failure::Connection),
        ("FATAL", Some("FATAL"), "53200", Failure::Connection),
        ("FATAL", Some("FATAL"), "53300", Failure::TooBusy),
        ("FATAL", Some("FATAL"), "57P03", Failure::TooBusy),
        ("FATAL", Some("FATAL"), "28P01", Failure::Misconfigured),
        ("FATAL", Some("FATAL"), "3D000", Failure::Misconfigured),
        ("ERROR", Some("ERROR"), "53200", Failure::TooBusy),
    ];
    for (severity, untranslated, code, expected) in cases {
        let mut fields = vec![('S', severity), ('C', code), ('M', CANARY)];
        fields.extend(untranslated.map(|severity| ('V', severity)));
        let failure = Failure::classify(&scripted(&fields).await);
        assert_eq!(failure, expected, "{severity} {code}");
        assert!(!format!("{failure:?}").contains(CANARY));
    }
}

// Partitions.

#[tokio::test]
async fn a_partitions_constraint_resolves_to_the_partitioned_tables() {
    let db = empty().await;
    let excludes = db.version().await >= 17;
    db.run(
        "CREATE EXTENSION btree_gist;
         CREATE SCHEMA app;
         CREATE TABLE app.guests (id int CONSTRAINT guests_pkey PRIMARY KEY);
         CREATE TABLE app.visits (
            tenant int NOT NULL, id int NOT NULL, guest int, party int, during int4range, room int, email text,
            CONSTRAINT visits_pkey PRIMARY KEY (tenant, id),
            CONSTRAINT visits_guest_fkey FOREIGN KEY (guest) REFERENCES app.guests,
            CONSTRAINT visits_party_check CHECK (party > 0)) PARTITION BY HASH (tenant);
         CREATE UNIQUE INDEX visits_email_key ON app.visits (tenant, email) WHERE email IS NOT NULL",
    )
    .await;
    if excludes {
        db.run(
            "ALTER TABLE app.visits ADD CONSTRAINT visits_during_excl
                EXCLUDE USING gist (room WITH =, during WITH &&, tenant WITH =)",
        )
        .await;
    }
    // Two levels: a root is not always the parent.
    db.run(
        "CREATE TABLE app.visits_p0 PARTITION OF app.visits FOR VALUES WITH (MODULUS 1, REMAINDER 0)
            PARTITION BY HASH (tenant);
         CREATE TABLE app.visits_p0_p0 PARTITION OF app.visits_p0 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
         INSERT INTO app.visits (tenant, id, email) VALUES (1, 1, 'canary')",
    )
    .await;
    let mut cases = vec![
        ("INSERT INTO app.visits (tenant, id) VALUES (1, 1)", Some("visits_pkey")),
        ("INSERT INTO app.visits (tenant, id, email) VALUES (1, 4, 'canary')", Some("visits_email_key")),
        ("INSERT INTO app.visits (tenant, id, guest) VALUES (1, 4, 7)", Some("visits_guest_fkey")),
        ("INSERT INTO app.visits (tenant, id, party) VALUES (1, 4, 0)", Some("visits_party_check")),
        ("INSERT INTO app.visits (tenant) VALUES (1)", None),
    ];
    if excludes {
        db.run("INSERT INTO app.visits (tenant, id, room, during) VALUES (1, 2, 1, '[1,5)')").await;
        cases.push((
            "INSERT INTO app.visits (tenant, id, room, during) VALUES (1, 3, 1, '[4,6)')",
            Some("visits_during_excl"),
        ));
    }
    let names = PartitionNames::new();
    let mut own = HashSet::new();
    for (sql, name) in cases {
        let violation = read(&db.error(sql).await);
        own.insert(violation.constraint().map(str::to_owned));
        assert_eq!(violation.table(), Some("visits_p0_p0"), "{sql}");
        assert_eq!(names.cached(&violation), None, "{sql}");
        let resolved = violation.resolve_partition(&db.client).await.unwrap();
        assert_eq!(resolved.schema(), Some("app"), "{sql}");
        assert_eq!((resolved.table(), resolved.constraint()), (Some("visits"), name), "{sql}");
        assert_eq!((resolved.kind(), resolved.sqlstate()), (violation.kind(), violation.sqlstate()), "{sql}");
        assert_eq!(resolved.column(), violation.column(), "{sql}");
        silent(&resolved);
        assert_eq!(names.resolve(&violation, &db.client).await.unwrap(), resolved, "{sql}");
        assert_eq!(names.cached(&violation).as_ref(), Some(&resolved), "{sql}");
        assert_eq!(resolved.resolve_partition(&db.client).await.unwrap(), resolved, "{sql}");
    }
    assert!(!own.contains(&Some("visits_email_key".to_owned())), "partitions name their indexes themselves");
}

/// An attached partition keeps the names that it came with.
#[tokio::test]
async fn an_adopted_foreign_key_resolves_through_its_parent() {
    let db = empty().await;
    db.run(
        "CREATE TABLE guests (id int PRIMARY KEY);
         CREATE TABLE visits (guest int CONSTRAINT visits_guest_fkey REFERENCES guests) PARTITION BY LIST (guest);
         CREATE TABLE middle (guest int CONSTRAINT middle_fkey REFERENCES guests) PARTITION BY LIST (guest);
         CREATE TABLE old (guest int CONSTRAINT old_fkey REFERENCES guests);
         ALTER TABLE middle ATTACH PARTITION old FOR VALUES IN (1);
         ALTER TABLE visits ATTACH PARTITION middle FOR VALUES IN (1)",
    )
    .await;
    let violation = read(&db.error("INSERT INTO visits VALUES (1)").await);
    assert_eq!((violation.table(), violation.constraint()), (Some("old"), Some("old_fkey")));
    let resolved = violation.resolve_partition(&db.client).await.unwrap();
    assert_eq!((resolved.table(), resolved.constraint()), (Some("visits"), Some("visits_guest_fkey")));
}

#[tokio::test]
async fn a_partition_of_our_table_resolves_to_a_known_constraint() {
    let db = empty().await;
    db.run(
        "CREATE SCHEMA ours;
         CREATE TABLE ours.outbox (tenant_id int, id int, CONSTRAINT outbox_pkey PRIMARY KEY (tenant_id, id))
            PARTITION BY HASH (tenant_id);
         CREATE TABLE ours.outbox_p0 PARTITION OF ours.outbox FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
    )
    .await;
    let violation = read(&db.error("INSERT INTO ours.outbox VALUES (1, 1), (1, 1)").await);
    assert_eq!(violation.known(), None);
    let resolved = violation.resolve_partition(&db.client).await.unwrap();
    assert_eq!(resolved.known_in(&SchemaName::new("ours").unwrap()), Constraint::lookup("outbox_pkey"));
    assert!(resolved.known().is_some() && resolved.known_in(&SchemaName::default()).is_none());
    assert_eq!((resolved.table(), resolved.constraint()), (Some("outbox"), Some("outbox_pkey")));
}

#[tokio::test]
async fn an_overlap_in_a_temporal_key_is_an_exclusion() {
    let db = empty().await;
    if db.version().await < 18 {
        return;
    }
    db.run(
        "CREATE EXTENSION btree_gist;
         CREATE TABLE stays (room int, during int4range,
            CONSTRAINT stays_pkey PRIMARY KEY (room, during WITHOUT OVERLAPS));
         INSERT INTO stays VALUES (1, '[1,5)')",
    )
    .await;
    let violation = read(&db.error("INSERT INTO stays VALUES (1, '[4,6)')").await);
    assert_eq!(violation.kind(), Some(ConstraintKind::Exclusion));
    assert_eq!((violation.table(), violation.constraint()), (Some("stays"), Some("stays_pkey")));
}

// A host's own map.

fn map() -> ConstraintMap<&'static str> {
    ConstraintMap::builder()
        .in_schema("app")
        .suffix("_check", |_| "some check")
        .suffix("_party_check", |_| "party")
        .prefix("canary_", |_| "some")
        .prefix("canary_guest", |_| "guest")
        .exact("canary_guest_fkey", |_| "guest key")
        .exact("rate_check", |_| "rate")
        .exact_on("visits", "rate_check", |_| "rate of a visit")
        .exact("visits_key_2", |_| "second")
        .exact("visits_key", |_| "first")
        .not_null("canary_visits", "canary_id", |_| "id")
        .build()
        .unwrap()
}

async fn violates(schema: &str, table: &str, constraint: &str) -> Error {
    said("23514", CANARY, &[('s', schema), ('t', table), ('n', constraint)]).await
}

#[tokio::test]
async fn exact_beats_the_longest_prefix_beats_the_longest_suffix() {
    for (table, constraint, expected) in [
        ("visits", "rate_check", "rate of a visit"),
        ("visits_102034", "rate_check_102034", "rate of a visit"),
        ("guests", "rate_check", "rate"),
        ("x", "canary_guest_fkey", "guest key"),
        ("x", "canary_guest_fkey_102034", "guest key"),
        ("x", "canary_guest_party_check", "guest"),
        ("x", "canary_party_check", "some"),
        ("x", "visits_party_check", "party"),
        ("x", "visits_party_check_102034", "party"),
        ("x", "visits_size_check", "some check"),
        ("x", "visits_key_2", "second"),
        ("x", "visits_key_3", "first"),
        ("x", "visits_key_2_102034", "second"),
    ] {
        assert_eq!(map().map(violates("app", table, constraint).await).unwrap(), expected, "{constraint}");
    }
}

#[tokio::test]
async fn what_no_rule_is_for_is_unmapped_and_silent() {
    let map = map();
    for (schema, constraint) in
        [("app", "visits_fkey"), ("app", "xcanary_"), ("elsewhere", "canary_guest_fkey")]
    {
        match map.map(violates(schema, "canary", constraint).await) {
            Err(unmapped @ Unmapped::Unknown(_)) => {
                silent(&unmapped);
                let Unmapped::Unknown(violation) = unmapped else { continue };
                assert_eq!(violation.constraint(), Some(constraint));
            }
            other => panic!("{constraint}: {other:?}"),
        }
    }
    let error = said("22P02", "invalid input: canary", &[('D', CANARY)]).await;
    let unmapped = map.map(error).unwrap_err();
    silent(&unmapped);
    assert!(std::error::Error::source(&unmapped).is_none(), "a report of the chain would print the data");
    let unknown = map.map(violates("app", CANARY, "visits_fkey").await).unwrap_err();
    silent(&std::error::Error::source(&unknown).unwrap());
    let Unmapped::NotAViolation(error) = unmapped else { panic!("{unmapped:?}") };
    assert_eq!(error.as_db_error().unwrap().message(), "invalid input: canary");
}

#[tokio::test]
async fn a_map_reads_real_errors() {
    let db = empty().await;
    db.run(TABLES).await;
    let map = map();
    for (sql, expected) in [
        ("INSERT INTO app.canary_visits VALUES ('canary 1')", "some"),
        (
            "INSERT INTO app.canary_visits (canary_id, canary_guest) VALUES ('canary 9', 'canary 9')",
            "guest key",
        ),
        ("INSERT INTO app.canary_visits (canary_name) VALUES ('canary 9')", "id"),
        ("INSERT INTO app.canary_visits (canary_id, canary_size) VALUES ('canary 9', 0)", "some"),
    ] {
        assert_eq!(map.map(db.error(sql).await).unwrap(), expected, "{sql}");
    }
}

#[tokio::test]
async fn a_map_finds_exact_names_in_a_coordinators_message() {
    let map = map();
    let relayed = [('R', "ReportResultError")];
    let exact = said("23503", "violates \"canary_guest_fkey_102034\"", &relayed).await;
    assert_eq!(map.map(exact).unwrap(), "guest key");
    let copied = said("XX000", "violates \"canary_guest_fkey_102034\"", &[('R', "ReportCopyError")]).await;
    assert_eq!(map.map(copied).unwrap(), "guest key");
    let prefix = said("23503", "violates \"canary_other_fkey_102034\"", &relayed).await;
    assert!(matches!(map.map(prefix), Err(Unmapped::Unknown(_))), "a prefix is not searched for");
    // Two tables have a check of this name, and the message is not asked which.
    let twice = ConstraintMap::builder()
        .exact_on("a", "rate_check", |_| "a")
        .exact_on("b", "rate_check", |_| "b")
        .build()
        .unwrap();
    let ambiguous = said("23514", "violates check constraint \"rate_check\"", &relayed).await;
    assert!(matches!(twice.map(ambiguous), Err(Unmapped::Unknown(_))));
}

#[tokio::test]
async fn a_map_resolves_partitions_and_remembers_them() {
    let db = empty().await;
    db.run(
        "CREATE TABLE visits (tenant int, id int, rate int CONSTRAINT rate_check CHECK (rate > 0),
            CONSTRAINT visit_number_key UNIQUE (tenant, id)) PARTITION BY HASH (tenant);
         CREATE TABLE visits_p0 PARTITION OF visits FOR VALUES WITH (MODULUS 1, REMAINDER 0);
         INSERT INTO visits VALUES (1, 1, 1)",
    )
    .await;
    let map = ConstraintMap::builder()
        .exact("visit_number_key", |violation| violation.table().unwrap().to_owned())
        .exact_on("visits", "rate_check", |_| "rate".to_owned())
        .prefix("visits_p0_", |_| "the partition's own name".to_owned())
        .build()
        .unwrap();
    let again = "INSERT INTO visits VALUES (1, 1, 1)";
    assert_eq!(map.map(db.error(again).await).unwrap(), "the partition's own name");
    // A connection in an aborted transaction cannot be asked: no answer, rather than the prefix's.
    let aborted = db.another().await;
    aborted.batch_execute("BEGIN").await.unwrap();
    let first = error(&aborted, again).await;
    assert!(matches!(map.map_resolving(first, &aborted).await, Err(Unmapped::Unknown(_))));
    assert_eq!(map.map_resolving(db.error(again).await, &db.client).await.unwrap(), "visits");
    assert_eq!(map.map(db.error(again).await).unwrap(), "visits", "remembered");
    let zero = db.error("INSERT INTO visits VALUES (1, 2, 0)").await;
    assert_eq!(map.map_resolving(zero, &db.client).await.unwrap(), "rate");
}

#[test]
fn two_rules_for_one_name_are_refused() {
    let rules = || ConstraintMap::<()>::builder().exact("a_key", |_| ()).prefix("a_", |_| ());
    assert_eq!(
        rules().exact("a_key", |_| ()).build().unwrap_err(),
        InvalidRule::Duplicate { rule: 3, first: 1 }
    );
    assert_eq!(
        rules().prefix("a_", |_| ()).build().unwrap_err(),
        InvalidRule::Duplicate { rule: 3, first: 2 }
    );
    assert_eq!(rules().suffix("", |_| ()).build().unwrap_err(), InvalidRule::Empty { rule: 3 });
    assert_eq!(rules().not_null("", "a", |_| ()).build().unwrap_err(), InvalidRule::Empty { rule: 3 });
    let map =
        rules().suffix("a_", |_| ()).exact_on("a", "a_key", |_| ()).not_null("a", "a_key", |_| ()).build();
    assert!(map.is_ok(), "the same text in another place is another rule");
}

#[test]
fn a_map_is_shared_between_threads_whatever_its_error() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<ConstraintMap<std::rc::Rc<()>>>();
    shared::<Violation>();
    shared::<PartitionNames>();
    shared::<Unmapped>();
}
