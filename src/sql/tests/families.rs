//! Statements of one family share their steps: a step of one name has one text, or it is listed here why not.
//!
//! The texts are written out in every file, so that a file is the statement; this keeps them from drifting apart.

use super::layout::steps;
use crate::sql::Sql;
use std::collections::BTreeSet;

/// A step whose text is meant to differ.
struct Differs {
    step: &'static str,
    /// Who shares a text: verbs, in the family's order, one group of equals after the other.
    groups: &'static str,
    because: &'static str,
}

const fn differs(step: &'static str, groups: &'static str, because: &'static str) -> Differs {
    Differs { step, groups, because }
}

const CLAIMING: &[Sql] = &[
    Sql::HoldPlace,
    Sql::HoldPlaceSingle,
    Sql::HoldReplace,
    Sql::BookingBook,
    Sql::BookingBookSingle,
    Sql::BookingMove,
    Sql::AllocationBlock,
];

const CLAIMING_DIFFERS: &[Differs] = &[
    differs(
        "prior",
        "place replace | book book_single | move | block",
        "what makes a call a repeat: the hold's id, the key of the operation, the blackout's rows",
    ),
    differs(
        "taken",
        "place replace | block",
        "what else may have the id: a blackout or a booking; a hold or a booking",
    ),
    differs("booking", "book | move", "a move needs the claim too, and its booking has another parameter"),
    differs(
        "wanted",
        "place block | replace | book move",
        "records need the resource; what must be well differs",
    ),
    differs(
        "seen",
        "place book block | replace | move",
        "the old hold's rows count as stale, the booking's own are left out",
    ),
    differs("locked", "place book block | replace | move", "the resources given up are locked too"),
    differs("actor_holds", "place | replace", "a live old hold makes room for the new one"),
    differs("inspected", "place | replace | book | move | block", "each operation has its own refusals"),
    differs("stale", "place book block | replace | move", "the old rows are given up too"),
    differs("resource", "place_single | book_single", "a record needs more of it, and a repeat none"),
    differs(
        "claimed",
        "place replace | place_single | book | book_single | move | block",
        "the rows' kind, whose claim it is, and whether it expires; scalars instead of arrays",
    ),
    differs(
        "hold_written",
        "place | place_single | replace",
        "only a limit numbers holds; a replaced hold hands on that it is numbered",
    ),
    differs("verdict", "book | move", "each names its success"),
    differs("record", "book | book_single | move", "operation, parameters, and scalars instead of arrays"),
    differs(
        "booking_written",
        "book | book_single | move",
        "a new booking or a pending one; always a new one; one that exists",
    ),
    differs("event", "book | book_single | move | block", "what it reports, and what it counts"),
];

const CONFIRMING: &[Sql] = &[Sql::BookingConfirm, Sql::BookingConfirmActive];

const CONFIRMING_DIFFERS: &[Differs] = &[
    differs("hold", "confirm | confirm_active", "the booking's row is locked before"),
    differs("held_rows", "confirm | confirm_active", "resources are locked before, and the places are known"),
    differs("verdict", "confirm | confirm_active", "the fast form judges where it reads"),
    differs("record", "confirm | confirm_active", "the general form also records a booking and blockers"),
    differs(
        "allocations_written",
        "confirm | confirm_active",
        "a refusal may name a booking, but not confirm it",
    ),
    differs("hold_written", "confirm | confirm_active", "a refusal may name a booking, but not confirm it"),
    differs("booking_written", "confirm | confirm_active", "a pending booking exists"),
    differs("event", "confirm | confirm_active", "it counts the booking, which may have been lost to a race"),
];

/// A verb and its statement.
type Member<'a> = (&'a str, &'a str);

fn members(family: &[Sql]) -> Vec<Member<'static>> {
    let verb = |source: &'static str| source.lines().next().and_then(|name| name.rsplit('.').next());
    family.iter().map(|sql| (verb(sql.source()).unwrap_or_default(), sql.source())).collect()
}

