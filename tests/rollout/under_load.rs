//! The whole way up while eight writers use the table.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::{Duration, Instant};

use crate::support::visits::{self, TENANT_A};
use slotkeeper::migrate::OpsError;
use slotkeeper::rollout::Up;
use tokio_postgres::Client;

const WRITERS: i32 = 8;

/// What one writer met.
#[derive(Debug, Default)]
struct Log {
    calls: u32,
    /// When each slow call began, and how long it took.
    slow: Vec<(Instant, Duration)>,
    errors: Vec<String>,
}

/// Books tables of its own, one after the other, in transactions that touch parent and child; moves some, cancels some.
async fn write(mut client: Client, writer: i32, ids: Arc<AtomicI32>, stop: Arc<AtomicBool>) -> Log {
    let mut log = Log::default();
    while !stop.load(Ordering::Relaxed) {
        let id = ids.fetch_add(1, Ordering::Relaxed);
        let began = Instant::now();
        let done = async {
            let tx = client.transaction().await?;
            let table = 1000 + id;
            let insert = "INSERT INTO app.tables (restaurant_id, id) VALUES ($1::text::uuid, $2)";
            tx.execute(insert, &[&TENANT_A, &table]).await?;
            let insert = "INSERT INTO app.visits (id, restaurant_id, table_id, starts_at, ends_at, number)
                VALUES ($1::int4, $2::text::uuid, $3, timestamptz '2031-01-01' + $4::int4 * interval '1 hour',
                    timestamptz '2031-01-01 01:00' + $4::int4 * interval '1 hour', $1)";
            tx.execute(insert, &[&id, &TENANT_A, &table, &(id % 1000)]).await?;
            tx.commit().await?;
            let update = match id % 3 {
                0 => "UPDATE app.visits SET status = 'cancelled' WHERE id = $1::int4",
                1 => "UPDATE app.visits SET ends_at = ends_at + interval '10 minutes' WHERE id = $1::int4",
                _ => "DELETE FROM app.visits WHERE id = $1::int4",
            };
            client.execute(update, &[&id]).await
        };
        if let Err(error) = done.await {
            log.errors.push(format!("writer {writer}: {:?}", error.as_db_error()));
            break;
        }
        log.calls += 1;
        if began.elapsed() > Duration::from_millis(250) {
            log.slow.push((began, began.elapsed()));
        }
    }
    log
}

/// Rows that break every rule of the guard.
const MESS: &str = "
    INSERT INTO app.visits (id, restaurant_id, table_id, starts_at, ends_at, number)
    SELECT 100000 + n, '00000000-0000-0000-0000-00000000000a', n % 10 + 1,
        timestamptz '2020-01-01' + n * interval '1 hour', timestamptz '2020-01-01' + (n + 2) * interval '1 hour', 100000 + n
    FROM generate_series(1, 20000) AS n;
    UPDATE app.visits SET party = 0 WHERE id = 100001;
    UPDATE app.visits SET table_id = 99 WHERE id = 100002;
    UPDATE app.visits SET ends_at = NULL WHERE id = 100003;
    UPDATE app.visits SET number = 100005 WHERE id = 100004;
    UPDATE app.visits SET table_id = 1 WHERE id IN (100010, 100011)";

/// What has to be done about the mess, in the order in which it is met.
const MENDED: [(&str, &str); 5] = [
    ("visits_table_window_excl_window", "UPDATE app.visits SET slotkeeper_shadow = true WHERE id = 100003"),
    ("visits_table_fkey", "DELETE FROM app.visits WHERE id = 100002"),
    ("visits_party_check", "UPDATE app.visits SET party = 2 WHERE id = 100001"),
    ("visits_number_key", "DELETE FROM app.visits WHERE id = 100004"),
    ("visits_table_window_excl", "UPDATE app.visits SET slotkeeper_shadow = true WHERE id = 100011"),
];

#[tokio::test(flavor = "multi_thread")]
async fn eight_writers_see_no_error_and_no_long_wait_but_for_the_exclusion() {
    let (database, mut client) = visits::clean().await;
    client.batch_execute(MESS).await.unwrap();
    let guard = visits::guard().build().unwrap();
    let (ids, stop) = (Arc::new(AtomicI32::new(200_000)), Arc::new(AtomicBool::new(false)));
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let client = database.client().await.unwrap();
        writers.push(tokio::spawn(write(client, writer, ids.clone(), stop.clone())));
    }
    for (rule, mend) in MENDED {
        let error = guard.up(&mut client, &Up::new()).await.unwrap_err();
        assert_eq!(error, OpsError::StillViolated { table: "app.visits".into(), rule: rule.into() });
        client.batch_execute(mend).await.unwrap();
    }
    let began = Instant::now();
    let done = guard.up(&mut client, &Up::new()).await.unwrap();
    let ended = Instant::now();
    assert!(!guard.up(&mut client, &Up::new()).await.unwrap().changed());
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.store(true, Ordering::Relaxed);
    let (mut calls, mut slow, mut errors) = (0, Vec::new(), Vec::new());
    for writer in writers {
        let log = writer.await.unwrap();
        calls += log.calls;
        slow.extend(log.slow);
        errors.extend(log.errors);
    }
    println!("{done}");
    let longest = |slow: &[(Instant, Duration)]| slow.iter().map(|(_, took)| *took).max().unwrap_or_default();
    let before: Vec<_> = slow.iter().copied().filter(|(at, _)| *at < began).collect();
    println!(
        "{calls} calls of {WRITERS} writers; longest before the last run {:?}, during it ({:?}) {:?}",
        longest(&before),
        ended - began,
        longest(&slow)
    );
    assert_eq!(errors, Vec::<String>::new());
    assert!(calls > 100, "{calls}");
    // All but the exclusion was built by the runs before the last. Behind us a call waits for half a second at most; the
    // rest is what a busy machine adds to its five statements.
    assert!(longest(&before) < Duration::from_secs(2), "{:?}", longest(&before));
    assert!(guard.verify_rows(&mut client).await.unwrap().is_ok());
    assert_eq!(database.deadlocks().await.unwrap(), 0);
}
