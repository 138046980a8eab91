//! Which tables a statement of ours reads, writes and locks, read from its text.
//!
//! It does not parse SQL in general; it reads the files in `src/sql`, which are all written alike: keywords in capitals, names
//! in small letters, every table with its schema and nothing else with one, so that a CTE is never taken for a table. What
//! it finds is tried on a real server, statement by statement, in `on_a_server`: each privilege is needed, none is missing.

use std::collections::BTreeSet;

/// What is done to a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verb {
    Select,
    Insert,
    Update,
    Delete,
    /// `FOR UPDATE`, `FOR SHARE` and the like.
    Lock,
}

/// A table without its schema, and what is done to it.
pub(super) type Use = (String, Verb);

/// One pair of parentheses: a query of its own, or a list, which has no tables.
#[derive(Default)]
struct Level<'a> {
    /// Tables it reads, each under the name a lock would call it by.
    sources: Vec<(&'a str, &'a str)>,
    /// The table it inserts into, updates or deletes from.
    target: Option<&'a str>,
}

/// Everything a statement does; the schema is qualified, as [`texts`](crate::sql::texts) are.
pub(super) fn uses(text: &str) -> BTreeSet<Use> {
    let tokens = tokens(text);
    let mut found = BTreeSet::new();
    let mut levels = vec![Level::default()];
    for (at, &token) in tokens.iter().enumerate() {
        match token {
            "(" => levels.push(Level::default()),
            ")" => drop(levels.pop()),
            _ => {}
        }
        let Some(level) = levels.last_mut() else { break };
        let before = &tokens[..at];
        let verbs: Vec<(&str, Verb)> = match &tokens[at..] {
            // A lock belongs to its own SELECT, not to the one it is united with.
            ["UNION", ..] => {
                *level = Level::default();
                vec![]
            }
            [schema, ".", table, after @ ..] if schema.starts_with('"') => level.table(before, table, after),
            ["ON", "CONFLICT", arbiter, ..] if *arbiter != "DO" => level.target(Verb::Select),
            ["DO", "UPDATE", ..] => level.target(Verb::Update),
            ["RETURNING", what, ..] if !what.starts_with(|c: char| c.is_ascii_digit()) => {
                level.target(Verb::Select)
            }
            ["FOR", "NO", "KEY", "UPDATE", after @ ..]
            | ["FOR", "KEY", "SHARE", after @ ..]
            | ["FOR", "UPDATE" | "SHARE", after @ ..] => level.lock(after),
            _ => vec![],
        };
        found.extend(verbs.into_iter().map(|(table, verb)| (table.to_owned(), verb)));
    }
    found
}

impl<'a> Level<'a> {
    /// A table is met. What stands before it says what for; every UPDATE and DELETE of ours reads the tenant, at least.
    fn table(&mut self, before: &[&str], table: &'a str, after: &[&'a str]) -> Vec<(&'a str, Verb)> {
        let mut write = |verbs: &[Verb]| {
            self.target = Some(table);
            verbs.iter().map(|&verb| (table, verb)).collect()
        };
        match before {
            [.., "INTO"] => write(&[Verb::Insert]),
            [.., "UPDATE"] => write(&[Verb::Update, Verb::Select]),
            [.., "DELETE", "FROM"] => write(&[Verb::Delete, Verb::Select]),
            _ => {
                self.sources.push((alias(after).unwrap_or(table), table));
                vec![(table, Verb::Select)]
            }
        }
    }

    fn target(&self, verb: Verb) -> Vec<(&'a str, Verb)> {
        self.target.into_iter().map(|table| (table, verb)).collect()
    }

    /// The tables named after `OF`; without it, all that the query reads.
    fn lock(&self, after: &[&str]) -> Vec<(&'a str, Verb)> {
        let of = |name: &str| !matches!(after, ["OF", of, ..] if *of != name);
        let locked = self.sources.iter().filter(|(name, _)| of(name));
        locked.map(|&(_, table)| (table, Verb::Lock)).collect()
    }
}

