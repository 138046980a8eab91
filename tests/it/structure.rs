//! The house rules of `src`: which module may use which, held by reading the code.
//!
//! Arrows point down: value → constraint, violation, failure, error → executor, sql, write → nouns; and beside them
//! ops → rollout → migrate.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// From the ground up. A module may use those of its own floor and of the floors below, never one above.
const FLOORS: [&[&str]; 8] = [
    &["schema", "serde_seconds", "value"],
    &["constraint", "constraint_map", "sql", "violation"],
    &["error", "failure"],
    &["executor", "handle", "metrics", "write"],
    &[
        "allocation",
        "availability_cache",
        "booking",
        "confirmation",
        "hold",
        "offer",
        "outbox",
        "resource",
        "retention",
    ],
    &["ops"],
    &["rollout"],
    &["migrate"],
];

/// The first of the floors that work on tables in use. They are beside the core, not above it.
const BESIDE: usize = 5;

/// What they may use of the core's upper floors: the records are read where they are audited.
const CROSSINGS: [(&str, &str); 1] = [("migrate", "confirmation")];

/// A file of `src` and its text.
type File = (String, String);

fn sources() -> Vec<File> {
    fn walk(folder: &Path, root: &Path, files: &mut Vec<File>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && name != "bin" {
                walk(&path, root, files);
            } else if name.ends_with(".rs") && name != "lib.rs" {
                files.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &root, &mut files);
    files
}

fn lib() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap()
}

/// The top module a file belongs to.
fn room(file: &str) -> &str {
    let first = file.split('/').next().unwrap();
    first.strip_suffix(".rs").unwrap_or(first)
}

/// The paths that begin with `crate::`, as far as they name modules; comments may speak of anything.
fn paths(text: &str) -> Vec<Vec<String>> {
    let code: String =
        text.lines().map(|line| line.split("//").next().unwrap_or("").to_owned() + "\n").collect();
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            branches(&code[at + "crate::".len()..], &[], &mut found);
        }
    }
    found
}

/// Follows one path, and each branch where it opens a brace. Returns how much of the text it took.
fn branches(text: &str, before: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = before.to_vec();
    let mut at = 0;
    loop {
        let rest = &text[at..];
        if rest.starts_with('{') {
            at += 1;
            while !text[at..].starts_with('}') && at < text.len() {
                at += match text[at..].chars().next() {
                    Some(c) if c.is_alphabetic() || c == '_' => branches(&text[at..], &path, found),
                    Some(c) => c.len_utf8(),
                    None => 1,
                };
            }
            return at + 1;
        }
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        path.push(rest[..word].to_owned());
        at += word;
        if !text[at..].starts_with("::") || text[at..].starts_with("::<") {
            found.push(path);
            return at.max(1);
        }
        at += 2;
    }
}

/// Every arrow that breaks a rule, as `file → what it uses: why`.
fn breaches(files: &[File]) -> Vec<String> {
    let floor_of = |room: &str| FLOORS.iter().position(|rooms| rooms.contains(&room));
    let mut breaches = BTreeSet::new();
    for (file, text) in files {
        let from = room(file);
        let Some(floor) = floor_of(from) else {
            breaches.insert(format!("{file}: no floor is given for module {from}"));
            continue;
        };
        for path in paths(text) {
            let to = path[0].as_str();
            let Some(below) = floor_of(to).filter(|_| to != from) else { continue };
            let crosses = floor >= BESIDE && (3..BESIDE).contains(&below) && !CROSSINGS.contains(&(from, to));
            let noun = |floor: usize| floor == BESIDE - 1;
            if below > floor || crosses {
                breaches.insert(format!("{file} → {to}: runs back up"));
            } else if noun(floor)
                && noun(below)
                && path.iter().any(|name| name == "repository" || name.ends_with("Repository"))
            {
                breaches.insert(format!("{file} → {}: another noun's repository", path.join("::")));
            }
        }
    }
    breaches.extend(circles(files));
    breaches.into_iter().collect()
}

/// Modules that use each other in a circle.
fn circles(files: &[File]) -> Vec<String> {
    let mut uses: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (file, text) in files {
        let from = room(file);
        let to = paths(text).into_iter().map(|mut path| path.swap_remove(0)).filter(|to| to != from);
        uses.entry(from).or_default().extend(to);
    }
    // What nothing left uses, or what uses nothing left, is in no circle.
    loop {
        let rooms: BTreeSet<String> = uses.keys().map(|room| (*room).to_owned()).collect();
        let before = uses.len();
        uses.retain(|_, to| to.iter().any(|to| rooms.contains(to)));
        if uses.len() == before {
            break;
        }
    }
    uses.keys().map(|room| format!("{room}: in a circle of modules, or above one")).collect()
}

#[test]
fn no_arrow_runs_back() {
    assert_eq!(breaches(&sources()), [""; 0]);
}

