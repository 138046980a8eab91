//! The same writes by turns: a few calls of each, round after round, so that a machine that is slow for a minute is slow for
//! all of them alike. Criterion measures one after the other, minutes apart; ratios are taken from here.

use crate::support::{House, only_checking};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::runtime::Runtime;

/// Calls in a row of one write: enough that the caches are its own, few enough to be soon over.
const CALLS: u64 = 20;

/// Some 40 s in all.
const ROUNDS: usize = 120;

/// Makes so many calls of a write on a house, and says how long they took.
pub type Run = Box<dyn Fn(&Runtime, &mut House, u64) -> Duration>;

/// One write.
pub struct Turn {
    pub id: &'static str,
    pub run: Run,
}

/// Medians over the rounds, of a call's time and of its ratio to the bare insert of the same round.
pub fn measure(group: &str, runtime: &Runtime, house: &mut House, turns: &[Turn]) -> Vec<Value> {
    let mut times = vec![Vec::new(); turns.len()];
    for _ in 0..if only_checking() { 1 } else { ROUNDS } {
        for (turn, times) in turns.iter().zip(&mut times) {
            times.push((turn.run)(runtime, house, CALLS).as_secs_f64() * 1e6 / CALLS as f64);
        }
    }
    let of = |id: &str| turns.iter().position(|turn| turn.id == id).map(|index| &times[index]);
    let over = |times: &[f64], other: Option<&Vec<f64>>| {
        other.map(|other| median(times.iter().zip(other).map(|(time, other)| time / other).collect()))
    };
    let row = |(turn, times): (&Turn, &Vec<f64>)| {
        json!({
            "group": group, "id": turn.id, "median_us": median(times.clone()), "rounds": times.len(),
            "over_bare_insert": over(times, of("bare_insert")), "over_raw": over(times, of(&format!("raw_{}", turn.id))),
            "over_same_rows": over(times, of(&format!("same_rows_{}", turn.id))),
        })
    };
    turns.iter().zip(&times).map(row).collect()
}

pub fn print(group: &str, rows: &[Value]) {
    println!("{group}: x bare_insert, by turns");
    for row in rows {
        let figure = |name: &str| row[name].as_f64().unwrap_or(f64::NAN);
        let over = |name: &str, what: &str| {
            row[name].as_f64().map(|ratio| format!(", {ratio:.2} x {what}")).unwrap_or_default()
        };
        let others = over("over_raw", "raw") + &over("over_same_rows", "the same rows bare");
        let id = row["id"].as_str().unwrap_or_default();
        println!("  {:5.2}  {id} ({:.0} µs){others}", figure("over_bare_insert"), figure("median_us"));
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
