//! The texts of the migrations: frozen once released, and written so that a sharded engine takes them.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};
use slotkeeper::migrate::Migrator;

/// SHA-256 of every file in `src/migrate/migrations`, line ends as on Unix.
const FROZEN: &[(&str, &str)] = &[
    ("0001_create_core.down.sql", "891bc6589fa65dc5d5ef9dc4ff22e46b65a2ee0407fceb931fb7df12ccae2633"),
    ("0001_create_core.up.sql", "c94aa7760ff33a85d0a982604257a6b028f92d8ec0dcb084a32bd40d5be6b640"),
    ("0002_create_offers.down.sql", "e4aab6cfd0c2f7b8f6af32c60be329d72963667fa888b3456e997aa6de072a91"),
    ("0002_create_offers.up.sql", "5b070a750255e17920618df2c9a3d0b3e74d4f8258b4da5ed319b0bb3c75c35a"),
    ("0003_create_archive.down.sql", "492c5c3e911813b507a4dff191d4cff71ff635c482ece04e68ca1ba755784c78"),
    ("0003_create_archive.up.sql", "f3fa40978a307f31f5f6dcd2a2153214f09ed4ee5f54d6c22d629e517f872c38"),
];

fn sha256(text: &str) -> String {
    let digest = Sha256::digest(text.replace('\r', "").as_bytes());
    digest.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

#[test]
fn a_released_migration_never_changes() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/migrate/migrations");
    let mut found = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        found.push((name, sha256(&std::fs::read_to_string(&path).unwrap())));
    }
    found.sort();
    let found: Vec<_> = found.iter().map(|(name, digest)| (name.as_str(), digest.as_str())).collect();
    assert_eq!(
        found, FROZEN,
        "a released migration never changes, because databases out there have applied it: write a new one and add \
         its digests here (only before its release may a migration's digests be replaced)"
    );
    assert_ne!(sha256("DROP TABLE slotkeeper.holds;"), sha256("DROP TABLE slotkeeper.holds ;"));
}

#[test]
fn every_file_is_in_the_list_and_in_order() {
    let listed: Vec<String> = Migrator::new()
        .migrations()
        .iter()
        .flat_map(|m| ["down", "up"].map(|way| format!("{:04}_{}.{way}.sql", m.version, m.name)))
        .collect();
    assert_eq!(listed, FROZEN.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}

/// Without comments, one statement each, white space made single.
fn statements(text: &str) -> Vec<String> {
    let code: Vec<_> = text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    let code = code.join(" ");
    let tidy = code.split(';').map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    tidy.filter(|statement| !statement.is_empty()).collect()
}

/// The text outside all parentheses and literals, where a comma separates sub-commands.
fn outer(statement: &str) -> String {
    let mut depth = 0;
    let mut outer = String::new();
    let code = statement.split('\'').step_by(2).collect::<Vec<_>>().join("''");
    for c in code.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if depth == 0 => outer.push(c),
            _ => {}
        }
    }
    outer
}

/// What is wrong with a migration's text.
fn faults(text: &str) -> Vec<String> {
    const STARTS: &[&str] = &[
        "CREATE DOMAIN slotkeeper.",
        "CREATE TABLE slotkeeper.",
        "CREATE INDEX ",
        "CREATE UNIQUE INDEX ",
        "ALTER TABLE slotkeeper.",
        "DROP TABLE slotkeeper.",
        "DROP DOMAIN slotkeeper.",
        "DROP INDEX slotkeeper.",
    ];
    const RULES: &[&str] = &["PRIMARY KEY", "FOREIGN KEY", "CHECK", "UNIQUE", "EXCLUDE"];
    const BANNED: &[&str] =
        &["IF EXISTS", "IF NOT EXISTS", "CASCADE", "CONCURRENTLY", "DEFERRABLE", "ON DELETE", "ON UPDATE"];
    let mut faults = Vec::new();
    for statement in statements(text) {
        let mut fault = |what: String| faults.push(format!("{what}: {statement}"));
        if !STARTS.iter().any(|start| statement.starts_with(start)) {
            fault("another command, or another schema".into());
        }
        if outer(&statement).contains(',') {
            fault("more than one sub-command".into());
        }
        for banned in BANNED {
            if statement.contains(banned) {
                fault(format!("{banned} is not allowed"));
            }
        }
        // `NAME RULE`: what precedes a rule is its name, and what precedes that is CONSTRAINT.
        let words: Vec<_> = statement.split([' ', '(', ')', ',']).filter(|word| !word.is_empty()).collect();
        for (at, word) in words.iter().enumerate() {
            let pair = [*word, words.get(at + 1).copied().unwrap_or_default()].join(" ");
            let is_rule = RULES.iter().any(|rule| rule == word || *rule == pair);
            let named = at >= 2 && words[at - 2] == "CONSTRAINT";
            if is_rule && !named && words[at - 1] != "CREATE" {
                fault(format!("{word} without a name"));
            }
        }
        if statement.matches("REFERENCES").count() != statement.matches("FOREIGN KEY").count() {
            fault("a reference without a name".into());
        }
        if statement.starts_with("CREATE") && statement.contains(" INDEX ON ") {
            fault("an index without a name".into());
        }
    }
    faults
}

/// A sharded engine takes one sub-command at a time, and what has no explicit name cannot be altered by name later.
#[test]
fn migrations_are_single_explicit_commands() {
    for migration in Migrator::new().migrations() {
        assert!(statements(migration.up).len() > 1 && !statements(migration.down).is_empty());
        assert_eq!(faults(migration.up), [""; 0], "{}", migration.name);
        assert_eq!(faults(migration.down), [""; 0], "{}", migration.name);
    }
}

/// Negative controls: each rule finds what breaks it.
#[test]
fn a_text_that_breaks_a_rule_is_found() {
    for (text, fault) in [
        ("ALTER TABLE slotkeeper.x ADD COLUMN a text, ADD COLUMN b text;", "more than one sub-command"),
        ("DROP TABLE slotkeeper.a, slotkeeper.b;", "more than one sub-command"),
        ("CREATE TABLE other.x (a uuid);", "another command, or another schema"),
        ("DO $$ BEGIN END $$;", "another command, or another schema"),
        ("CREATE TYPE slotkeeper.x AS ENUM ('a');", "another command, or another schema"),
        ("DROP TABLE IF EXISTS slotkeeper.x;", "IF EXISTS is not allowed"),
        ("DROP TABLE slotkeeper.x CASCADE;", "CASCADE is not allowed"),
        ("CREATE TABLE slotkeeper.x (a uuid PRIMARY KEY);", "PRIMARY without a name"),
        ("CREATE TABLE slotkeeper.x (a int, CHECK (a > 0));", "CHECK without a name"),
        ("CREATE TABLE slotkeeper.x (a int, UNIQUE (a));", "UNIQUE without a name"),
        ("CREATE TABLE slotkeeper.x (a uuid REFERENCES slotkeeper.y);", "a reference without a name"),
        ("CREATE INDEX ON slotkeeper.x (a);", "an index without a name"),
    ] {
        assert!(faults(text).iter().any(|found| found.starts_with(fault)), "{text}: {:?}", faults(text));
    }
}