/// The rules are broken on purpose, and each breach is named.
#[test]
fn an_arrow_that_runs_back_is_found() {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    for (planted, breach) in [
        (
            file("error.rs", "use crate::{value::ResourceId, allocation::Blocker};"),
            "error.rs → allocation: runs back up",
        ),
        (
            file("hold/model.rs", "fn f() { crate::rollout::Guard::on(); }"),
            "hold/model.rs → rollout: runs back up",
        ),
        (file("ops/lock.rs", "use crate::rollout::Guard;"), "ops/lock.rs → rollout: runs back up"),
        (
            file("rollout/up.rs", "use crate::{ops::Pace, migrate::{Down, Migrator}};"),
            "rollout/up.rs → migrate: runs back up",
        ),
        (file("rollout/up.rs", "use crate::hold::Hold;"), "rollout/up.rs → hold: runs back up"),
        (
            file("hold/repository.rs", "use crate::allocation::repository::conflict;"),
            "hold/repository.rs → allocation::repository::conflict: another noun's repository",
        ),
        (file("drawer.rs", ""), "drawer.rs: no floor is given for module drawer"),
    ] {
        assert_eq!(breaches(std::slice::from_ref(&planted)), [breach], "{planted:?}");
    }
    let circle = [file("booking/a.rs", "use crate::hold::X;"), file("hold/b.rs", "use crate::booking::Y;")];
    assert_eq!(breaches(&circle).len(), 2);
    assert_eq!(
        breaches(&[file("value/ids.rs", "//! [`crate::rollout`]\nuse crate::value::A; // crate::hold::B")]),
        [""; 0]
    );
}

/// Each name that leaves its room, as `room::name`, with where a user then finds it.
///
/// A name leaves its room by a `pub use` in `lib.rs` or in another room, or because the room is public: then it is found
/// under the room's own name too. The crates that are re-exported whole are not ours.
fn public_paths(lib: &str, files: &[File]) -> BTreeMap<String, BTreeSet<String>> {
    let public: BTreeSet<&str> =
        lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut leaves = |room: &str, name: &str, by: String| {
        let paths = found.entry(format!("{room}::{name}")).or_default();
        paths.insert(by);
        if public.contains(room) {
            paths.insert(format!("{room}::{name}"));
        }
    };
    for path in exports(lib).iter().filter(|path| path.len() > 1) {
        let name = path.last().unwrap();
        leaves(&path[0], name, name.clone());
    }
    for (file, text) in files {
        let from = room(file);
        let shown =
            public.contains(from) && (*file == format!("{from}.rs") || *file == format!("{from}/mod.rs"));
        for path in exports(text) {
            let name = path.last().unwrap();
            match path[0].as_str() {
                "crate" => leaves(&path[1], name, format!("{from}::{name}")),
                _ if shown => leaves(from, name, format!("{from}::{name}")),
                _ => {}
            }
        }
        for name in text.lines().filter_map(declared).filter(|_| shown) {
            leaves(from, name, format!("{from}::{name}"));
        }
    }
    found
}

/// The paths of every `pub use` of a file.
fn exports(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, head) in text.match_indices("pub use ") {
        if text[..at].is_empty() || text[..at].ends_with('\n') {
            branches(&text[at + head.len()..], &[], &mut found);
        }
    }
    found
}

/// The name a line declares to all, outside any block.
fn declared(line: &str) -> Option<&str> {
    let mut words = line.strip_prefix("pub ")?.split_whitespace().skip_while(|word| *word == "async");
    let kind = words.next()?;
    let rest = ["struct", "enum", "trait", "type", "const", "static", "fn"]
        .contains(&kind)
        .then(|| words.next())??;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

/// The names with more than one public path.
fn found_twice(lib: &str, files: &[File]) -> Vec<String> {
    public_paths(lib, files)
        .into_iter()
        .filter(|(_, paths)| paths.len() > 1)
        .map(|(name, paths)| format!("{name}: {}", paths.into_iter().collect::<Vec<_>>().join(", ")))
        .collect()
}

/// A user finds each type in one place, and so do its readers.
#[test]
fn each_public_name_has_one_path() {
    let files = sources();
    assert_eq!(found_twice(&lib(), &files), [""; 0]);
    assert!(files.iter().all(|(_, text)| !text.contains("\npub mod ")), "only lib.rs has public modules");
    let known = public_paths(&lib(), &files);
    for name in ["value::TenantId", "error::Error", "hold::PlaceHold", "value::Blocker", "migrate::Migrator"]
    {
        assert!(known.contains_key(name), "{name} is not seen");
    }
}

#[test]
fn a_second_path_is_found() {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let files = [
        file("hold/mod.rs", "mod model;\npub use model::{Hold, PlaceHold};\npub const LIMIT: u8 = 1;"),
        file("ids.rs", "pub struct HoldId(u8);"),
        file("rollout/mod.rs", "pub use crate::ops::{Pace, object::State};"),
        file("migrate/repair.rs", "pub use crate::ops::State;\npub(crate) use crate::ops::Pace;"),
    ];
    assert_eq!(found_twice("mod ids;\npub mod hold;\npub use ids::HoldId;", &files[..3]), [""; 0]);
    assert_eq!(
        found_twice("pub mod ids;\npub mod hold;\npub use {hold::{Hold, LIMIT}, ids::HoldId};", &files),
        [
            "hold::Hold: Hold, hold::Hold",
            "hold::LIMIT: LIMIT, hold::LIMIT",
            "ids::HoldId: HoldId, ids::HoldId",
            "ops::State: migrate::State, rollout::State",
        ]
    );
}
