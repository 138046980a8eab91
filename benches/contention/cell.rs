//! One scenario, one recipe, so many callers.

use crate::{
    check,
    row::Row,
    scenario::{Scenario, quarter},
    support::recipes::{Answer, Recipe},
};
use deadpool_postgres::Client;
use hdrhistogram::Histogram;
use rand::{SeedableRng, rngs::StdRng};
use slotkeeper::{ResourceId, Slotkeeper, TenantId};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};
use tokio::{sync::Barrier, task::JoinSet};

/// PostgreSQL settles on a statement's generic plan after five runs.
const WARM_UPS: usize = 6;

/// The database, and which of its windows were used.
pub struct Stage {
    pub db: kit::Database,
    /// Another way to it: the link that takes its time.
    pub link: kit::proxy::Proxy,
    pub keeper: Slotkeeper,
    pub seats: Vec<(TenantId, ResourceId)>,
    /// The next quarter of an hour nobody has asked for.
    pub next: usize,
    /// Deadlocks so far.
    pub deadlocks: i64,
}

/// Whichever comes first, at the end of a round.
#[derive(Clone, Copy)]
pub struct Limit {
    pub decisions: usize,
    pub time: Duration,
}

#[derive(Clone, Copy)]
pub struct Cell {
    pub scenario: Scenario,
    pub recipe: Recipe,
    pub tasks: usize,
}

/// What one caller met with.
pub struct Tally {
    pub micros: Histogram<u64>,
    pub rounds: usize,
    pub won: usize,
    pub refused: usize,
    pub busy: usize,
    pub failed: usize,
    pub elapsed: Duration,
}

impl Tally {
    pub fn new() -> Self {
        // 10 minutes at most; three digits.
        let micros = Histogram::new_with_bounds(1, 600_000_000, 3).expect("bounds");
        Self { micros, rounds: 0, won: 0, refused: 0, busy: 0, failed: 0, elapsed: Duration::ZERO }
    }

    pub fn decisions(&self) -> usize {
        self.won + self.refused + self.busy + self.failed
    }

    fn note(&mut self, answer: Answer, took: Duration) {
        self.rounds += 1;
        self.micros.saturating_record(u64::try_from(took.as_micros()).expect("not that long"));
        *match answer {
            Answer::Won => &mut self.won,
            Answer::Refused => &mut self.refused,
            Answer::Busy => &mut self.busy,
            Answer::Deadlocked => &mut self.failed,
        } += 1;
    }

    pub fn add(&mut self, other: &Self) {
        self.micros.add(&other.micros).expect("the same bounds");
        self.rounds = self.rounds.max(other.rounds);
        self.won += other.won;
        self.refused += other.refused;
        self.busy += other.busy;
        self.failed += other.failed;
        self.elapsed = self.elapsed.max(other.elapsed);
    }
}

/// One caller, on a connection of its own.
struct Caller {
    cell: Cell,
    task: usize,
    client: Client,
    keeper: Slotkeeper,
    seats: Arc<[(TenantId, ResourceId)]>,
    dice: StdRng,
}

impl Cell {
    pub async fn run(self, stage: &mut Stage, limit: Limit, synchronous_commit: &'static str) -> Row {
        let callers = self.callers(stage).await;
        let from = stage.next;
        let (barrier, end) =
            (Arc::new(Barrier::new(self.tasks)), Arc::new(AtomicUsize::new(limit.decisions / self.tasks)));
        let mut tasks = JoinSet::new();
        for caller in callers {
            tasks.spawn(caller.run(from, limit.time, Arc::clone(&barrier), Arc::clone(&end)));
        }
        let mut total = Tally::new();
        // Whoever panics is met first: the others would wait at the barrier for ever.
        while let Some(tally) = tasks.join_next().await {
            total.add(&tally.expect("a caller"));
        }
        // At least one window, for the checks' sake.
        stage.next += total.rounds.max(1);
        let deadlocks = stage.db.deadlocks().await.expect("a count");
        let broken = deadlocks - stage.deadlocks;
        stage.deadlocks = deadlocks;
        let overlaps = check::after(self, &stage.db, from..stage.next, &total).await;
        Row::new(self, synchronous_commit, &total, broken, overlaps)
    }

    /// Connected and warmed one after the other: they must not meet before the clock starts.
    async fn callers(self, stage: &mut Stage) -> Vec<Caller> {
        let link = self.scenario.over_link();
        let pool = if link { stage.link.pool(self.tasks) } else { stage.db.pool(self.tasks) };
        let seats: Arc<[_]> = stage.seats[..self.tasks.max(8)].into();
        let mut callers = Vec::new();
        for task in 0..self.tasks {
            let mut caller = Caller {
                cell: self,
                task,
                client: pool.get().await.expect("a connection"),
                keeper: stage.keeper.clone(),
                seats: Arc::clone(&seats),
                dice: StdRng::seed_from_u64(task as u64),
            };
            for _ in 0..WARM_UPS {
                assert_eq!(caller.decide(stage.next).await.0, Answer::Won, "{}", self.recipe.name());
                stage.next += 1;
            }
            callers.push(caller);
        }
        callers
    }
}

impl Caller {
    /// Decides until `end` rounds are over. Whoever finds the time over before a round lowers `end` to it; the barrier
    /// makes all see that before the round begins, so that nobody waits for somebody who has gone.
    async fn run(
        mut self,
        from: usize,
        time: Duration,
        barrier: Arc<Barrier>,
        end: Arc<AtomicUsize>,
    ) -> Tally {
        let mut tally = Tally::new();
        barrier.wait().await;
        let start = Instant::now();
        for round in 0.. {
            let over = start.elapsed() >= time;
            if self.cell.scenario.in_rounds() {
                if over {
                    end.fetch_min(round, SeqCst);
                }
                barrier.wait().await;
            } else if over {
                break;
            }
            if round >= end.load(SeqCst) {
                break;
            }
            let (answer, took) = self.decide(from + round).await;
            tally.note(answer, took);
        }
        tally.elapsed = start.elapsed();
        tally
    }

    async fn decide(&mut self, window: usize) -> (Answer, Duration) {
        let wish = self.cell.scenario.wish(&self.seats, self.task, quarter(window), &mut self.dice);
        let start = Instant::now();
        let answer = self.cell.recipe.claim(&mut self.client, &self.keeper, &wish).await;
        (answer, start.elapsed())
    }
}
