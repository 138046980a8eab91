//! What a write costs the server's processor.

use crate::{
    measured::Measured,
    page::{Page, number, text},
};

pub fn section(page: &mut Page, measured: &Measured) {
    page.say("## Instructions of one write (`instructions`)");
    let Some(recorded) = super::rows(page, measured, "instructions") else { return };
    page.say(
        "Counted by callgrind in a real back end: prepared statements, binary parameters, statistics up to date. `same_rows_…` \
         are the rows of an operation written bare in one statement: nothing correct is below. No write may exceed this table \
         by over 3 % (`cargo run -p report -- gate`).",
    );
    let count = |id: &str| {
        let row = recorded.rows.iter().find(|row| text(row, "id") == id);
        row.and_then(|row| number(row, "instructions"))
    };
    let bare = count("bare_insert");
    let over = |count: f64, other: Option<f64>| {
        other.map_or("–".to_owned(), |other| format!("{:.2}", count / other))
    };
    let line = |row: &serde_json::Value| {
        let (id, instructions) = (text(row, "id"), number(row, "instructions")?);
        let cells = [
            format!("`{id}`"),
            format!("{:.0}", instructions / 1_000.0),
            over(instructions, bare),
            over(instructions, count(&format!("same_rows_{id}"))),
        ];
        Some(cells.to_vec())
    };
    let table: Vec<Vec<String>> = recorded.rows.iter().filter_map(line).collect();
    page.table(&["write", "thousand instructions", "over bare_insert", "over the same rows bare"], &table);
}
