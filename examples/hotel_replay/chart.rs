//! The picture: a strip for each type of room, as high as the hotel has rooms, and a step for each night.

use crate::{bookings::RoomType, front_desk::Report};
use chrono::{Datelike, NaiveDate};
use slotkeeper::Window;
use std::{
    collections::BTreeMap,
    fmt::{self, Write},
};

const LEFT: f64 = 130.0;
const PLOT: f64 = 1040.0;
const RIGHT: f64 = 130.0;
const STRIP: f64 = 34.0;
const GAP: f64 = 9.0;

/// One type of room over all nights.
pub(crate) struct Strip<'a> {
    room_type: RoomType,
    rooms: usize,
    /// Rooms slept in, by night.
    slept: BTreeMap<NaiveDate, usize>,
    report: &'a Report,
}

impl<'a> Strip<'a> {
    pub(crate) fn new(
        room_type: RoomType,
        rooms: usize,
        stays: impl Iterator<Item = Window>,
        report: &'a Report,
    ) -> Self {
        let mut slept = BTreeMap::new();
        for stay in stays {
            let departure = stay.end().date_naive();
            for night in stay.start().date_naive().iter_days().take_while(|day| *day < departure) {
                *slept.entry(night).or_default() += 1;
            }
        }
        Self { room_type, rooms, slept, report }
    }

    fn share_slept(&self, nights: usize) -> f64 {
        100.0 * self.slept.values().sum::<usize>() as f64 / (self.rooms * nights) as f64
    }
}

