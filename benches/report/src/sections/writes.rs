//! What a write costs against one bare INSERT.

use crate::{
    cell::cell,
    measured::Measured,
    page::{Page, number, text},
};
use anyhow::Result;
use serde_json::Value;

/// Id, what it is, and what was aimed at when durable.
const IDS: [(&str, &str, Option<f64>); 26] = [
    ("bare_insert", "one prepared INSERT", None),
    ("bare_insert_heap", "the same row into a table without index or constraint", None),
    ("place_1", "`holds().place`, one resource", Some(1.3)),
    ("place_3", "`holds().place`, three resources", None),
    ("confirm_2", "`bookings().confirm`, a hold of two", Some(1.4)),
    ("book_1", "`bookings().book`, one resource", Some(1.5)),
    ("book_3", "`bookings().book`, three resources", None),
    ("cancel", "`bookings().cancel`", None),
    ("move", "`bookings().move_to`", None),
    ("block", "`allocations().block`, one resource", None),
    ("extend", "`holds().extend`", None),
    ("release", "`holds().release`", None),
    ("replay", "a confirmed key again", Some(0.5)),
    ("place_refused", "`place_1`, refused by a booking", None),
    ("place_1_of_8_pipelined", "`place_1`, eight in flight on the connection", None),
    ("book_1_of_8_in_a_transaction", "`book_1`, eight in flight in the caller's transaction", None),
    ("same_rows_place_1", "the rows of `place_1`, bare in one statement", None),
    ("same_rows_confirm_2", "the rows of `confirm_2`, bare in one statement", None),
    ("same_rows_book_1", "the rows of `book_1`, bare in one statement", None),
    ("raw_place_1", "the SQL of `place_1` sent raw", None),
    ("raw_confirm_2", "the SQL of `confirm_2` sent raw", None),
    ("raw_book_1", "the SQL of `book_1` sent raw", None),
    ("locked_look", "BEGIN; SELECT … FOR UPDATE; overlap SELECT; INSERT; COMMIT", None),
    ("insert_catch", "INSERT, 23P01 caught", None),
    ("advisory", "BEGIN; advisory lock; overlap SELECT; INSERT; COMMIT", None),
    ("serializable", "BEGIN SERIALIZABLE; overlap SELECT; INSERT; COMMIT", None),
];

/// Not `raw_`, not by hand: drawn as ours.
const OURS: [&str; 14] = [
    "place_1",
    "place_3",
    "confirm_2",
    "book_1",
    "book_3",
    "cancel",
    "move",
    "block",
    "extend",
    "release",
    "replay",
    "place_refused",
    "place_1_of_8_pipelined",
    "book_1_of_8_in_a_transaction",
];

const GROUPS: [&str; 2] = ["writes", "writes_async_commit"];

pub fn section(page: &mut Page, measured: &Measured) -> Result<()> {
    page.say("## One write, one connection (`writes`)");
    let Some(recorded) = super::rows(page, measured, "writes") else { return Ok(()) };
    page.say(
        "Against one prepared autocommit INSERT of the same row into `allocations` with all its constraints and indexes, over \
         the same driver and connection; durable, and with `synchronous_commit = off`, where nobody waits for the disk and \
         a write's own cost shows. Taken by turns: 20 calls of each, round after round; ratios are medians over the rounds.",
    );
    let of = |group: &str, id: &str| {
        recorded.rows.iter().find(|row| text(row, "group") == group && text(row, "id") == id)
    };
    let (mut table, mut items) = (Vec::new(), Vec::new());
    for (id, what, aim) in IDS {
        let figure = |group: &str, name: &str| of(group, id).and_then(|row| number(row, name));
        let ratios = GROUPS.map(|group| figure(group, "over_bare_insert"));
        if let Some(ratio) = ratios[0] {
            let ours = if OURS.contains(&id) { "library " } else { "" };
            items.push((format!("{ours}{id}"), ratio));
        }
        let times = GROUPS.map(|group| figure(group, "median_us"));
        let mut cells = vec![format!("`{id}`"), what.to_owned()];
        cells.extend([ratios[0], aim, ratios[1], times[0], times[1]].map(cell));
        table.push(cells);
    }
    page.table(&["id", "what", "durable", "aim", "async commit", "µs durable", "µs async"], &table);
    page.bars("writes", "One write over one bare INSERT, durable", "ratio", &items)?;
    overhead(page, of);
    hot(page, of);
    Ok(())
}

fn overhead<'a>(page: &mut Page, of: impl Fn(&str, &str) -> Option<&'a Value>) {
    let line = |id: &str| {
        let over =
            |name: &'static str| GROUPS.map(|group| cell(of(group, id).and_then(|row| number(row, name))));
        [format!("`{id}`")].into_iter().chain(over("over_raw")).chain(over("over_same_rows")).collect()
    };
    page.say(
        "The library's own share: each call over the same SQL sent raw through the same driver (aim: 1.05). And the share of \
         deciding: each call over the rows it leaves, written bare in one statement that asks nothing.",
    );
    let head = ["call", "over raw, durable", "async commit", "over the same rows, durable", "async commit"];
    page.table(&head, &["place_1", "confirm_2", "book_1"].map(line));
}

fn hot<'a>(page: &mut Page, of: impl Fn(&str, &str) -> Option<&'a Value>) {
    if let Some(row) = of("writes", "hot_updates") {
        page.say(&format!(
            "Of {} updates that confirms made, {} stayed within their page (HOT).",
            text(row, "updates"),
            text(row, "hot")
        ));
    }
}
