//! A database for each test: its own, migrated, at once.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use kit::{Server, Settings};

#[tokio::test]
async fn a_database_is_migrated_and_an_empty_one_is_not() {
    let tables = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace \
                  WHERE nspname = 'slotkeeper' AND relkind = 'r'";
    let gist = "SELECT count(*) FROM pg_extension WHERE extname = 'btree_gist'";
    let (full, empty) = tokio::join!(kit::database(), kit::empty_database());
    for (database, is_full) in [(full.unwrap(), true), (empty.unwrap(), false)] {
        let client = database.client().await.unwrap();
        for sql in [tables, gist] {
            let count: i64 = client.query_one(sql, &[]).await.unwrap().get(0);
            assert_eq!(count > 0, is_full, "{sql}");
        }
    }
}

#[tokio::test]
async fn two_databases_do_not_see_each_other_and_go_with_their_handles() {
    let (one, two) = tokio::join!(kit::database(), kit::database());
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_ne!(one.name(), two.name());
    one.client().await.unwrap().batch_execute("CREATE TABLE mark ()").await.unwrap();
    let client = two.client().await.unwrap();
    let seen: Option<String> =
        client.query_one("SELECT to_regclass('mark')::text", &[]).await.unwrap().get(0);
    assert_eq!(seen, None);
    let (name, mut left) = (one.name().to_owned(), 1);
    drop(one);
    for _ in 0..500 {
        let sql = "SELECT count(*) FROM pg_database WHERE datname = $1";
        left = client.query_one(sql, &[&name]).await.unwrap().get::<_, i64>(0);
        if left == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_stranger_may_only_log_in_and_goes_with_the_database() {
    let (one, two) = tokio::join!(kit::database(), kit::database());
    let (one, two) = (one.unwrap(), two.unwrap());
    let config = one.stranger().await.unwrap();
    assert_eq!(one.stranger().await.unwrap(), config, "asked twice, made once");
    let (stranger, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let refused = stranger.batch_execute("SELECT FROM slotkeeper.resources").await.unwrap_err();
    assert_eq!(refused.code().unwrap().code(), "42501");
    let (client, role) = (two.client().await.unwrap(), config.get_user().unwrap().to_owned());
    drop(one);
    let sql = "SELECT count(*) FROM pg_roles WHERE rolname = $1";
    let mut left = 1;
    for _ in 0..500 {
        left = client.query_one(sql, &[&role]).await.unwrap().get::<_, i64>(0);
        if left == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(left, 0);
}

#[test]
fn tests_on_many_threads_with_a_runtime_each_get_a_database_each() {
    let test = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let database = runtime.block_on(async {
            let database = kit::database().await.unwrap();
            database.client().await.unwrap().batch_execute("CREATE TABLE mark ()").await.unwrap();
            database
        });
        drop(runtime);
        database.name().to_owned() // and dropped without any runtime
    };
    let threads: Vec<_> = (0..24).map(|_| std::thread::spawn(test)).collect();
    let mut names: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 24);
}

#[tokio::test]
async fn an_undisturbed_copy_takes_at_most_150_ms() {
    let begun = Instant::now();
    let server = Server::start(Settings::Test).await.unwrap();
    let started = begun.elapsed();
    let begun = Instant::now();
    let _first = server.database().await.unwrap();
    let first = begun.elapsed();
    let mut times = Vec::new();
    for _ in 0..9 {
        let begun = Instant::now();
        let _database = server.database().await.unwrap();
        times.push(begun.elapsed());
    }
    times.sort();
    // Past the harness: a figure that is only shown on failure is never looked at.
    let line = format!("kit: start {started:.0?}, template and first copy {first:.0?}, copies {times:.0?}");
    writeln!(std::io::stderr(), "{line}").unwrap();
    // The fastest: the other tests of this binary are starting servers meanwhile.
    assert!(times[0] <= Duration::from_millis(150), "{times:?}");
}

#[tokio::test]
async fn the_durable_server_is_another_one_and_durable() {
    let durable = kit::durable_database().await.unwrap();
    assert_eq!(durable.server().settings(), Settings::Durable);
    if durable.server().pid().is_some() {
        let says = durable.server().describe();
        let want = "fsync=on synchronous_commit=on full_page_writes=on shared_buffers=256MB";
        assert!(says.contains(want) && says.contains("jit=off"), "{says}");
        assert_ne!(durable.server().pid(), kit::database().await.unwrap().server().pid());
    }
}

#[tokio::test]
async fn a_deadlock_is_counted_even_while_its_sessions_stay_open() {
    let database = kit::database().await.unwrap();
    let pool = database.pool(2);
    let (one, two) = (pool.get().await.unwrap(), pool.get().await.unwrap());
    one.batch_execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2)").await.unwrap();
    assert_eq!(database.deadlocks().await.unwrap(), 0, "negative control");
    drop((one, two));

    let (one, two) = (pool.get().await.unwrap(), pool.get().await.unwrap());
    one.batch_execute("BEGIN; UPDATE t SET id = id WHERE id = 1").await.unwrap();
    two.batch_execute("BEGIN; UPDATE t SET id = id WHERE id = 2").await.unwrap();
    let (first, second) =
        tokio::join!(one.batch_execute("UPDATE t SET id = id WHERE id = 2; COMMIT"), async {
            let done = two.batch_execute("UPDATE t SET id = id WHERE id = 1; COMMIT").await;
            two.batch_execute("ROLLBACK").await.unwrap();
            done
        });
    assert!(first.is_err() != second.is_err(), "exactly one is the victim");
    one.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(database.deadlocks().await.unwrap(), 1);
    drop((one, two));
    pool.get().await.unwrap().batch_execute("SELECT 1").await.unwrap();
}
