//! Processes killed at random moments of clearing and restoring: no row is lost, and the next run completes.

use std::process::Command;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use slotkeeper::rollout::{Dedupe, Guard, Pace, Quarantine};
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
    /// Kills that met a living process, and among them those after the first change.
    kills: (u32, u32),
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
        Self { database, client, guard, folder: Folder::new(), random, kills: (0, 0) }
    }

    /// Runs `work` in this process, to its end.
    async fn complete(&mut self, work: &str) {
        let path = self.folder.file("rows");
        let pace = Pace::new();
        match work {
            "quarantine" => {
                let apply = Quarantine::dry_run().apply(path);
                self.guard.quarantine(&mut self.client, &apply).await.map(|_| ()).unwrap();
            }
            "dedupe" => {
                let apply = Dedupe::dry_run().apply(path);
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

    /// Runs it in a child that is killed at a random moment of `length`; what is there then.
    async fn kill(&mut self, work: &str, length: Duration, before: &State) {
        let config = self.database.config();
        let mut command = child::command(Command::new("env"), &config, work, &self.folder.file("rows"));
        let mut child =
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        tokio::time::sleep(length.mul_f64(self.random.random_range(0.02..1.0))).await;
        let alive = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        self.kills.0 += u32::from(alive);
        let now = state(&self.client).await;
        self.kills.1 += u32::from(alive && now != *before);
        if !self.folder.file("rows").exists() {
            assert_eq!(now, *before, "nothing is changed before the artifact is there");
        }
    }
}

/// `kills` times: clear, killed; clear to the end; restore, killed; restore to the end.
async fn campaign(rows: i32, kills: u32) {
    let mut drill = Drill::new(rows).await;
    let before = state(&drill.client).await;
    let mut cleared = Vec::new();
    for work in ["quarantine", "dedupe"] {
        let apply = drill.time(work);
        let after = state(&drill.client).await;
        assert_ne!(after, before);
        let back = drill.time("restore");
        assert_eq!(state(&drill.client).await, before);
        std::fs::remove_file(drill.folder.file("rows")).unwrap();
        println!("{work}: undisturbed {apply:?}, back {back:?}");
        cleared.push((work, apply, back, after));
    }
    for round in 0..kills {
        let (work, apply, back, after) = &cleared[round as usize % cleared.len()];
        drill.kill(work, *apply, &before).await;
        drill.complete(work).await;
        assert_eq!(state(&drill.client).await, *after, "round {round}: {work} completed");
        drill.kill("restore", *back, after).await;
        drill.complete("restore").await;
        assert_eq!(state(&drill.client).await, before, "round {round}: restored");
        assert_eq!(drill.folder.names(), ["rows"]);
        std::fs::remove_file(drill.folder.file("rows")).unwrap();
    }
    let (alive, midway) = drill.kills;
    println!("{} kills, {alive} met a living process, {midway} of them between two batches", kills * 2);
    assert!(alive * 2 > kills, "most kills came in time");
}

#[tokio::test]
async fn a_killed_process_loses_no_row_and_the_next_run_completes() {
    campaign(1500, 2).await;
}

/// Rounds from `SLOTKEEPER_KILLS`, 50 unless set: each kills one process that clears and one that restores.
#[tokio::test]
#[ignore = "a campaign of minutes"]
async fn killed_at_many_moments() {
    let kills = std::env::var("SLOTKEEPER_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(50);
    campaign(5000, kills).await;
}
