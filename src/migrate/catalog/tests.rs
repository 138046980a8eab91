#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::constraint::{Constraint, ConstraintKind};

/// A catalog of two tables with a line of every kind.
const WHOLE: &str = "\
column\tchild\tid\tuuid not null
column\tchild\tparent_id\tuuid
column\tchild\tspan\ttstzrange not null
column\tparent\tid\tuuid not null default gen_random_uuid()
constraint\tchild\tchild_excl\tEXCLUDE USING gist (parent_id WITH =, span WITH &&) WHERE ((parent_id IS NOT NULL))
constraint\tchild\tchild_fkey\tFOREIGN KEY (parent_id) REFERENCES slotkeeper.parent(id), triggers OOOO
constraint\tchild\tchild_span_check\tCHECK ((span <@ '[2000-01-01,2200-01-01)'::tstzrange))
constraint\tparent\tparent_pkey\tPRIMARY KEY (id)
index\tchild\tchild_key\tCREATE UNIQUE INDEX child_key ON slotkeeper.child USING btree (id, lower(span)) WHERE (id IS NOT NULL)
index\tparent\tparent_pkey\tCREATE UNIQUE INDEX parent_pkey ON slotkeeper.parent USING btree (id)
table\tchild\t\ttable fillfactor=85
table\tparent\t\ttable
";

#[test]
fn the_committed_text_is_read_and_has_every_constraint() {
    let catalog = Catalog::read(include_str!("../catalog.txt")).unwrap();
    for constraint in Constraint::ALL {
        let (table, name) = (constraint.table(), constraint.name());
        let found = catalog.constraints(table).find(|(found, _)| *found == name);
        let kind = found.map_or(ConstraintKind::Unique, |(_, definition)| match definition {
            ConstraintDefinition::Check { .. } => ConstraintKind::Check,
            ConstraintDefinition::Key { .. } => ConstraintKind::Unique,
            ConstraintDefinition::Reference { .. } => ConstraintKind::ForeignKey,
            ConstraintDefinition::Exclusion { .. } => ConstraintKind::Exclusion,
        });
        assert_eq!(kind, constraint.kind(), "{name}");
        assert!(found.is_some() || catalog.unique_indexes(table).any(|(found, _)| found == name), "{name}");
    }
    assert!(catalog.tables().iter().all(|table| !catalog.primary_key(table).is_empty()));
}

#[test]
fn definitions_are_taken_apart() {
    let catalog = Catalog::read(WHOLE).unwrap();
    let child =
        |name: &str| catalog.constraints("child").find(|(found, _)| *found == name).unwrap().1.clone();
    assert_eq!(
        child("child_excl"),
        ConstraintDefinition::Exclusion {
            elements: vec![("parent_id", "="), ("span", "&&")],
            condition: Some("(parent_id IS NOT NULL)"),
        }
    );
    assert_eq!(
        child("child_fkey"),
        ConstraintDefinition::Reference {
            columns: vec!["parent_id"],
            parent: "parent",
            parent_columns: vec!["id"]
        }
    );
    let condition = "(span <@ '[2000-01-01,2200-01-01)'::tstzrange)";
    assert_eq!(
        child("child_span_check"),
        ConstraintDefinition::Check { condition },
        "a string is no bracket"
    );
    let indexes: Vec<_> = catalog.unique_indexes("child").chain(catalog.unique_indexes("parent")).collect();
    let expected = IndexDefinition {
        unique: true,
        body: "USING btree (id, lower(span)) WHERE (id IS NOT NULL)",
        columns: vec!["id", "lower(span)"],
        condition: Some("(id IS NOT NULL)"),
    };
    assert_eq!(indexes, [("child_key", &expected)], "the index of a primary key is no rule of its own");
    assert_eq!(catalog.primary_key("parent"), ["id"]);
    let columns: Vec<_> = catalog.columns("parent").collect();
    let id = ColumnDefinition { ty: "uuid", not_null: true, default: Some("gen_random_uuid()") };
    assert_eq!(columns, [("id", &id)]);
}

/// `WHOLE` with the first line that has `from` changed, and why it is refused.
fn damage(from: &str, to: &str) -> String {
    assert!(WHOLE.contains(from), "{from}");
    let text = WHOLE.replacen(from, to, 1);
    Catalog::read(&text).unwrap_err().to_string()
}

#[test]
fn a_damaged_text_is_refused_with_the_line() {
    let four = "not kind, table, name and definition";
    for (from, to, why) in [
        ("\tuuid not null\n", "\n", format!("line 1: it has 3 fields, {four}")),
        ("\ttable\n", "\ttable\tmore\n", format!("line 12: it has 5 fields, {four}")),
        ("\nindex\tchild", "\n\nindex\tchild", format!("line 9: it has 1 fields, {four}")),
        ("index\tparent", "indices\tparent", "line 10: `indices` is no kind of object".into()),
        ("column\tchild\tid", "column\tchild\t", "line 1: `column child` names no column".into()),
        ("table\tparent\t", "table\tparent\tx", "line 12: `table parent.x` names no table".into()),
        ("\tuuid\n", "\t\n", "line 2: `` defines no column of ours".into()),
        ("PRIMARY KEY (id)", "PRIMARY (id)", "line 8: `PRIMARY (id)` defines no constraint of ours".into()),
        ("(id)\ntable", "(id\ntable", {
            let text = "CREATE UNIQUE INDEX parent_pkey ON slotkeeper.parent USING btree (id";
            format!("line 10: `{text}` defines no index of ours")
        }),
        (
            "column\tchild\tspan\ttstz",
            "trigger\tchild\tspan\ttstz",
            "line 3: `tstzrange not null` defines no trigger of ours".into(),
        ),
        (
            "table\tparent\t\ttable\n",
            "",
            "line 4: column parent.id needs table parent, which is not there".into(),
        ),
        (
            "constraint\tparent",
            "constraint\tstranger",
            "line 8: constraint stranger.parent_pkey needs table stranger, which is not there".into(),
        ),
        (
            "PRIMARY KEY (id)",
            "PRIMARY KEY (key)",
            "line 8: constraint parent.parent_pkey needs column parent.key, which is not there".into(),
        ),
        (
            "slotkeeper.parent(id)",
            "slotkeeper.parents(id)",
            "line 6: constraint child.child_fkey needs table parents, which is not there".into(),
        ),
        (
            "column\tparent\tid",
            "column\tchild\tid",
            "line 4: column child.id stands on line 1 already".into(),
        ),
    ] {
        assert_eq!(damage(from, to), why);
    }
    assert_eq!(Catalog::read("").unwrap_err().to_string(), "line 1: there is no table");
}

#[test]
fn a_column_is_mentioned_as_a_whole_word() {
    let catalog = Catalog::read(WHOLE).unwrap();
    let check = catalog.get(&ObjectId::new(CatalogKind::Constraint, "child", "child_fkey")).unwrap();
    assert!(check.mentions("parent_id") && !check.mentions("parent_i"));
}
