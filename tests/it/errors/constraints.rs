//! Every constraint of the library's own tables, provoked by raw SQL.

use slotkeeper::{Constraint, ConstraintKind, SchemaName};

use super::{
    db::migrated,
    silence::{CANARY, heard, read},
};

/// One row in each table, with a marker in every text that a check leaves free.
const ROWS: &str = "
    INSERT INTO slotkeeper.resources (tenant_id, id, kind, name, reference, capacity, min_party, attributes, active, revision)
    VALUES (gen_random_uuid(), gen_random_uuid(), 'canary', 'canary', 'canary', 4, 1, '{\"canary\": \"canary\"}', true, 1);
    INSERT INTO slotkeeper.holds (tenant_id, id, status, during, buffer_before_seconds, buffer_after_seconds, rows,
        expires_at, latest_expires_at, actor, actor_seq, reference)
    SELECT tenant_id, id, 'active', '[2030-01-01 10:00Z,2030-01-01 11:00Z)', 0, 0, 2, '2031-01-01Z', '2031-01-02Z',
        'canary', 1, 'canary' FROM slotkeeper.resources;
    INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
    SELECT tenant_id, id, id, '[2030-01-01 10:00Z,2030-01-01 11:00Z)', 'booked', id FROM slotkeeper.resources;
    INSERT INTO slotkeeper.confirmations (tenant_id, id, operation, key, checksum, outcome, booking_id, rows, snapshot)
    SELECT tenant_id, id, 'book', 'canary', sha256('canary'), 'canary', id, 1, '{\"canary\": \"canary\"}'
    FROM slotkeeper.resources;
    INSERT INTO slotkeeper.bookings (tenant_id, id, status, revision, during, buffer_before_seconds, buffer_after_seconds,
        claim_id, confirmation_id, reference, customer_ref, price_minor, currency, time_zone, metadata)
    SELECT tenant_id, id, 'confirmed', 1, '[2030-01-01 10:00Z,2030-01-01 11:00Z)', 0, 0, id, id, 'canary', 'canary', 100,
        'CAN', 'canary', '{\"canary\": \"canary\"}' FROM slotkeeper.resources;
    INSERT INTO slotkeeper.outbox (tenant_id, id, event, subject_id, body)
    SELECT tenant_id, id, 'canary', id, '{\"canary\": \"canary\"}' FROM slotkeeper.resources;
    INSERT INTO slotkeeper.availability_cache (tenant_id, source, body, as_of, refreshed_at, failed_at, error_count, last_error)
    SELECT tenant_id, 'default', '{\"canary\": \"canary\"}', now(), now(), now(), 1, 'canary' FROM slotkeeper.resources;
    INSERT INTO slotkeeper.offered_slots (tenant_id, source, starts_at, offered, first_offered_at, last_offered_at)
    SELECT tenant_id, 'default', now(), 1, now(), now() FROM slotkeeper.resources;
    INSERT INTO slotkeeper.allocations_archive SELECT a.*, now() FROM slotkeeper.allocations a;
    UPDATE slotkeeper.migrations SET name = 'canary'";

