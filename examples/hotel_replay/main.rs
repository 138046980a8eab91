//! Two real hotels, 14,938 real bookings, a year and a half: replayed in the order in which they were made.
//!
//! ```text
//! cargo run --example hotel_replay
//! ```
//!
//! Each hotel has as many rooms of each type as were slept in on its fullest night ([`bookings::rooms`]). Each booking
//! asks for one room of its type, in the order in which they came in; cancellations and no-shows give it back
//! ([`bookings::Turn`]). Hotels take more bookings than they have rooms, because many are cancelled. A room cannot be
//! sold twice, so some are refused here.
//!
//! Types of rooms do not compete, so each has a front desk of its own and they work side by side; each takes its events
//! strictly in order, so every run gives the same rooms to the same guests.
//!
//! The bookings: N. Antonio, A. de Almeida, L. Nunes, "Hotel booking demand datasets", Data in Brief 22 (2019) 41–49,
//! CC BY 4.0; see `examples/data/README.md`.

#![allow(clippy::print_stdout, reason = "an example shows what happens")]

mod bookings;
mod chart;
mod front_desk;
mod sweep;

use anyhow::{Result, ensure};
use bookings::{Booking, RoomType};
use chart::Strip;
use deadpool_postgres::{Client, Pool};
use front_desk::{FrontDesk, Report};
use indicatif::{ProgressBar, ProgressStyle};
use slotkeeper::{
    InvalidInput, ResourceId, ResourceKind, ResourceName, Slotkeeper, TenantId, resource::NewResource,
};
use std::{
    collections::BTreeMap,
    env, fs,
    path::PathBuf,
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time};

#[tokio::main]
async fn main() -> Result<()> {
    let all = bookings::read()?;
    ensure!(all.len() == 14_938, "{} bookings in the file", all.len());

    // A stay of no nights is refused by the type `Window`, before there is a database.
    let (stays, no_nights): (Vec<_>, Vec<_>) = all.into_iter().partition(|booking| booking.window().is_ok());
    let reversed = |booking: &Booking| booking.window() == Err(InvalidInput::WindowReversed);
    ensure!(no_nights.iter().all(reversed), "a window was refused for another reason");
    ensure!(no_nights.len() == 90, "{} stays of no nights", no_nights.len());

    let rooms = bookings::rooms(&stays);
    let room_count: usize = rooms.values().sum();
    ensure!(room_count == 363, "{room_count} rooms");

    let database = kit::database().await?;
    let pool = database.pool(5);
    let keeper = Slotkeeper::new();
    let hotels = Hotels::open(&keeper, &pool, &rooms).await?;

    let start = Instant::now();
    let reports = replay(&keeper, &pool, &hotels, &stays).await?;
    let elapsed = start.elapsed();

    let sum = |of: fn(&Report) -> usize| reports.values().map(of).sum::<usize>();
    let (booked, refused) = (sum(|it| it.booked), sum(|it| it.refused.len()));
    let (conflicts, freed) = (sum(|it| it.conflicts), sum(|it| it.freed));
    // The same in every run, on every machine.
    ensure!((booked, refused) == (14_279, 569), "{booked} booked, {refused} refused");

    // What the database holds now, looked at without its help.
    let taken = sweep::read(&pool.get().await?).await?;
    ensure!(taken.len() == booked - freed, "{} stays are booked", taken.len());
    let overlaps = sweep::overlaps(&taken);
    ensure!(overlaps == 0, "{overlaps} overlaps");
    sweep::ensure_it_can_fail(&taken)?;

    let strips: Vec<Strip> = hotels.strips(&reports, &taken);
    let svg = target_folder().join("hotel_replay.svg");
    fs::create_dir_all(target_folder())?;
    fs::write(&svg, chart::draw(&strips)?)?;
    println!("occupancy by type of room and night: {}", svg.display());

    let deadlocks = database.deadlocks().await?;
    ensure!(deadlocks == 0, "{deadlocks} deadlocks");
    println!(
        "hotel_replay: bookings=14938 rooms={room_count} booked={booked} refused={refused} zero_nights={} \
         conflicts={conflicts} freed={freed} live={} overlaps={overlaps} deadlocks={deadlocks} seconds={:.1} \
         bookings_per_s={:.0}",
        no_nights.len(),
        taken.len(),
        elapsed.as_secs_f64(),
        (booked + refused) as f64 / elapsed.as_secs_f64()
    );
    Ok(())
}

