//! The registry against the files; in the files below the files themselves.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod families;
mod layout;

use super::*;
use std::path::Path;

/// Every SQL file of `src`, below it and by name, with its text.
fn files() -> Vec<(String, String)> {
    fn walk(folder: &Path, root: &Path, files: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, files);
            } else if path.extension().is_some_and(|ext| ext == "sql") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                files.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let mut files = Vec::new();
    walk(root, root, &mut files);
    files.sort();
    files
}

#[test]
fn every_file_is_registered_and_names_itself() {
    let mut found = 0;
    for (name, text) in files() {
        let Some(statement) = name.strip_prefix("sql/").and_then(|name| name.strip_suffix(".sql")) else {
            continue;
        };
        let header = format!("-- {}\n", statement.replace('/', "."));
        assert!(text.starts_with(&header), "{name} does not name itself");
        let mut known = Sql::ALL.iter().map(|sql| sql.source()).chain([RESOLVE_PARTITION]);
        assert!(known.any(|source| source == text), "{name} is not registered");
        found += 1;
    }
    assert_eq!(found, Sql::ALL.len() + 1);
}

/// What the header of a file calls its parameters: `$3 resources[]  $7 buffer before, s`.
fn labelled(source: &str) -> Vec<String> {
    let header = source.lines().take_while(|line| line.starts_with("--"));
    let labels = header.filter(|line| line.starts_with("-- $")).flat_map(|line| line[3..].split("  "));
    let name = |label: &str| {
        let (_, text) = label.split_once(' ').unwrap_or_default();
        text.split([',', '[', '(', ':']).next().unwrap_or_default().trim().replace(' ', "_")
    };
    labels
        .enumerate()
        .map(|(i, label)| {
            let numbered = label.starts_with(&format!("${} ", i + 1));
            if numbered { name(label) } else { format!("{label:?} is not ${}", i + 1) }
        })
        .collect()
}

/// The highest `$n` outside of the header.
fn used(source: &str) -> usize {
    let text = without_comments(source);
    let number = |rest: &str| rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|n| n.parse().ok());
    text.match_indices('$').filter_map(|(at, _)| number(&text[at + 1..])).max().unwrap_or(0)
}

fn mislabelled(statement: &str, registered: &[&str], source: &str) -> Option<String> {
    let labelled = labelled(source);
    (labelled != registered || used(source) != registered.len()).then(|| {
        format!("{statement}: registered {registered:?}, labelled {labelled:?}, {} used", used(source))
    })
}

#[test]
fn parameters_are_labelled_as_they_are_registered() {
    let wrong = |sql: &Sql| mislabelled(&format!("{sql:?}"), sql.parameters(), sql.source());
    assert_eq!(Sql::ALL.iter().filter_map(wrong).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn a_parameter_too_few_or_in_another_place_is_found() {
    let source = "-- a.b\n-- $1 tenant  $2 hold\n-- $3 buffer before, s\nSELECT $1, $2, $3";
    assert_eq!(mislabelled("X", &["tenant", "hold", "buffer_before"], source), None);
    for wrong in [&["tenant", "hold"][..], &["hold", "tenant", "buffer_before"], &["tenant", "hold", "after"]]
    {
        let text = mislabelled("HoldFind", wrong, source).unwrap();
        assert!(text.starts_with(&format!("HoldFind: registered {wrong:?}, labelled ")), "{text}");
    }
    let text = mislabelled("HoldFind", &["tenant"], "-- a.b\n-- $1 tenant\nSELECT $1, $2").unwrap();
    assert!(text.starts_with("HoldFind: ") && text.ends_with(", 2 used"), "{text}");
}

#[test]
fn every_statement_is_confined_to_a_tenant_and_a_schema() {
    let schema = SchemaName::new("other").unwrap();
    for (sql, text) in Sql::ALL.iter().zip(texts(&schema)) {
        assert!(text.contains("tenant_id = $1") || text.contains("VALUES ($1"), "{sql:?}");
        assert!(!text.contains("slotkeeper."), "{sql:?}");
        assert!(text.contains("\"other\"."), "{sql:?}");
        assert!(!text.contains('*') || !text.contains("SELECT * FROM \"other\""), "{sql:?}");
    }
}
