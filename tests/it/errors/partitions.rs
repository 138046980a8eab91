//! A partition reports names of its own.

use std::collections::HashSet;

use slotkeeper::{Constraint, ConstraintKind, SchemaName, violation::PartitionNames};

use super::{
    db::empty,
    silence::{read, silent},
};

#[tokio::test]
async fn a_partitions_constraint_resolves_to_the_partitioned_tables() {
    let db = empty().await;
    let excludes = db.version() >= 17;
    db.run(
        "CREATE EXTENSION btree_gist;
         CREATE SCHEMA app;
         CREATE TABLE app.guests (id int CONSTRAINT guests_pkey PRIMARY KEY);
         CREATE TABLE app.visits (
            tenant int NOT NULL, id int NOT NULL, guest int, party int, during int4range, room int, email text,
            CONSTRAINT visits_pkey PRIMARY KEY (tenant, id),
            CONSTRAINT visits_guest_fkey FOREIGN KEY (guest) REFERENCES app.guests,
            CONSTRAINT visits_party_check CHECK (party > 0)) PARTITION BY HASH (tenant);
         CREATE UNIQUE INDEX visits_email_key ON app.visits (tenant, email) WHERE email IS NOT NULL",
    )
    .await;
    if excludes {
        db.run(
            "ALTER TABLE app.visits ADD CONSTRAINT visits_during_excl
                EXCLUDE USING gist (room WITH =, during WITH &&, tenant WITH =)",
        )
        .await;
    }
    // Two levels: a root is not always the parent.
    db.run(
        "CREATE TABLE app.visits_p0 PARTITION OF app.visits FOR VALUES WITH (MODULUS 1, REMAINDER 0)
            PARTITION BY HASH (tenant);
         CREATE TABLE app.visits_p0_p0 PARTITION OF app.visits_p0 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
         INSERT INTO app.visits (tenant, id, email) VALUES (1, 1, 'canary')",
    )
    .await;
    let mut cases = vec![
        ("INSERT INTO app.visits (tenant, id) VALUES (1, 1)", Some("visits_pkey")),
        ("INSERT INTO app.visits (tenant, id, email) VALUES (1, 4, 'canary')", Some("visits_email_key")),
        ("INSERT INTO app.visits (tenant, id, guest) VALUES (1, 4, 7)", Some("visits_guest_fkey")),
        ("INSERT INTO app.visits (tenant, id, party) VALUES (1, 4, 0)", Some("visits_party_check")),
        ("INSERT INTO app.visits (tenant) VALUES (1)", None),
    ];
    if excludes {
        db.run("INSERT INTO app.visits (tenant, id, room, during) VALUES (1, 2, 1, '[1,5)')").await;
        cases.push((
            "INSERT INTO app.visits (tenant, id, room, during) VALUES (1, 3, 1, '[4,6)')",
            Some("visits_during_excl"),
        ));
    }
    let names = PartitionNames::new();
    let mut own = HashSet::new();
    for (sql, name) in cases {
        let violation = read(&db.error(sql).await);
        own.insert(violation.constraint().map(str::to_owned));
        assert_eq!(violation.table(), Some("visits_p0_p0"), "{sql}");
        assert_eq!(names.cached(&violation), None, "{sql}");
        let resolved = violation.resolve_partition(&db.client).await.unwrap();
        assert_eq!(resolved.schema(), Some("app"), "{sql}");
        assert_eq!((resolved.table(), resolved.constraint()), (Some("visits"), name), "{sql}");
        assert_eq!((resolved.kind(), resolved.sqlstate()), (violation.kind(), violation.sqlstate()), "{sql}");
        assert_eq!(resolved.column(), violation.column(), "{sql}");
        silent(&resolved);
        assert_eq!(names.resolve(&violation, &db.client).await.unwrap(), resolved, "{sql}");
        assert_eq!(names.cached(&violation).as_ref(), Some(&resolved), "{sql}");
        assert_eq!(resolved.resolve_partition(&db.client).await.unwrap(), resolved, "{sql}");
    }
    assert!(!own.contains(&Some("visits_email_key".to_owned())), "partitions name their indexes themselves");
}

/// An attached partition keeps the names that it came with.
#[tokio::test]
async fn an_adopted_foreign_key_resolves_through_its_parent() {
    let db = empty().await;
    db.run(
        "CREATE TABLE guests (id int PRIMARY KEY);
         CREATE TABLE visits (guest int CONSTRAINT visits_guest_fkey REFERENCES guests) PARTITION BY LIST (guest);
         CREATE TABLE middle (guest int CONSTRAINT middle_fkey REFERENCES guests) PARTITION BY LIST (guest);
         CREATE TABLE old (guest int CONSTRAINT old_fkey REFERENCES guests);
         ALTER TABLE middle ATTACH PARTITION old FOR VALUES IN (1);
         ALTER TABLE visits ATTACH PARTITION middle FOR VALUES IN (1)",
    )
    .await;
    let violation = read(&db.error("INSERT INTO visits VALUES (1)").await);
    assert_eq!((violation.table(), violation.constraint()), (Some("old"), Some("old_fkey")));
    let resolved = violation.resolve_partition(&db.client).await.unwrap();
    assert_eq!((resolved.table(), resolved.constraint()), (Some("visits"), Some("visits_guest_fkey")));
}

#[tokio::test]
async fn a_partition_of_our_table_resolves_to_a_known_constraint() {
    let db = empty().await;
    db.run(
        "CREATE SCHEMA ours;
         CREATE TABLE ours.outbox (tenant_id int, id int, CONSTRAINT outbox_pkey PRIMARY KEY (tenant_id, id))
            PARTITION BY HASH (tenant_id);
         CREATE TABLE ours.outbox_p0 PARTITION OF ours.outbox FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
    )
    .await;
    let violation = read(&db.error("INSERT INTO ours.outbox VALUES (1, 1), (1, 1)").await);
    assert_eq!(violation.known(), None);
    let resolved = violation.resolve_partition(&db.client).await.unwrap();
    assert_eq!(resolved.known_in(&SchemaName::new("ours").unwrap()), Constraint::lookup("outbox_pkey"));
    assert!(resolved.known().is_some() && resolved.known_in(&SchemaName::default()).is_none());
    assert_eq!((resolved.table(), resolved.constraint()), (Some("outbox"), Some("outbox_pkey")));
}

#[tokio::test]
async fn an_overlap_in_a_temporal_key_is_an_exclusion() {
    let db = empty().await;
    if db.version() < 18 {
        return;
    }
    db.run(
        "CREATE EXTENSION btree_gist;
         CREATE TABLE stays (room int, during int4range,
            CONSTRAINT stays_pkey PRIMARY KEY (room, during WITHOUT OVERLAPS));
         INSERT INTO stays VALUES (1, '[1,5)')",
    )
    .await;
    let violation = read(&db.error("INSERT INTO stays VALUES (1, '[4,6)')").await);
    assert_eq!(violation.kind(), Some(ConstraintKind::Exclusion));
    assert_eq!((violation.table(), violation.constraint()), (Some("stays"), Some("stays_pkey")));
}
