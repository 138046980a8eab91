//! Long runs by hand, each aimed at one way in which writes could lock each other out:
//! `SLOTKEEPER_STORM_SECONDS=60 cargo test --test it storm::campaign -- --ignored --nocapture --test-threads 1`
//!
//! A call that a deadlock broke is repeated by the library, so only the server's counter and a stall of a second in the
//! figures tell of it.

use super::{audit, dice::Dice, figures::Figures, gather, number, seed, site::Site, sites};
use crate::support::*;
use slotkeeper::{BookingId, Claim, HoldId, booking::*, hold::*};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

const CLIENTS: usize = 8;
const RESOURCES: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// One resource each: nothing locks the resource row, only the expired rows taken over.
    TakeOverOne,
    /// Several resources each, and some of one.
    TakeOverMany,
    MovesAndPlaces,
    Replacements,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "campaign; run by hand"]
async fn one_resource_claims_that_take_over_expired_rows() {
    run(Kind::TakeOverOne).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "campaign; run by hand"]
async fn many_resource_claims_that_take_over_expired_rows() {
    run(Kind::TakeOverMany).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "campaign; run by hand"]
async fn moves_against_each_other_and_against_places() {
    run(Kind::MovesAndPlaces).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "campaign; run by hand"]
async fn replacements() {
    run(Kind::Replacements).await;
}

async fn run(what: Kind) {
    let (seconds, seed) = (number("SLOTKEEPER_STORM_SECONDS").unwrap_or(4), seed());
    let house = House::open().await;
    let resources = if what == Kind::TakeOverOne { 1 } else { RESOURCES };
    let site = sites(&house, 1, resources).await.remove(0);
    let over = Arc::new(AtomicBool::new(false));
    let clock = tokio::spawn(clock(Arc::clone(&site), Arc::clone(&over)));
    let end = Instant::now() + Duration::from_secs(seconds);
    let clients = (0..CLIENTS).map(|n| {
        let site = Arc::clone(&site);
        tokio::spawn(async move { client(what, &site, Dice::new(seed.wrapping_add(n as u64)), end).await })
    });
    let figures = gather(clients.collect()).await;
    over.store(true, SeqCst);
    let expired = clock.await.unwrap();
    println!("storm: {what:?}, {seconds} s, {CLIENTS} clients, {expired} rows expired: {figures}");
    println!("{:#?}", figures.answers);
    // A call that fails for another reason locks nothing, and a run of such calls shows nothing.
    for answer in figures.answers.keys() {
        let code = answer.split(' ').nth(1).unwrap();
        assert!(super::ALLOWED.contains(&code) || code == "!busy", "{answer}");
    }
    assert_eq!(audit::overlaps(&house).await, 0);
    let deadlocks = house.db.deadlocks().await.unwrap();
    if let Some(folder) = house.db.server().socket_dir().filter(|_| deadlocks > 0) {
        // Which two statements it was.
        let log = std::fs::read_to_string(folder.join("log")).unwrap();
        let first = log.find("deadlock detected").unwrap_or_default();
        println!("{}", log[first..].lines().take(40).collect::<Vec<_>>().join("\n"));
    }
    assert_eq!(deadlocks, 0, "deadlocks; seed {seed}");
    // Replacing holds that the clock ends within milliseconds, eight clients on four tables, can lose four races in a
    // row, and says so; the others never do.
    let busy_in_a_hundred = if what == Kind::Replacements { 5 } else { 0 };
    let calls: usize = figures.answers.values().sum();
    assert!(figures.total("!busy") * 100 <= calls * busy_in_a_hundred, "busy {figures}; seed {seed}");
}

