//! Processes killed at random moments of clearing and restoring: no row is lost, and the next run completes.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use slotkeeper::rollout::{Cleanup, Guard, Pace};
use tokio_postgres::Client;

use crate::support::files::Folder;
use crate::support::{child, messy, visits};

/// The whole table, marks included.
type State = ((i64, String), Vec<i64>);

async fn state(client: &Client) -> State {
    (messy::hash(client, "app.visits").await, messy::marked(client).await)
}

struct Drill {
    database: kit::Database,
    client: Client,
    guard: Guard,
    folder: Folder,
    random: StdRng,
    /// Of clearing processes and of restoring ones.
    kills: [Kills; 2],
}

/// Moments at which processes were killed.
#[derive(Clone, Copy, Debug)]
struct Kills {
    /// What a process takes, as far as was seen: kills that came too late shorten it.
    length: Duration,
    /// Before the first change.
    early: u32,
    /// Between two batches.
    midway: u32,
    /// After the last change, or after the end.
    late: u32,
}

impl Drill {
    async fn new(rows: i32) -> Self {
        let database = kit::empty_database().await.unwrap();
        let client = database.client().await.unwrap();
        visits::create(&client).await;
        messy::fill(&client, rows).await;
        // There from the start, so that a row looks the same before and after.
        client
            .batch_execute("ALTER TABLE app.visits ADD slotkeeper_shadow boolean NOT NULL DEFAULT false")
            .await
            .unwrap();
        let guard = visits::guard().build().unwrap();
        let random = StdRng::seed_from_u64(71);
        let none = Kills { length: Duration::from_secs(1), early: 0, midway: 0, late: 0 };
        Self { database, client, guard, folder: Folder::new(), random, kills: [none; 2] }
    }

    /// Runs `work` in this process, to its end.
    async fn complete(&mut self, work: &str) {
        let path = self.folder.file("rows");
        let pace = Pace::new();
        match work {
            "quarantine" => {
                let apply = Cleanup::dry_run().apply(path);
                self.guard.quarantine(&mut self.client, &apply).await.map(|_| ()).unwrap();
            }
            "dedupe" => {
                let apply = Cleanup::dry_run().apply(path);
                self.guard.dedupe(&mut self.client, &apply).await.map(|_| ()).unwrap();
            }
            _ => self.guard.restore(&mut self.client, path, &pace).await.map(|_| ()).unwrap(),
        }
    }

    /// Runs it in a child, undisturbed: how long that takes.
    fn time(&self, work: &str) -> Duration {
        let started = Instant::now();
        let said = child::run(Command::new("env"), &self.database.config(), work, &self.folder.file("rows"));
        assert!(said.contains("done: "), "{said}");
        started.elapsed()
    }

    /// Runs it in a child that is killed at a random moment; what is there then lies between `before` and `after`.
    async fn kill(&mut self, work: &str, before: &State, after: &State) {
        let kind = usize::from(work == "restore");
        let config = self.database.config();
        let mut command = child::command(Command::new("env"), &config, work, &self.folder.file("rows"));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        tokio::time::sleep(self.kills[kind].length.mul_f64(self.random.random_range(0.02..1.0))).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let now = state(&self.client).await;
        let kills = &mut self.kills[kind];
        if now == *before {
            kills.early += 1;
            kills.length = kills.length.mul_f64(1.1);
        } else if now == *after {
            kills.late += 1;
            kills.length = kills.length.mul_f64(0.8);
        } else {
            kills.midway += 1;
        }
        if !self.folder.file("rows").exists() {
            assert_eq!(now, *before, "nothing is changed before the artifact is there");
        }
    }
}

/// Clear, killed; clear to the end; restore, killed; restore to the end: until `kills` processes of each kind were killed
/// between two batches.
async fn campaign(rows: i32, kills: u32) {
    let mut drill = Drill::new(rows).await;
    let before = state(&drill.client).await;
    let mut cleared = Vec::new();
    for work in ["quarantine", "dedupe"] {
        let length = drill.time(work);
        let after = state(&drill.client).await;
        assert_ne!(after, before);
        drill.kills = [length, drill.time("restore")].map(|length| Kills { length, ..drill.kills[0] });
        assert_eq!(state(&drill.client).await, before);
        std::fs::remove_file(drill.folder.file("rows")).unwrap();
        cleared.push((work, after));
    }
    let mut rounds = 0;
    while drill.kills.iter().any(|kind| kind.midway < kills) {
        let (work, after) = &cleared[rounds % cleared.len()];
        drill.kill(work, &before, after).await;
        drill.complete(work).await;
        assert_eq!(state(&drill.client).await, *after, "round {rounds}: {work} completed");
        drill.kill("restore", after, &before).await;
        drill.complete("restore").await;
        assert_eq!(state(&drill.client).await, before, "round {rounds}: restored");
        assert_eq!(drill.folder.names(), ["rows"]);
        std::fs::remove_file(drill.folder.file("rows")).unwrap();
        rounds += 1;
    }
    println!("{rounds} rounds, clearing {:?}, restoring {:?}", drill.kills[0], drill.kills[1]);
}

#[tokio::test]
async fn a_killed_process_loses_no_row_and_the_next_run_completes() {
    campaign(1500, 1).await;
}

/// `SLOTKEEPER_KILLS` kills of each kind, 50 unless set.
#[tokio::test]
#[ignore = "a campaign of minutes"]
async fn killed_at_many_moments() {
    let kills = std::env::var("SLOTKEEPER_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(50);
    campaign(5000, kills).await;
}
