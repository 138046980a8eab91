//! Wakes tasks at an instant, to well within 0.1 ms: the runtime's own timer counts in full milliseconds.
//!
//! A thread sleeps until shortly before the next instant and watches the clock for the rest, because a sleeping thread is
//! woken some 0.06 ms late.

use std::{
    collections::BTreeMap,
    io,
    sync::mpsc::{self, RecvTimeoutError, TryRecvError},
    thread,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

/// How long before the instant sleeping ends and watching begins.
const WATCHED: Duration = Duration::from_micros(150);

type Order = (Instant, oneshot::Sender<()>);

/// The thread ends with the last clone.
#[derive(Clone, Debug)]
pub(super) struct Alarm(mpsc::Sender<Order>);

impl Alarm {
    pub(super) fn start() -> io::Result<Self> {
        let (orders, inbox) = mpsc::channel();
        thread::Builder::new().name("kit-alarm".into()).spawn(move || serve(&inbox))?;
        Ok(Self(orders))
    }

    pub(super) async fn until(&self, due: Instant) {
        if due > Instant::now() {
            let (ring, rung) = oneshot::channel();
            // A thread that has ended rings at once, by dropping what was sent to it.
            let _ = self.0.send((due, ring));
            let _ = rung.await;
        }
    }
}

/// Until nobody can order any more.
fn serve(inbox: &mpsc::Receiver<Order>) {
    // Two orders for one instant must not be one.
    let mut number = 0_u64;
    let mut waiting = BTreeMap::new();
    loop {
        let order = match next(inbox, waiting.first_key_value().map(|((due, _), _)| *due)) {
            Ok(order) => order,
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if let Some((due, ring)) = order {
            number += 1;
            waiting.insert((due, number), ring);
        }
        while let Some(first) = waiting.first_entry().filter(|first| first.key().0 <= Instant::now()) {
            // Nobody listens if the connection was cut meanwhile.
            let _: Result<(), ()> = first.remove().send(());
        }
    }
}

/// The next order, or none once the earliest instant has come near.
fn next(inbox: &mpsc::Receiver<Order>, earliest: Option<Instant>) -> Result<Option<Order>, RecvTimeoutError> {
    let Some(due) = earliest else { return Ok(Some(inbox.recv()?)) };
    let asleep = due.saturating_duration_since(Instant::now()).saturating_sub(WATCHED);
    if asleep > Duration::ZERO {
        return inbox.recv_timeout(asleep).map(Some);
    }
    match inbox.try_recv() {
        Ok(order) => Ok(Some(order)),
        Err(TryRecvError::Disconnected) => Err(RecvTimeoutError::Disconnected),
        Err(TryRecvError::Empty) => {
            // Lets whoever is to be woken, or answers meanwhile, run on this core.
            thread::yield_now();
            Ok(None)
        }
    }
}