/// Time passes fast: whatever is held expires within milliseconds. Waits for nobody, so it is part of no deadlock.
async fn clock(site: Arc<Site>, over: Arc<AtomicBool>) -> u64 {
    let client = site.pool.get().await.unwrap();
    let sql = "UPDATE slotkeeper.allocations x SET expires_at = statement_timestamp() - interval '1 ms'
                 FROM (SELECT a.id FROM slotkeeper.allocations a WHERE a.kind = 'held' AND a.released_at IS NULL
                          AND a.expires_at > statement_timestamp() FOR UPDATE SKIP LOCKED) a
                WHERE x.tenant_id = $1 AND x.id = a.id";
    let sql = client.prepare_cached(sql).await.unwrap();
    let mut expired = 0;
    while !over.load(SeqCst) {
        expired += client.execute(&sql, &[&site.tenant]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    expired
}

async fn client(what: Kind, site: &Site, mut dice: Dice, end: Instant) -> Figures {
    let (mut figures, mut mine) = (Figures::new(), None);
    for _ in 0..2 {
        book(site, &mut dice, what).await;
    }
    while Instant::now() < end {
        let start = Instant::now();
        match what {
            Kind::TakeOverOne => place(site, claim(site, &mut dice, 1), &mut figures).await,
            Kind::TakeOverMany => {
                let most = if dice.one_in(4) { 1 } else { 3 };
                place(site, claim(site, &mut dice, most), &mut figures).await;
            }
            Kind::MovesAndPlaces if dice.one_in(3) => {
                place(site, claim(site, &mut dice, 2), &mut figures).await;
            }
            Kind::MovesAndPlaces => shift(site, &mut dice, &mut figures).await,
            Kind::Replacements => mine = replace(site, &mut dice, &mut figures, mine).await,
        }
        figures.time(start);
    }
    figures
}

/// Short and long windows of one morning: a long one takes over several short ones.
fn claim(site: &Site, dice: &mut Dice, most: usize) -> Claim {
    let count = 1 + dice.roll(most);
    let from = dice.minutes(12) * 30;
    let cells = dice.pick(&[1, 1, 2, 6]);
    Claim::all(dice.some(&site.resources, count), window(from, from + cells * 30)).unwrap()
}

async fn place(site: &Site, claim: Claim, figures: &mut Figures) {
    let placed = site.keeper.holds().place(&site.pool, &site.place(claim)).await;
    figures.answer("place", &placed);
}

/// Something to move, a client's own or another's.
async fn book(site: &Site, dice: &mut Dice, what: Kind) {
    if what == Kind::MovesAndPlaces {
        let from = dice.minutes(40) * 30 + 1_000;
        let claim = Claim::one(dice.pick(&site.resources), window(from, from + 30));
        let book = BookPlaces::new(site.tenant, claim, fresh_key());
        let booked = site.keeper.bookings().book(&site.pool, &book).await.unwrap();
        booked.into_result().into_iter().for_each(|id: BookingId| site.bookings.add(id));
    }
}

async fn shift(site: &Site, dice: &mut Dice, figures: &mut Figures) {
    let Some(booking) = site.bookings.pick(dice) else { return };
    let (bookings, to) = (site.keeper.bookings(), claim(site, dice, 2));
    let revision = bookings.find(&site.pool, site.tenant, booking).await.unwrap().unwrap().revision;
    let request = MoveBooking::new(site.tenant, booking, revision, to, fresh_key());
    let moved = bookings.move_to(&site.pool, &request).await;
    figures.decision("move", &moved);
}

/// One's own hold, or one of another client.
async fn replace(
    site: &Site,
    dice: &mut Dice,
    figures: &mut Figures,
    mine: Option<HoldId>,
) -> Option<HoldId> {
    let new = site.place(claim(site, dice, 3));
    let other = site.holds.pick(dice).filter(|_| dice.one_in(4));
    let placed = match other.or(mine) {
        Some(old) => {
            let placed = site.keeper.holds().replace(&site.pool, &ReplaceHold::new(old, new)).await;
            figures.answer("replace", &placed);
            placed
        }
        None => {
            let placed = site.keeper.holds().place(&site.pool, &new).await;
            figures.answer("place", &placed);
            placed
        }
    };
    match placed {
        Ok(hold) => {
            site.holds.add(hold.id);
            Some(hold.id)
        }
        // The old one stays unless somebody else took it.
        Err(slotkeeper::Error::Conflict { .. }) => mine,
        Err(_) => None,
    }
}
