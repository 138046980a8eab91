//! A host's own constraints, mapped to the host's own errors.

use slotkeeper::{
    constraint_map::{ConstraintMap, InvalidRule, Unmapped},
    violation::{PartitionNames, Violation},
};
use tokio_postgres::Error;

use super::{
    db::{empty, error},
    scripted::said,
    silence::{CANARY, silent},
    violations::TABLES,
};

fn map() -> ConstraintMap<&'static str> {
    ConstraintMap::builder()
        .in_schema("app")
        .suffix("_check", |_| "some check")
        .suffix("_party_check", |_| "party")
        .prefix("canary_", |_| "some")
        .prefix("canary_guest", |_| "guest")
        .exact("canary_guest_fkey", |_| "guest key")
        .exact("rate_check", |_| "rate")
        .exact_on("visits", "rate_check", |_| "rate of a visit")
        .exact("visits_key_2", |_| "second")
        .exact("visits_key", |_| "first")
        .not_null("canary_visits", "canary_id", |_| "id")
        .build()
        .unwrap()
}

async fn violates(schema: &str, table: &str, constraint: &str) -> Error {
    said("23514", CANARY, &[('s', schema), ('t', table), ('n', constraint)]).await
}

#[tokio::test]
async fn exact_beats_the_longest_prefix_beats_the_longest_suffix() {
    for (table, constraint, expected) in [
        ("visits", "rate_check", "rate of a visit"),
        ("visits_102034", "rate_check_102034", "rate of a visit"),
        ("guests", "rate_check", "rate"),
        ("x", "canary_guest_fkey", "guest key"),
        ("x", "canary_guest_fkey_102034", "guest key"),
        ("x", "canary_guest_party_check", "guest"),
        ("x", "canary_party_check", "some"),
        ("x", "visits_party_check", "party"),
        ("x", "visits_party_check_102034", "party"),
        ("x", "visits_size_check", "some check"),
        ("x", "visits_key_2", "second"),
        ("x", "visits_key_3", "first"),
        ("x", "visits_key_2_102034", "second"),
    ] {
        assert_eq!(map().map(violates("app", table, constraint).await).unwrap(), expected, "{constraint}");
    }
}

/// What a call answers with [`slotkeeper::Error::UnknownConstraint`] has been read already.
#[tokio::test]
async fn a_violation_is_mapped_as_its_error_is() {
    for (schema, constraint, expected) in [
        ("app", "canary_guest_fkey", Some("guest key")),
        ("app", "canary_guest_x", Some("guest")),
        ("app", "visits_fkey", None),
        ("elsewhere", "canary_guest_fkey", None),
    ] {
        let error = violates(schema, "canary", constraint).await;
        let violation = Violation::from_error(&error).unwrap();
        assert_eq!(map().map_violation(&violation), expected, "{constraint}");
        assert_eq!(map().map(error).ok(), expected, "{constraint}");
    }
}

#[tokio::test]
async fn what_no_rule_is_for_is_unmapped_and_silent() {
    let map = map();
    for (schema, constraint) in
        [("app", "visits_fkey"), ("app", "xcanary_"), ("elsewhere", "canary_guest_fkey")]
    {
        match map.map(violates(schema, "canary", constraint).await) {
            Err(unmapped @ Unmapped::Unknown(_)) => {
                silent(&unmapped);
                let Unmapped::Unknown(violation) = unmapped else { continue };
                assert_eq!(violation.constraint(), Some(constraint));
            }
            other => panic!("{constraint}: {other:?}"),
        }
    }
    let error = said("22P02", "invalid input: canary", &[('D', CANARY)]).await;
    let unmapped = map.map(error).unwrap_err();
    silent(&unmapped);
    assert!(std::error::Error::source(&unmapped).is_none(), "a report of the chain would print the data");
    let Unmapped::NotAViolation(error) = unmapped else { panic!("{unmapped:?}") };
    assert_eq!(error.as_db_error().unwrap().message(), "invalid input: canary");
}

#[tokio::test]
async fn a_map_reads_real_errors() {
    let db = empty().await;
    db.run(TABLES).await;
    let map = map();
    for (sql, expected) in [
        ("INSERT INTO app.canary_visits VALUES ('canary 1')", "some"),
        (
            "INSERT INTO app.canary_visits (canary_id, canary_guest) VALUES ('canary 9', 'canary 9')",
            "guest key",
        ),
        ("INSERT INTO app.canary_visits (canary_name) VALUES ('canary 9')", "id"),
        ("INSERT INTO app.canary_visits (canary_id, canary_size) VALUES ('canary 9', 0)", "some"),
    ] {
        assert_eq!(map.map(db.error(sql).await).unwrap(), expected, "{sql}");
    }
}