/// The whole picture as SVG.
pub(crate) fn draw(strips: &[Strip<'_>]) -> Result<String, fmt::Error> {
    let mut body = String::new();
    let mut y = 96.0;
    for hotel in strips.chunk_by(|a, b| a.room_type.hotel == b.room_type.hotel) {
        y = draw_hotel(&mut body, hotel, y)?;
    }
    let mut out = String::new();
    heading(&mut out, strips, y)?;
    out.push_str(&body);
    out.push_str("</svg>\n");
    Ok(out)
}

fn heading(out: &mut String, strips: &[Strip<'_>], height: f64) -> fmt::Result {
    let width = LEFT + PLOT + RIGHT;
    let sum = |of: fn(&Strip<'_>) -> usize| strips.iter().map(of).sum::<usize>();
    let (rooms, booked) = (sum(|it| it.rooms), sum(|it| it.report.booked));
    let refused = sum(|it| it.report.refused.len());
    writeln!(
        out,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="Helvetica, Arial, sans-serif" font-size="12" fill="#222">
<style>
.title {{ font-size: 19px; font-weight: bold }} .hotel {{ font-size: 15px; font-weight: bold }} .soft {{ fill: #666 }}
.all {{ fill: #f1f1ee }} .most {{ fill: #a9d3e0 }} .slept {{ fill: #17607d }} .refused {{ stroke: #c8321f; stroke-width: 1.4 }}
.month {{ stroke: #d8d8d4 }} .year {{ stroke: #999 }}
</style>
<rect width="100%" height="100%" fill="#fff"/>
<text class="title" x="12" y="30">Two hotels, {rooms} rooms: {},{:03} bookings taken, {refused} refused, no room sold twice</text>
<text class="soft" x="12" y="51">A strip for each type of room, as high as the hotel has rooms of it; one step is one night. A booking is refused when no single room is free for the whole stay.</text>
<rect class="slept" x="12" y="65" width="22" height="12"/><text x="40" y="75">booked in the end</text>
<rect class="most" x="172" y="65" width="22" height="12"/><text x="200" y="75">booked at some time, cancelled later</text>
<rect class="all" x="442" y="65" width="22" height="12" stroke="#ccc"/><text x="470" y="75">free all along</text>
<path class="refused" d="M582 67v8M587 67v8M595 67v8"/><text x="604" y="75">arrival of a refused guest</text>"##,
        booked / 1000,
        booked % 1000,
    )
}

/// The strips of one hotel over its own nights; returns where they end.
fn draw_hotel(out: &mut String, strips: &[Strip<'_>], top: f64) -> Result<f64, fmt::Error> {
    let nights = || strips.iter().flat_map(|strip| strip.report.most_booked.keys());
    let first = nights().min().copied().unwrap_or_default();
    let last = nights().max().copied().unwrap_or_default();
    let days: Vec<NaiveDate> = first.iter_days().take_while(|day| *day <= last).collect();
    let x = |day: NaiveDate| LEFT + PLOT * (day - first).num_days() as f64 / days.len() as f64;

    let above = top + 40.0;
    let below = above + strips.len() as f64 * (STRIP + GAP);
    let (name, right) = (strips.first().map_or("", |strip| strip.room_type.hotel), LEFT + PLOT + 8.0);
    writeln!(out, r#"<text class="hotel" x="12" y="{}">{name}</text>"#, above - 14.0)?;
    writeln!(out, r#"<text class="soft" x="{right}" y="{}">nights booked</text>"#, above - 14.0)?;
    months(out, &days, above, below, x)?;
    for (n, strip) in strips.iter().enumerate() {
        draw_strip(out, strip, &days, above + n as f64 * (STRIP + GAP), x)?;
    }
    Ok(below + 36.0)
}

fn draw_strip(
    out: &mut String,
    strip: &Strip<'_>,
    days: &[NaiveDate],
    top: f64,
    x: impl Fn(NaiveDate) -> f64,
) -> fmt::Result {
    let bottom = top + STRIP;
    writeln!(out, r#"<rect class="all" x="{LEFT}" y="{top}" width="{PLOT}" height="{STRIP}"/>"#)?;
    for (class, rooms) in [("most", &strip.report.most_booked), ("slept", &strip.slept)] {
        let mut path = format!("M{LEFT} {bottom:.1}");
        let mut height = 0;
        for &day in days {
            let now = rooms.get(&day).copied().unwrap_or(0);
            if now != height {
                write!(path, "H{:.1}V{:.1}", x(day), bottom - STRIP * now as f64 / strip.rooms as f64)?;
                height = now;
            }
        }
        writeln!(out, r#"<path class="{class}" d="{path}H{}V{bottom:.1}Z"/>"#, LEFT + PLOT)?;
    }
    for &day in &strip.report.refused {
        writeln!(out, r#"<path class="refused" d="M{:.1} {:.1}v7"/>"#, x(day), top - 7.0)?;
    }
    let middle = top + STRIP / 2.0 + 4.0;
    let (letter, unit) = (strip.room_type.letter, if strip.rooms == 1 { "room" } else { "rooms" });
    let (share, refused) = (strip.share_slept(days.len()), strip.report.refused.len());
    let (left, right) = (LEFT - 10.0, LEFT + PLOT + 8.0);
    writeln!(out, r#"<text x="24" y="{middle}">{letter}</text>"#)?;
    writeln!(
        out,
        r#"<text class="soft" x="{left}" y="{middle}" text-anchor="end">{} {unit}</text>"#,
        strip.rooms
    )?;
    writeln!(out, r#"<text class="soft" x="{right}" y="{middle}">{share:.0} %, {refused} refused</text>"#)
}

/// A line and a name for each month.
fn months(
    out: &mut String,
    days: &[NaiveDate],
    above: f64,
    below: f64,
    x: impl Fn(NaiveDate) -> f64,
) -> fmt::Result {
    for &day in days.iter().filter(|day| day.day() == 1) {
        let at = x(day);
        let class = if day.month() == 1 { "year" } else { "month" };
        writeln!(out, r#"<path class="{class}" d="M{at:.1} {}V{}"/>"#, above - 8.0, below + 4.0)?;
        let mut name = |y: f64, format| {
            writeln!(out, r#"<text class="soft" x="{:.1}" y="{y}">{}</text>"#, at + 4.0, day.format(format))
        };
        name(below + 8.0, "%b")?;
        if day.month() == 1 || day == days[0] {
            name(below + 22.0, "%Y")?;
        }
    }
    Ok(())
}
