use super::*;

#[test]
fn names_are_short_and_lower_case() {
    for constraint in Constraint::ALL {
        let name = constraint.name();
        assert!(name.len() <= 40, "{name} is longer than 40 bytes");
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
        assert!(name.starts_with(constraint.table()), "{name} does not start with its table");
    }
}

#[test]
fn no_name_is_another_name_or_its_shard() {
    for (i, a) in Constraint::ALL.iter().enumerate() {
        for b in &Constraint::ALL[i + 1..] {
            assert_ne!(a.name(), b.name());
        }
        assert_eq!(Constraint::lookup(a.name()), Some(*a));
        assert_eq!(Constraint::lookup(&format!("{}_102008", a.name())), Some(*a));
    }
}

#[test]
fn lookup_never_matches_part_of_a_name() {
    for name in [
        "",
        "holds",
        "holds_pke",
        "holds_pkey_",
        "holds_pkey_1a",
        "holds_pkey_x",
        "holds_pkey1",
        "holds_pkey_1_2",
        "my_holds_pkey",
        "holds_pkey ",
        "HOLDS_PKEY",
        "holds_pkey_١",
    ] {
        assert_eq!(Constraint::lookup(name), None, "{name:?}");
    }
}

#[test]
fn a_shard_adds_an_underscore_and_digits() {
    assert_eq!(unsharded("visits_key_102034"), Some("visits_key"));
    for name in ["visits_key", "visits_key_", "visits_key_10a", "visits_key1", "visits", "_7", "7", ""] {
        assert_eq!(unsharded(name), None, "{name}");
    }
}

/// What is wrong with the rule of an entry, by the name at the head of its line.
fn unclear(name: &str, rule: &str) -> Option<String> {
    let clear = !rule.trim().is_empty() && !rule.contains('.') && rule.len() <= 80;
    (!clear).then(|| format!("{name}: the rule {rule:?} is no single plain sentence"))
}

#[test]
fn rules_are_single_plain_sentences() {
    let unclear = |constraint: &Constraint| unclear(constraint.name(), constraint.rule());
    assert_eq!(Constraint::ALL.iter().filter_map(unclear).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn a_constraint_without_a_meaning_is_named() {
    for rule in ["", " ", "two. rules", &"x".repeat(81)] {
        let text = unclear("holds_pkey", rule).unwrap_or_default();
        assert!(text.starts_with("holds_pkey: ") && text.contains(rule), "{rule:?}: {text:?}");
    }
}