/// Each hotel is a tenant; each of its rooms a resource.
struct Hotels {
    tenants: BTreeMap<&'static str, TenantId>,
    rooms: BTreeMap<RoomType, Vec<ResourceId>>,
}

impl Hotels {
    async fn open(keeper: &Slotkeeper, pool: &Pool, rooms: &BTreeMap<RoomType, usize>) -> Result<Self> {
        let mut hotels = Self { tenants: BTreeMap::new(), rooms: BTreeMap::new() };
        for (&room_type, &count) in rooms {
            let tenant = *hotels.tenants.entry(room_type.hotel).or_insert_with(TenantId::generate);
            let ids = hotels.rooms.entry(room_type).or_default();
            for n in 1..=count {
                let name = ResourceName::new(format!("{}{n:03}", room_type.letter))?;
                let room = NewResource::new(tenant, ResourceKind::new("room")?, name);
                ids.push(keeper.resources().create(pool, &room).await?.id);
            }
        }
        Ok(hotels)
    }

    fn strips<'a>(&self, reports: &'a BTreeMap<RoomType, Report>, taken: &[sweep::Taken]) -> Vec<Strip<'a>> {
        let strip = |(&room_type, rooms): (&RoomType, &Vec<ResourceId>)| {
            let of_this_type = taken.iter().filter(|(room, _)| rooms.contains(room));
            let windows = of_this_type.map(|(_, window)| *window);
            Some(Strip::new(room_type, rooms.len(), windows, reports.get(&room_type)?))
        };
        self.rooms.iter().filter_map(strip).collect()
    }
}

/// A front desk for each type of room, all at once.
async fn replay(
    keeper: &Slotkeeper,
    pool: &Pool,
    hotels: &Hotels,
    stays: &[Booking],
) -> Result<BTreeMap<RoomType, Report>> {
    let mut of_type: BTreeMap<RoomType, Vec<Booking>> = BTreeMap::new();
    for stay in stays {
        of_type.entry(stay.room_type).or_default().push(stay.clone());
    }
    // Draws on stderr, and nothing where that is no terminal.
    let progress =
        ProgressBar::new(0).with_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} {per_sec}")?);
    let mut desks = JoinSet::new();
    for (room_type, bookings) in of_type {
        let hotel = hotels.tenants[room_type.hotel];
        let desk = FrontDesk::new(keeper.clone(), pool.clone(), hotel, &hotels.rooms[&room_type]);
        let progress = progress.clone();
        desks.spawn(async move { anyhow::Ok((room_type, desk.replay(&bookings, &progress).await?)) });
    }
    let analyze = tokio::spawn(analyze(pool.get().await?));
    let reports = desks.join_all().await.into_iter().collect();
    analyze.abort();
    progress.finish_and_clear();
    reports
}

/// Tables that were empty a second ago are planned for as if they still were. A service leaves this to autovacuum, which
/// looks once a minute; a bulk load like ours had better see to it.
async fn analyze(client: Client) -> Result<()> {
    let mut pause = Duration::from_millis(500);
    loop {
        time::sleep(pause).await;
        client.batch_execute("ANALYZE slotkeeper.allocations, slotkeeper.bookings").await?;
        pause *= 2;
    }
}

/// Where Cargo builds.
fn target_folder() -> PathBuf {
    let default = || concat!(env!("CARGO_MANIFEST_DIR"), "/target").into();
    env::var_os("CARGO_TARGET_DIR").unwrap_or_else(default).into()
}
