//! One write: what it needs beforehand, and the call that is measured. A clock and a counter of instructions can then
//! measure the same thing.

use crate::support::House;
use std::{
    future::Future,
    time::{Duration, Instant},
};

pub trait Write {
    type Request;

    /// Makes what the call needs: rows, keys, a prepared statement.
    fn prepare(house: &mut House) -> impl Future<Output = Self::Request>;

    /// The call. It fails loudly if it did not come to what is measured.
    fn call(house: &House, request: Self::Request) -> impl Future<Output = ()>;
}

/// How long `n` calls take, one after the other.
pub async fn timed<W: Write>(house: &mut House, n: u64) -> Duration {
    let mut requests = Vec::new();
    for _ in 0..n {
        requests.push(W::prepare(house).await);
    }
    let start = Instant::now();
    for request in requests {
        W::call(house, request).await;
    }
    start.elapsed()
}