#[tokio::test]
async fn a_map_finds_exact_names_in_a_coordinators_message() {
    let map = map();
    let relayed = [('R', "ReportResultError")];
    let exact = said("23503", "violates \"canary_guest_fkey_102034\"", &relayed).await;
    assert_eq!(map.map(exact).unwrap(), "guest key");
    let copied = said("XX000", "violates \"canary_guest_fkey_102034\"", &[('R', "ReportCopyError")]).await;
    assert_eq!(map.map(copied).unwrap(), "guest key");
    let prefix = said("23503", "violates \"canary_other_fkey_102034\"", &relayed).await;
    assert!(matches!(map.map(prefix), Err(Unmapped::Unknown(_))), "a prefix is not searched for");
    // Two tables have a check of this name, and the message is not asked which.
    let twice = ConstraintMap::builder()
        .exact_on("a", "rate_check", |_| "a")
        .exact_on("b", "rate_check", |_| "b")
        .build()
        .unwrap();
    let ambiguous = said("23514", "violates check constraint \"rate_check\"", &relayed).await;
    assert!(matches!(twice.map(ambiguous), Err(Unmapped::Unknown(_))));
}

#[tokio::test]
async fn a_map_resolves_partitions_and_remembers_them() {
    let db = empty().await;
    db.run(
        "CREATE TABLE visits (tenant int, id int, rate int CONSTRAINT rate_check CHECK (rate > 0),
            CONSTRAINT visit_number_key UNIQUE (tenant, id)) PARTITION BY HASH (tenant);
         CREATE TABLE visits_p0 PARTITION OF visits FOR VALUES WITH (MODULUS 1, REMAINDER 0);
         INSERT INTO visits VALUES (1, 1, 1)",
    )
    .await;
    let map = ConstraintMap::builder()
        .exact("visit_number_key", |violation| violation.table().unwrap().to_owned())
        .exact_on("visits", "rate_check", |_| "rate".to_owned())
        .prefix("visits_p0_", |_| "the partition's own name".to_owned())
        .build()
        .unwrap();
    let again = "INSERT INTO visits VALUES (1, 1, 1)";
    assert_eq!(map.map(db.error(again).await).unwrap(), "the partition's own name");
    // A connection in an aborted transaction cannot be asked: no answer, rather than the prefix's.
    let aborted = db.another().await;
    aborted.batch_execute("BEGIN").await.unwrap();
    let first = error(&aborted, again).await;
    assert!(matches!(map.map_resolving(first, &aborted).await, Err(Unmapped::Unknown(_))));
    assert_eq!(map.map_resolving(db.error(again).await, &db.client).await.unwrap(), "visits");
    assert_eq!(map.map(db.error(again).await).unwrap(), "visits", "remembered");
    let zero = db.error("INSERT INTO visits VALUES (1, 2, 0)").await;
    assert_eq!(map.map_resolving(zero, &db.client).await.unwrap(), "rate");
}

#[test]
fn two_rules_for_one_name_are_refused() {
    let rules = || ConstraintMap::<()>::builder().exact("a_key", |_| ()).prefix("a_", |_| ());
    assert_eq!(
        rules().exact("a_key", |_| ()).build().unwrap_err(),
        InvalidRule::Duplicate { rule: 3, first: 1 }
    );
    assert_eq!(
        rules().prefix("a_", |_| ()).build().unwrap_err(),
        InvalidRule::Duplicate { rule: 3, first: 2 }
    );
    assert_eq!(rules().suffix("", |_| ()).build().unwrap_err(), InvalidRule::Empty { rule: 3 });
    assert_eq!(rules().not_null("", "a", |_| ()).build().unwrap_err(), InvalidRule::Empty { rule: 3 });
    let map =
        rules().suffix("a_", |_| ()).exact_on("a", "a_key", |_| ()).not_null("a", "a_key", |_| ()).build();
    assert!(map.is_ok(), "the same text in another place is another rule");
}

#[test]
fn a_map_is_shared_between_threads_whatever_its_error() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<ConstraintMap<std::rc::Rc<()>>>();
    shared::<Violation>();
    shared::<PartitionNames>();
    shared::<Unmapped>();
}
