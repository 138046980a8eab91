//! What a write costs against one bare INSERT.

use crate::{
    measured::Measured,
    page::{Page, cell},
};
use anyhow::Result;

/// Id, what it is, and what was aimed at when durable.
const IDS: [(&str, &str, Option<f64>); 16] = [
    ("bare_insert_heap", "the same row into a table without index or constraint", None),
    ("place_1", "`holds().place`, one resource", Some(1.3)),
    ("confirm_2", "`bookings().confirm`, a hold of two", Some(1.4)),
    ("book_1", "`bookings().book`, one resource", Some(1.5)),
    ("cancel", "`bookings().cancel`", None),
    ("move", "`bookings().move_to`", None),
    ("replay", "a confirmed key again", Some(0.5)),
    ("place_1_of_8_pipelined", "`place_1`, eight in flight on the connection", None),
    ("book_1_of_8_in_a_transaction", "`book_1`, eight in flight in the caller's transaction", None),
    ("raw_place_1", "the SQL of `place_1` sent raw", None),
    ("raw_confirm_2", "the SQL of `confirm_2` sent raw", None),
    ("raw_book_1", "the SQL of `book_1` sent raw", None),
    ("locked_look", "BEGIN; SELECT … FOR UPDATE; overlap SELECT; INSERT; COMMIT", None),
    ("insert_catch", "INSERT, 23P01 caught", None),
    ("advisory", "BEGIN; advisory lock; overlap SELECT; INSERT; COMMIT", None),
    ("serializable", "BEGIN SERIALIZABLE; overlap SELECT; INSERT; COMMIT", None),
];

pub fn section(page: &mut Page, measured: &Measured) -> Result<()> {
    page.say("## One write, one connection (`writes`)");
    let groups = ["writes", "writes_async_commit"];
    let median = |group: &str, id: &str| measured.median(&format!("{group}/{id}"));
    let bare = groups.map(|group| median(group, "bare_insert"));
    let [Some(durable), Some(quick)] = bare else {
        page.say("Not measured: `cargo bench --bench writes`.");
        return Ok(());
    };
    page.say(&format!(
        "Against one prepared autocommit INSERT of the same row into `allocations` with all its constraints and indexes, \
         over the same driver and connection: {:.0} µs durable, {:.0} µs with `synchronous_commit = off`, where nobody \
         waits for the disk and a write's own cost shows.",
        durable / 1_000.0,
        quick / 1_000.0
    ));
    let mut table = Vec::new();
    let mut items = Vec::new();
    for (id, what, goal) in IDS {
        let ratios: Vec<Option<f64>> = groups
            .iter()
            .zip([durable, quick])
            .map(|(group, bare)| Some(median(group, id)? / bare))
            .collect();
        if let Some(ratio) = ratios[0] {
            let ours = goal.is_some() || ["cancel", "move"].contains(&id) || id.contains("_of_8_");
            items.push((if ours { format!("library {id}") } else { id.to_owned() }, ratio));
        }
        let time = median("writes", id).map(|ns| ns / 1_000.0);
        let cells = [cell(ratios[0]), cell(goal), cell(ratios[1]), cell(time)];
        table.push([format!("`{id}`"), what.to_owned()].into_iter().chain(cells).collect());
    }
    page.table(&["id", "what", "durable", "aim", "async commit", "µs durable"], &table);
    page.bars("writes", "One write over one bare INSERT, durable", "ratio of medians", &items)?;
    overhead(page, median);
    Ok(())
}

fn overhead(page: &mut Page, median: impl Fn(&str, &str) -> Option<f64>) {
    let mut table = Vec::new();
    for id in ["place_1", "confirm_2", "book_1"] {
        let over = |group| Some(median(group, id)? / median(group, &format!("raw_{id}"))?);
        table.push(vec![format!("`{id}`"), cell(over("writes")), cell(over("writes_async_commit"))]);
    }
    page.say(
        "The library's own share: each call over the same SQL sent raw through the same driver (aim: 1.05).",
    );
    page.table(&["call", "durable", "async commit"], &table);
}