/// The name a table is given, if it is given one.
fn alias<'a>(after: &[&'a str]) -> Option<&'a str> {
    let name = match after {
        ["AS", name, ..] | [name, ..] => *name,
        [] => return None,
    };
    name.starts_with(|c: char| c.is_ascii_lowercase()).then_some(name)
}

/// Words, numbers, quoted names and single signs. Strings are left out, and so is the first line, which is a comment.
fn tokens(text: &str) -> Vec<&str> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut rest = text.split_once('\n').map_or("", |(_, rest)| rest);
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '\'' | '"' => rest[1..].find(first).map_or(rest.len(), |at| at + 2),
            _ if word(first) => rest.find(|c| !word(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        if !first.is_whitespace() && first != '\'' {
            tokens.push(&rest[..end]);
        }
        rest = &rest[end..];
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As one line: `a:Select b:Lock`.
    fn read(statement: &str) -> String {
        let found = uses(&format!("-- noun.verb\n{statement}"));
        found.iter().map(|(table, verb)| format!("{table}:{verb:?}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_verb_is_read() {
        for (statement, expected) in [
            (r#"SELECT a.x FROM "s".t a JOIN "s".u ON true"#, "t:Select u:Select"),
            (r#"INSERT INTO "s".t (x) VALUES ($1) RETURNING 1"#, "t:Insert"),
            (r#"INSERT INTO "s".t (x) VALUES ($1) RETURNING x"#, "t:Select t:Insert"),
            (r#"INSERT INTO "s".t (x) VALUES ($1) ON CONFLICT DO NOTHING"#, "t:Insert"),
            (
                r#"INSERT INTO "s".t (x) VALUES ($1) ON CONFLICT ON CONSTRAINT k DO NOTHING"#,
                "t:Select t:Insert",
            ),
            (
                r#"INSERT INTO "s".t AS a (x) SELECT u.x FROM "s".u ON CONFLICT ON CONSTRAINT k DO UPDATE SET x = 1"#,
                "t:Select t:Insert t:Update u:Select",
            ),
            (r#"UPDATE "s".t a SET x = 1 WHERE a.x = $1"#, "t:Select t:Update"),
            (r#"DELETE FROM "s".t a USING "s".u WHERE a.x = u.x"#, "t:Select t:Delete u:Select"),
        ] {
            assert_eq!(read(statement), expected, "{statement}");
        }
    }

    #[test]
    fn a_lock_is_on_the_tables_of_its_own_query() {
        for (statement, expected) in [
            (r#"SELECT 1 FROM "s".t a FOR UPDATE SKIP LOCKED"#, "t:Select t:Lock"),
            (
                r#"SELECT 1 FROM "s".t JOIN "s".u ON true FOR NO KEY UPDATE"#,
                "t:Select t:Lock u:Select u:Lock",
            ),
            (
                r#"SELECT 1 FROM "s".t AS a JOIN "s".u b ON true FOR KEY SHARE OF b"#,
                "t:Select u:Select u:Lock",
            ),
            (r#"SELECT (SELECT 1 FROM "s".t) FROM "s".u FOR SHARE"#, "t:Select u:Select u:Lock"),
            (
                r#"SELECT 1 FROM "s".t, LATERAL (SELECT 1 FROM "s".u FOR UPDATE) u"#,
                "t:Select u:Select u:Lock",
            ),
        ] {
            assert_eq!(read(statement), expected, "{statement}");
        }
    }

    #[test]
    fn neither_ctes_nor_strings_are_tables() {
        let statement = r#"WITH t AS (SELECT 'FROM "s".x; it''s FOR UPDATE' FROM "s".u) SELECT 1 FROM t"#;
        assert_eq!(read(statement), "u:Select");
        assert_eq!(read(r#"SELECT a.x IS DISTINCT FROM (1) FROM "s".t a"#), "t:Select");
    }
}
