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

#[test]
fn rules_are_single_plain_sentences() {
    for constraint in Constraint::ALL {
        let rule = constraint.rule();
        assert!(!rule.is_empty() && !rule.contains('.') && rule.len() <= 80, "{rule}");
    }
}
