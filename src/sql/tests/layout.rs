//! Every SQL file of `src` can be read on a screen, and its steps by their names.

use super::{super::without_comments, files};

const WIDEST: usize = 110;
const SHORTEST_NAME: usize = 4;

/// A common table expression: its name, and what follows it up to the bracket that closes it.
pub(super) struct Step {
    pub(super) name: String,
    pub(super) text: String,
}

/// The steps of a statement, in order. Brackets within literals do not count.
pub(super) fn steps(source: &str) -> Vec<Step> {
    let text = without_comments(source);
    let code: Vec<_> = text.lines().skip_while(|line| !line.starts_with("WITH ")).collect();
    let code = code.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    let Some(mut rest) = code.strip_prefix("WITH ") else { return Vec::new() };
    rest = rest.strip_prefix("RECURSIVE ").unwrap_or(rest);
    let mut steps = Vec::new();
    loop {
        let (head, body) = rest.split_once(" AS ").unwrap();
        let name = head.split([' ', '(']).next().unwrap_or_default().to_owned();
        let end = closing(body);
        // Where a line ends beside a bracket is layout.
        let text = body[..end].replace("( ", "(").replace(" )", ")");
        steps.push(Step { name, text });
        let Some(next) = body[end..].trim_start().strip_prefix(',') else { return steps };
        rest = next.trim_start();
    }
}

/// Where the bracket closes that is opened first.
fn closing(text: &str) -> usize {
    let (mut depth, mut in_literal) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            '\'' => in_literal = !in_literal,
            '(' if !in_literal => depth += 1,
            ')' if !in_literal => depth -= 1,
            _ => continue,
        }
        if c == ')' && !in_literal && depth == 0 {
            return at + 1;
        }
    }
    text.len()
}

fn too_wide(file: &str, text: &str) -> Vec<String> {
    let width = |line: &str| line.chars().count();
    let wide = text.lines().enumerate().filter(|(_, line)| width(line) > WIDEST);
    wide.map(|(i, line)| format!("{file}:{}: {} columns", i + 1, width(line))).collect()
}

fn too_short(file: &str, text: &str) -> Vec<String> {
    let steps = steps(text).into_iter();
    steps
        .filter(|step| step.name.len() < SHORTEST_NAME)
        .map(|step| format!("{file}: {}", step.name))
        .collect()
}

#[test]
fn no_line_is_wider_than_110_columns() {
    let wide: Vec<_> = files().iter().flat_map(|(file, text)| too_wide(file, text)).collect();
    assert_eq!(wide, [""; 0]);
}

#[test]
fn a_wider_line_is_named() {
    let line = "µ".repeat(WIDEST);
    assert_eq!(too_wide("a.sql", &line), [""; 0]);
    assert_eq!(too_wide("a.sql", &format!("-- a.b\n{line}µ\nSELECT 1")), ["a.sql:2: 111 columns"]);
}

#[test]
fn every_step_has_a_name_of_four_letters_or_more() {
    let short: Vec<_> = files().iter().flat_map(|(file, text)| too_short(file, text)).collect();
    assert_eq!(short, [""; 0]);
}

#[test]
fn a_shorter_name_is_found_wherever_it_stands() {
    let text = "-- a.b
WITH RECURSIVE ob (x) AS (
    -- (
    SELECT ')' FROM (SELECT) one
), seen AS MATERIALIZED (
    SELECT 1
), v AS (SELECT 2)
SELECT x FROM ob AS x";
    assert_eq!(too_short("a.sql", text), ["a.sql: ob", "a.sql: v"]);
    let texts: Vec<_> = steps(text).into_iter().map(|step| step.text).collect();
    assert_eq!(texts, ["(SELECT ')' FROM (SELECT) one)", "MATERIALIZED (SELECT 1)", "(SELECT 2)"]);
    assert_eq!(steps("-- a.b\nSELECT 1").len(), 0);
}
