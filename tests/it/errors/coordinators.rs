//! The errors of a sharding coordinator, of its workers, and of servers that speak another language.

use slotkeeper::{Constraint, ConstraintKind, SchemaName, violation::Violation};

use super::{scripted::said, silence::read};

const OVERLAP: &str =
    "conflicting key value violates exclusion constraint \"allocations_resource_during_excl_102034\"";

/// The literal answers of a sharding coordinator and of a worker.
#[tokio::test]
async fn a_sharded_constraint_is_known_by_field_or_message() {
    let known = Constraint::lookup("allocations_resource_during_excl");
    assert!(known.is_some());
    let coordinator = said("23P01", OVERLAP, &[('R', "ReportResultError")]).await;
    let worker = said(
        "23P01",
        "irrelevant",
        &[('s', "slotkeeper"), ('t', "allocations_102034"), ('n', "allocations_resource_during_excl_102034")],
    )
    .await;
    let copied = said("XX000", OVERLAP, &[('R', "ReportCopyError")]).await;
    for error in [coordinator, worker, copied] {
        let violation = read(&error);
        assert_eq!(violation.known(), known);
        assert_eq!(violation.known_in(&SchemaName::default()), known);
        assert_eq!(violation.kind(), Some(ConstraintKind::Exclusion));
        assert_eq!(violation.constraint(), Some("allocations_resource_during_excl"));
        assert_eq!(violation.table(), Some("allocations"));
    }
}

#[tokio::test]
async fn names_are_found_in_messages_of_any_language() {
    for message in [
        "doppelter Schlüsselwert verletzt Unique-Constraint »holds_pkey«",
        "la valeur d'une clé dupliquée rompt la contrainte unique « holds_pkey_102 »",
        "重複したキー値は一意性制約holds_pkey違反となります",
    ] {
        assert_eq!(
            read(&said("23505", message, &[]).await).known(),
            Constraint::lookup("holds_pkey"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn detail_is_never_searched_and_two_names_are_none() {
    for (message, detail) in [
        ("duplicate key value", "Key (reference)=(holds_pkey) already exists."),
        ("holds_pkey or resources_reference_key", ""),
        ("xholds_pkey, holds_pkey_, holds_pkeyx", ""),
        // The kind has to agree: this is a check.
        ("claimed_rows_check", ""),
    ] {
        let violation = read(&said("23505", message, &[('D', detail)]).await);
        assert_eq!((violation.known(), violation.constraint()), (None, None), "{message}");
    }
}

/// Damage to the index of a constraint is no refusal by it.
#[tokio::test]
async fn an_internal_error_that_mentions_an_index_is_no_violation() {
    let message = "failed to re-find parent of a page in index \"allocations_resource_during_excl\"";
    for more in [&[('R', "gistFindCorrectParent")][..], &[], &[('n', "allocations_resource_during_excl")]] {
        let error = said("XX000", message, more).await;
        assert_eq!(Violation::from_error(&error), None);
    }
    for more in [&[('R', "ReportCopyError")][..], &[('R', "ReportCopyError"), ('n', "anything_102034")]] {
        let unknown = said("XX000", "cannot reach anything_102034", more).await;
        assert_eq!(Violation::from_error(&unknown), None);
    }
}