/// What an inserted copy of the row must differ in to break the constraint and no other.
fn provocations() -> Vec<(Constraint, String)> {
    use Constraint as C;
    const NEW: &str = r#""id": "00000000-0000-4000-8000-000000000001""#;
    let with_new = |more: &str| format!("{{{NEW}{more}}}");
    let set = |text: &str| text.to_owned();
    vec![
        (C::BookedWindowCheck, set(r#"{"during": "empty"}"#)),
        (C::BufferSecondsCheck, set(r#"{"buffer_after_seconds": -1}"#)),
        (C::ClaimedRowsCheck, set(r#"{"rows": -1}"#)),
        (C::HoldStatusCheck, set(r#"{"status": "canary"}"#)),
        (C::AllocationKindCheck, set(r#"{"kind": "canary"}"#)),
        (C::BookingStatusCheck, set(r#"{"status": "canary"}"#)),
        (C::OperationCheck, set(r#"{"operation": "canary canary canary canary canary canary"}"#)),
        (C::ResourcesPkey, set(r#"{"reference": "canary 2"}"#)),
        (C::ResourcesKindCheck, set(r#"{"kind": "canary canary canary canary canary canary"}"#)),
        (C::ResourcesNameCheck, set(r#"{"name": ""}"#)),
        (C::ResourcesReferenceCheck, set(r#"{"reference": ""}"#)),
        (C::ResourcesCapacityCheck, set(r#"{"capacity": 0}"#)),
        (C::ResourcesReferenceKey, with_new("")),
        (C::HoldsPkey, set(r#"{"reference": "canary 2", "actor_seq": 2}"#)),
        (C::HoldsExpiresCheck, set(r#"{"expires_at": "2031-01-03Z"}"#)),
        (C::HoldsReferenceKey, with_new(r#", "actor_seq": 2"#)),
        (C::HoldsActorSeqKey, with_new(r#", "reference": "canary 2""#)),
        (C::AllocationsPkey, set(r#"{"during": "[2030-01-01 11:00Z,2030-01-01 12:00Z)"}"#)),
        (C::AllocationsResourceFkey, with_new(r#", "resource_id": "00000000-0000-4000-8000-000000000002""#)),
        (C::AllocationsExpiresCheck, set(r#"{"kind": "held"}"#)),
        (
            C::AllocationsResourceDuringExcl,
            with_new(r#", "during": "[2030-01-01 10:59Z,2030-01-01 12:00Z)""#),
        ),
        (C::AllocationsArchivePkey, set("{}")),
        (C::ConfirmationsPkey, set(r#"{"key": "canary 2"}"#)),
        (C::ConfirmationsKeyKey, with_new("")),
        (C::BookingsPkey, set(r#"{"reference": "canary 2", "claim_id": null, "status": "pending"}"#)),
        (C::BookingsClaimKey, with_new(r#", "reference": "canary 2""#)),
        (C::BookingsConfirmedCheck, set(r#"{"confirmation_id": null}"#)),
        (C::BookingsPriceCheck, set(r#"{"price_minor": null}"#)),
        (C::BookingsReferenceKey, with_new(r#", "claim_id": "00000000-0000-4000-8000-000000000002""#)),
        (C::AvailabilityCachePkey, set("{}")),
        (C::AvailabilityCacheSourceCheck, set(r#"{"source": "canary"}"#)),
        (C::AvailabilityCacheBodyCheck, set(r#"{"as_of": null}"#)),
        (C::AvailabilityCacheErrorCheck, set(r#"{"last_error": null}"#)),
        (C::OfferedSlotsPkey, set("{}")),
        (C::OfferedSlotsSourceCheck, set(r#"{"source": "canary"}"#)),
        (C::OfferedSlotsStartsCheck, set(r#"{"starts_at": "infinity"}"#)),
        (C::OfferedSlotsOfferedCheck, set(r#"{"offered": 0}"#)),
        (C::OutboxPkey, set("{}")),
        (C::MigrationsPkey, set("{}")),
    ]
}

/// A table with a column of that domain.
fn table_with(domain: &str) -> &str {
    match domain {
        "allocation_kind" => "allocations",
        "booking_status" => "bookings",
        "operation" => "confirmations",
        _ => "holds",
    }
}

/// A copy of the row in a table with some columns set.
fn copy(table: &str, set: &str) -> String {
    format!(
        "INSERT INTO slotkeeper.{table}
         SELECT (jsonb_populate_record(t, '{set}')).* FROM slotkeeper.{table} AS t"
    )
}

/// Scenarios 67 and 68: exclusion is exclusion, and so on.
#[tokio::test]
async fn every_constraint_is_recognised_and_shows_nothing() {
    let db = migrated().await;
    db.run(ROWS).await;
    let schema = SchemaName::default();
    let mut leaks = 0;
    for (constraint, set) in provocations() {
        let domain = constraint.kind() == ConstraintKind::Domain;
        let table = if domain { table_with(constraint.table()) } else { constraint.table() };
        let error = db.error(&copy(table, &set)).await;
        let violation = read(&error);
        assert_eq!(violation.known(), Some(constraint), "{set}");
        assert_eq!(violation.known_in(&schema), Some(constraint));
        assert_eq!(violation.constraint(), Some(constraint.name()));
        assert_eq!(violation.table(), (!domain).then(|| constraint.table()));
        assert_eq!(violation.kind(), Some(constraint.kind()), "{constraint:?}");
        assert_eq!((violation.schema(), violation.column()), (Some("slotkeeper"), None), "{constraint:?}");
        let code = match constraint.kind() {
            ConstraintKind::Unique => "23505",
            ConstraintKind::Exclusion => "23P01",
            ConstraintKind::ForeignKey => "23503",
            ConstraintKind::Check | ConstraintKind::Domain => "23514",
            other => panic!("{other:?} has no name"),
        };
        assert_eq!(violation.sqlstate().code(), code, "{constraint:?}");
        // Negative control: the server did say it all, and so there was something to hush.
        let raw = format!("{error:?}");
        assert!(raw.contains(constraint.name()) && heard(&raw).is_some(), "{raw}");
        leaks += usize::from(raw.contains(CANARY));
    }
    assert!(leaks >= 15, "only {leaks} of the raw errors had a marker in them");
}

#[test]
fn every_constraint_is_provoked() {
    let provoked: Vec<_> = provocations().iter().map(|(constraint, _)| *constraint).collect();
    assert_eq!(provoked, Constraint::ALL, "a new constraint needs a line in `provocations`");
}

/// The base rows break nothing, so each line above is its own cause.
#[tokio::test]
async fn a_copy_for_another_tenant_is_accepted() {
    let db = migrated().await;
    db.run(ROWS).await;
    let tables = ["resources", "holds", "allocations", "confirmations", "bookings", "outbox"];
    for table in tables.into_iter().chain(["availability_cache", "offered_slots", "allocations_archive"]) {
        db.run(&copy(table, r#"{"tenant_id": "00000000-0000-4000-8000-000000000003"}"#)).await;
    }
}
