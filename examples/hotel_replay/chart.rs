//! The picture: a strip for each type of room, as high as the hotel has rooms, and a step for each night.

use crate::{bookings::RoomType, front_desk::Report};
use chrono::{Datelike, NaiveDate};
use slotkeeper::Window;
use std::{
    collections::BTreeMap,
    fmt::{Result, Write},
};

const LEFT: f64 = 150.0;
const PLOT: f64 = 1040.0;
const RIGHT: f64 = 130.0;
const TOP: f64 = 104.0;
const STRIP: f64 = 34.0;
const GAP: f64 = 8.0;
/// Between two hotels.
const HEADING: f64 = 26.0;

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
pub(crate) fn draw(strips: &[Strip<'_>]) -> std::result::Result<String, std::fmt::Error> {
    let nights = || strips.iter().flat_map(|strip| strip.report.most_booked.keys());
    let first = nights().min().copied().unwrap_or_default();
    let last = nights().max().copied().unwrap_or_default();
    let days: Vec<NaiveDate> = first.iter_days().take_while(|day| *day <= last).collect();
    let x = |day: NaiveDate| LEFT + PLOT * (day - first).num_days() as f64 / days.len() as f64;

    let mut body = String::new();
    let mut y = TOP;
    let mut hotel = "";
    for strip in strips {
        if strip.room_type.hotel != hotel {
            hotel = strip.room_type.hotel;
            y += HEADING;
            writeln!(body, r#"<text class="hotel" x="12" y="{}">{hotel}</text>"#, y - 9.0)?;
        }
        draw_strip(&mut body, strip, &days, y, x)?;
        y += STRIP + GAP;
    }
    let mut out = String::new();
    let (width, height) = (LEFT + PLOT + RIGHT, y + 40.0);
    heading(&mut out, strips, width, height)?;
    months(&mut out, &days, y, x)?;
    out.push_str(&body);
    out.push_str("</svg>\n");
    Ok(out)
}

fn heading(out: &mut String, strips: &[Strip<'_>], width: f64, height: f64) -> Result {
    let refused: usize = strips.iter().map(|strip| strip.report.refused.len()).sum();
    let rooms: usize = strips.iter().map(|strip| strip.rooms).sum();
    let booked: usize = strips.iter().map(|strip| strip.report.booked).sum();
    writeln!(
        out,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="Helvetica, Arial, sans-serif" font-size="12" fill="#222">
<style>
.title {{ font-size: 19px; font-weight: bold }} .hotel {{ font-size: 14px; font-weight: bold }} .soft {{ fill: #666 }}
.all {{ fill: #f1f1ee }} .most {{ fill: #a9d3e0 }} .slept {{ fill: #17607d }} .refused {{ stroke: #c8321f; stroke-width: 1.4 }}
.month {{ stroke: #d8d8d4 }} .year {{ stroke: #999 }}
</style>
<rect width="100%" height="100%" fill="#fff"/>
<text class="title" x="12" y="30">Two hotels, {rooms} rooms, {booked} bookings taken and {refused} refused: no room is sold twice</text>
<text class="soft" x="12" y="50">Each strip is as high as the hotel has rooms of that type; one step is one night. Where the light area reaches the top, every room was booked at some time, though part was cancelled later.</text>
<rect class="slept" x="12" y="64" width="22" height="12"/><text x="40" y="74">slept in</text>
<rect class="most" x="112" y="64" width="22" height="12"/><text x="140" y="74">most rooms booked at one time, before cancellations</text>
<rect class="all" x="452" y="64" width="22" height="12" stroke="#ccc"/><text x="480" y="74">never booked</text>
<path class="refused" d="M586 62v16M591 62v16M599 62v16"/><text x="608" y="74">arrival of a refused booking</text>"##
    )
}

fn draw_strip(
    out: &mut String,
    strip: &Strip<'_>,
    days: &[NaiveDate],
    top: f64,
    x: impl Fn(NaiveDate) -> f64,
) -> Result {
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
        writeln!(out, r#"<path class="refused" d="M{:.1} {:.1}v7"/>"#, x(day), top - 6.0)?;
    }
    let (middle, unit) = (top + STRIP / 2.0 + 4.0, if strip.rooms == 1 { "room" } else { "rooms" });
    writeln!(out, r#"<text x="24" y="{middle}">{}</text>"#, strip.room_type.letter)?;
    let label = |out: &mut String, x: f64, anchor: &str, text: &str| {
        writeln!(out, r#"<text class="soft" x="{x}" y="{middle}" text-anchor="{anchor}">{text}</text>"#)
    };
    label(out, LEFT - 10.0, "end", &format!("{} {unit}", strip.rooms))?;
    let refused = strip.report.refused.len();
    let share = strip.share_slept(days.len());
    label(out, LEFT + PLOT + 8.0, "start", &format!("{share:.0} %, {refused} refused"))
}

/// A line and a name for each month.
fn months(out: &mut String, days: &[NaiveDate], bottom: f64, x: impl Fn(NaiveDate) -> f64) -> Result {
    for &day in days.iter().filter(|day| day.day() == 1) {
        let (at, class) = (x(day), if day.month() == 1 { "year" } else { "month" });
        writeln!(out, r#"<path class="{class}" d="M{at:.1} {TOP}V{bottom}"/>"#)?;
        writeln!(
            out,
            r#"<text class="soft" x="{:.1}" y="{}">{}</text>"#,
            at + 4.0,
            bottom + 12.0,
            day.format("%b")
        )?;
        if day.month() == 1 || day == days[0] {
            writeln!(out, r#"<text x="{:.1}" y="{}">{}</text>"#, at + 4.0, bottom + 28.0, day.year())?;
        }
    }
    let right = LEFT + PLOT + 8.0;
    writeln!(out, r#"<text class="soft" x="{right}" y="{}">nights slept in</text>"#, TOP + HEADING - 9.0)
}