/// Who has the same text for a step, as [`Differs::groups`] writes it.
fn groups(members: &[Member<'_>], step: &str) -> String {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for (verb, source) in members {
        let Some(found) = steps(source).into_iter().find(|found| found.name == step) else { continue };
        match groups.iter_mut().find(|(text, _)| *text == found.text) {
            Some((_, verbs)) => verbs.push(verb),
            None => groups.push((found.text, vec![verb])),
        }
    }
    groups.iter().map(|(_, verbs)| verbs.join(" ")).collect::<Vec<_>>().join(" | ")
}

/// The steps that are not what the list says of them. One that is not listed has one text.
fn unexpected(members: &[Member<'_>], list: &[Differs]) -> Vec<String> {
    let names = members.iter().flat_map(|(_, source)| steps(source)).map(|step| step.name);
    let listed = list.iter().map(|differs| differs.step.to_owned());
    let mut found = Vec::new();
    for name in names.chain(listed).collect::<BTreeSet<_>>() {
        let groups = groups(members, &name);
        match list.iter().find(|differs| differs.step == name) {
            Some(_) if !groups.contains('|') => found.push(format!("{name}: listed, and has one text")),
            Some(differs) if differs.groups != groups => {
                found.push(format!(
                    "{name}: {groups}; listed as {}, because {}",
                    differs.groups, differs.because
                ));
            }
            None if groups.contains('|') => found.push(format!("{name}: {groups}; not listed")),
            _ => {}
        }
    }
    found
}

#[test]
fn a_step_has_one_text_in_its_family_or_is_listed() {
    assert_eq!(unexpected(&members(CLAIMING), CLAIMING_DIFFERS), [""; 0]);
    assert_eq!(unexpected(&members(CONFIRMING), CONFIRMING_DIFFERS), [""; 0]);
    for differs in CLAIMING_DIFFERS.iter().chain(CONFIRMING_DIFFERS) {
        assert!(!differs.because.is_empty(), "{}", differs.step);
    }
}

#[test]
fn a_text_that_drifts_and_an_entry_nobody_needs_are_found() {
    let left = ("left", "-- a.left\nWITH seen AS (\n    SELECT 1\n), freed AS (SELECT 2)\nSELECT 3");
    let right = ("right", "-- a.right\nWITH seen AS (SELECT 1), freed AS (SELECT 4)\nSELECT 3");
    let freed = |groups| differs("freed", groups, "it must");
    assert_eq!(unexpected(&[left, right], &[freed("left | right")]), [""; 0]);
    assert_eq!(unexpected(&[left, right], &[]), ["freed: left | right; not listed"]);
    let wrong = unexpected(&[left, right], &[freed("left right")]);
    assert_eq!(wrong, ["freed: left | right; listed as left right, because it must"]);
    let idle = [freed("left | right"), differs("seen", "left | right", "once"), differs("gone", "", "once")];
    let found = unexpected(&[left, right], &idle);
    assert_eq!(found, ["gone: listed, and has one text", "seen: listed, and has one text"]);
}

/// The steps the table at the top of `sql.rs` explains.
fn vocabulary(text: &str) -> BTreeSet<&str> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | `"));
    let firsts = rows.filter_map(|row| row.split('|').next());
    firsts
        .flat_map(|names| names.split('`').step_by(2))
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn the_vocabulary_explains_every_step_of_a_family() {
    let known = vocabulary(include_str!("../../sql.rs"));
    let families = members(CLAIMING).into_iter().chain(members(CONFIRMING));
    let steps: BTreeSet<_> = families.flat_map(|(_, source)| steps(source)).map(|step| step.name).collect();
    let missing: Vec<_> = steps.iter().filter(|step| !known.contains(step.as_str())).collect();
    assert_eq!(missing, [""; 0]);
    assert_eq!(vocabulary("//! | `one`, `two` | `three` |\n//! | step |"), BTreeSet::from(["one", "two"]));
}
