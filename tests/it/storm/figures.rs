//! What was answered, how often, and how fast.

use hdrhistogram::Histogram;
use slotkeeper::{Error, confirmation::Decision};
use std::{collections::BTreeMap, fmt, time::Instant};

pub struct Figures {
    /// Microseconds.
    pub times: Histogram<u64>,
    /// By operation and answer; an `Err` has an exclamation mark.
    pub answers: BTreeMap<String, usize>,
    /// Every recorded decision: its confirmation, its outcome, and whether it was a replay.
    pub decisions: Vec<(uuid::Uuid, &'static str, bool)>,
}

impl Figures {
    pub fn new() -> Self {
        // To a minute, in three digits.
        let times = Histogram::new_with_max(60_000_000, 3).unwrap();
        Self { times, answers: BTreeMap::new(), decisions: Vec::new() }
    }

    pub fn time(&mut self, since: Instant) {
        self.times.saturating_record(u64::try_from(since.elapsed().as_micros()).unwrap());
    }

    pub fn answer<T>(&mut self, operation: &str, answer: &Result<T, Error>) {
        let code = match answer {
            Ok(_) => "ok".to_owned(),
            Err(error @ Error::Busy(_)) => format!("!busy {}", error.sqlstate().unwrap_or("")),
            Err(error) => format!("!{}", error.code()),
        };
        self.count(operation, &code);
    }

    pub fn decision(&mut self, operation: &str, answer: &Result<Decision, Error>) {
        match answer {
            Ok(decision) => {
                let (code, replay) = (decision.outcome.code(), decision.is_replay());
                self.decisions.push((decision.confirmation.as_uuid(), code, replay));
                self.count(operation, if replay { "replayed" } else { code });
            }
            Err(_) => self.answer(operation, answer),
        }
    }

    pub fn count(&mut self, operation: &str, code: &str) {
        *self.answers.entry(format!("{operation} {code}")).or_default() += 1;
    }

    pub fn add(&mut self, other: Self) {
        self.times.add(other.times).unwrap();
        other.answers.into_iter().for_each(|(answer, n)| *self.answers.entry(answer).or_default() += n);
        self.decisions.extend(other.decisions);
    }

    /// How many answers were this one.
    pub fn total(&self, code: &str) -> usize {
        self.answers.iter().filter(|(answer, _)| answer.split(' ').nth(1) == Some(code)).map(|(_, n)| n).sum()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |quantile| self.times.value_at_quantile(quantile) as f64 / 1_000.0;
        let (p50, p95, p99) = (ms(0.5), ms(0.95), ms(0.99));
        let max = self.times.max() as f64 / 1_000.0;
        write!(f, "{} calls, p50 {p50:.1} p95 {p95:.1} p99 {p99:.1} max {max:.1} ms", self.times.len())
    }
}
