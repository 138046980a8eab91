//! The host goes on writing while rows are cleared.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use slotkeeper::rollout::{Cleanup, Pace};
use tokio_postgres::Client;

use crate::support::files::Folder;
use crate::support::messy;
use crate::support::visits::{self, TENANT_A};

const ROWS: i64 = 4000;
const WRITERS: i64 = 8;

/// What one writer was told had happened.
#[derive(Default)]
struct Told {
    inserted: Vec<i64>,
    /// How many guests were added to each visit.
    added: HashMap<i64, i32>,
    slowest: Duration,
}

/// Adds a visit, adds a guest to one, adds a guest to each of two in one transaction, and so on.
async fn write(mut client: Client, writer: i64, stop: Arc<AtomicBool>) -> Told {
    let mut random = StdRng::seed_from_u64(writer.unsigned_abs());
    let mut told = Told::default();
    let add = "UPDATE app.visits SET party = party + 1 WHERE id = $1";
    for round in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let started = Instant::now();
        let id = ROWS + 1 + round * WRITERS + writer;
        let insert = format!(
            "INSERT INTO app.visits (id, restaurant_id, table_id, starts_at, ends_at, party, number) VALUES
             ({id}, '{TENANT_A}', 1 + {id} % 20, '2030-02-01'::timestamptz + {id} * interval '1 minute',
              '2030-02-01'::timestamptz + ({id} + 30) * interval '1 minute', 1, {id})"
        );
        client.batch_execute(&insert).await.unwrap();
        told.inserted.push(id);
        let one = random.random_range(1..=ROWS);
        if client.execute(add, &[&one]).await.unwrap() == 1 {
            *told.added.entry(one).or_default() += 1;
        }
        // In no particular order, but never two writers in opposite ones: only we could make a deadlock of it.
        let two = [random.random_range(1..=ROWS / 2), random.random_range(ROWS / 2 + 1..=ROWS)];
        let tx = client.transaction().await.unwrap();
        let mut both = Vec::new();
        for id in two {
            if tx.execute(add, &[&id]).await.unwrap() == 1 {
                both.push(id);
            }
        }
        tx.commit().await.unwrap();
        both.into_iter().for_each(|id| *told.added.entry(id).or_default() += 1);
        told.slowest = told.slowest.max(started.elapsed());
    }
    told
}

async fn parties(client: &Client) -> HashMap<i64, i32> {
    let rows = client.query("SELECT id, party FROM app.visits", &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Visits that are not there, or not with the guests their writers were told of.
fn wrong(before: &HashMap<i64, i32>, told: &[Told], now: &HashMap<i64, i32>) -> Vec<i64> {
    let mut expected = before.clone();
    for told in told {
        expected.extend(told.inserted.iter().map(|id| (*id, 1)));
        for (id, added) in &told.added {
            *expected.entry(*id).or_default() += added;
        }
    }
    let mut wrong: Vec<i64> =
        expected.iter().filter(|(id, party)| now.get(id) != Some(party)).map(|(id, _)| *id).collect();
    wrong.extend(now.keys().filter(|id| !expected.contains_key(id)));
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_writers_lose_nothing_see_no_error_and_meet_no_deadlock() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    messy::fill(&client, i32::try_from(ROWS).unwrap()).await;
    let guard = visits::guard().build().unwrap();
    let before = parties(&client).await;

    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let client = database.client().await.unwrap();
        writers.push(tokio::spawn(write(client, writer, Arc::clone(&stop))));
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let pace = Pace::new().batch(20);
    let marks = Cleanup::dry_run().apply(folder.file("marks")).pace(pace);
    let marked = guard.quarantine(&mut client, &marks).await.unwrap();
    let removes = Cleanup::dry_run().apply(folder.file("removes")).pace(pace);
    let removed = guard.dedupe(&mut client, &removes).await.unwrap();
    stop.store(true, Ordering::Relaxed);
    let mut told = Vec::new();
    for writer in writers {
        told.push(writer.await.unwrap());
    }
    let written: usize = told.iter().map(|told| told.inserted.len()).sum();
    let slowest = told.iter().map(|told| told.slowest).max().unwrap();
    println!("{written} rounds of writing meanwhile, the slowest {slowest:?}\n{marked}{removed}");
    assert!(written > 50, "they wrote all the while");
    assert_eq!(marked.done + marked.changed_since, marked.found);
    assert_eq!(removed.done + removed.changed_since, removed.found);
    let gone = i64::try_from(removed.done).unwrap();
    assert_eq!(messy::hash(&client, "app.visits").await.0 + gone, ROWS + i64::try_from(written).unwrap());

    let back = guard.restore(&mut client, folder.file("removes"), &pace).await.unwrap();
    assert_eq!(back.restored, removed.done, "{back}");
    guard.restore(&mut client, folder.file("marks"), &pace).await.unwrap();
    let mut now = parties(&client).await;
    assert_eq!(wrong(&before, &told, &now), [0_i64; 0]);
    // One lost guest would have been seen.
    *now.get_mut(&7).unwrap() -= 1;
    assert_eq!(wrong(&before, &told, &now), [7]);
    drop(client);
    assert_eq!(database.deadlocks().await.unwrap(), 0);
}
