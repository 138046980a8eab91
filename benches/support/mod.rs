//! What every bench stands on: a house with a past, a place for results, and how much is asked of this run.
#![allow(dead_code, unused_imports, reason = "each bench uses its part")]

mod house;
mod past;
pub mod recipes;
mod results;
mod shape;

pub use house::House;
pub use past::{Party, Past, opening};
pub use results::{median_ns, record};
pub use shape::Shape;

use slotkeeper::IdempotencyKey;

pub fn fresh_key() -> IdempotencyKey {
    IdempotencyKey::new(uuid::Uuid::now_v7().to_string()).expect("a key")
}

/// Whether Criterion only checks that the bench runs (`cargo bench -- --test`, `cargo test --benches`).
pub fn only_checking() -> bool {
    std::env::args().any(|arg| arg == "--test") || !std::env::args().any(|arg| arg == "--bench")
}

/// Live rows, from `SLOTKEEPER_BENCH_ROWS`: one number, or several with commas between them; 100,000 if not given, and
/// few when only checking.
pub fn sizes() -> Vec<usize> {
    if only_checking() {
        return vec![1_000];
    }
    let asked = std::env::var("SLOTKEEPER_BENCH_ROWS").unwrap_or_else(|_| "100000".into());
    let number =
        |text: &str| text.trim().replace('_', "").parse().expect("SLOTKEEPER_BENCH_ROWS: numbers, please");
    asked.split(',').map(number).collect()
}

/// The first of [`sizes`], for benches of one size.
pub fn rows() -> usize {
    sizes()[0]
}

/// Those of `all` that `SLOTKEEPER_BENCH_<what>` names, with commas between them; all of them if it is not set.
pub fn chosen<T>(what: &str, all: impl IntoIterator<Item = T>, name: impl Fn(&T) -> String) -> Vec<T> {
    let all: Vec<T> = all.into_iter().collect();
    let Ok(asked) = std::env::var(format!("SLOTKEEPER_BENCH_{what}")) else { return all };
    let asked: Vec<&str> = asked.split(',').map(str::trim).collect();
    let known: Vec<String> = all.iter().map(&name).collect();
    let wrong: Vec<_> = asked.iter().filter(|&&asked| !known.iter().any(|name| name == asked)).collect();
    assert!(wrong.is_empty(), "SLOTKEEPER_BENCH_{what}: {wrong:?} is none of {known:?}");
    all.into_iter().filter(|item| asked.contains(&name(item).as_str())).collect()
}
