//! A violation of a host's own constraint, read from a real server.

use slotkeeper::ConstraintKind;

use super::{db::empty, scripted::said, silence::read};

pub(crate) const TABLES: &str = "
    CREATE EXTENSION btree_gist;
    CREATE SCHEMA app;
    CREATE DOMAIN app.canary_size AS int CONSTRAINT canary_size_domain CHECK (VALUE > 0);
    CREATE TABLE app.canary_guests (canary_id text CONSTRAINT canary_guests_pkey PRIMARY KEY);
    CREATE TABLE app.canary_visits (
        canary_id text NOT NULL CONSTRAINT canary_visits_pkey PRIMARY KEY,
        canary_guest text CONSTRAINT canary_guest_fkey REFERENCES app.canary_guests,
        canary_friend text CONSTRAINT canary_friend_fkey REFERENCES app.canary_guests ON DELETE RESTRICT,
        canary_party int CONSTRAINT canary_party_check CHECK (canary_party > 0),
        canary_size app.canary_size,
        canary_window int4range,
        canary_name text,
        CONSTRAINT canary_window_excl EXCLUDE USING gist (canary_window WITH &&));
    CREATE UNIQUE INDEX canary_name_key ON app.canary_visits (canary_name) WHERE canary_name IS NOT NULL;
    INSERT INTO app.canary_guests VALUES ('canary 1'), ('canary 2'), ('canary 3');
    INSERT INTO app.canary_visits VALUES
        ('canary 1', 'canary 1', NULL, 1, 1, '[1,5)', 'canary 1'), ('canary 2', NULL, 'canary 2', 1, 1, NULL, NULL);";

type Expected = (&'static str, &'static str, ConstraintKind, Option<&'static str>, Option<&'static str>);

fn violations(version: i32) -> Vec<Expected> {
    use ConstraintKind::{Check, Domain, Exclusion, ForeignKey, NotNull, Unique};
    let visits = Some("canary_visits");
    let restrict = if version >= 18 { "23001" } else { "23503" };
    vec![
        (
            "INSERT INTO app.canary_visits VALUES ('canary 1')",
            "23505",
            Unique,
            visits,
            Some("canary_visits_pkey"),
        ),
        (
            "INSERT INTO app.canary_visits (canary_id, canary_name) VALUES ('canary 9', 'canary 1')",
            "23505",
            Unique,
            visits,
            Some("canary_name_key"),
        ),
        (
            "INSERT INTO app.canary_visits (canary_id, canary_window) VALUES ('canary 9', '[4,6)')",
            "23P01",
            Exclusion,
            visits,
            Some("canary_window_excl"),
        ),
        (
            "INSERT INTO app.canary_visits (canary_id, canary_guest) VALUES ('canary 9', 'canary 9')",
            "23503",
            ForeignKey,
            visits,
            Some("canary_guest_fkey"),
        ),
        (
            "DELETE FROM app.canary_guests WHERE canary_id = 'canary 1'",
            "23503",
            ForeignKey,
            visits,
            Some("canary_guest_fkey"),
        ),
        (
            "DELETE FROM app.canary_guests WHERE canary_id = 'canary 2'",
            restrict,
            ForeignKey,
            visits,
            Some("canary_friend_fkey"),
        ),
        (
            "INSERT INTO app.canary_visits (canary_id, canary_party) VALUES ('canary 9', 0)",
            "23514",
            Check,
            visits,
            Some("canary_party_check"),
        ),
        (
            "INSERT INTO app.canary_visits (canary_id, canary_size) VALUES ('canary 9', 0)",
            "23514",
            Domain,
            None,
            Some("canary_size_domain"),
        ),
        ("INSERT INTO app.canary_visits (canary_name) VALUES ('canary 9')", "23502", NotNull, visits, None),
    ]
}

/// Scenario 67, for tables of the host.
#[tokio::test]
async fn every_kind_of_constraint_is_read_and_none_leaks() {
    let db = empty().await;
    db.run(TABLES).await;
    for (sql, code, kind, table, constraint) in violations(db.version()) {
        let violation = read(&db.error(sql).await);
        assert_eq!(violation.kind(), Some(kind), "{sql}");
        assert_eq!(violation.sqlstate().code(), code, "{sql}");
        assert_eq!(violation.schema(), Some("app"), "{sql}");
        assert_eq!(violation.table(), table, "{sql}");
        assert_eq!(violation.constraint(), constraint, "{sql}");
        assert_eq!(violation.column(), (kind == ConstraintKind::NotNull).then_some("canary_id"), "{sql}");
        assert_eq!(violation.known(), None, "{sql}");
    }
}

/// The same answers where the server speaks another language.
#[tokio::test]
async fn the_language_of_the_server_changes_nothing() {
    let db = empty().await;
    db.run(TABLES).await;
    let english = db.error("INSERT INTO app.canary_visits VALUES ('canary 1')").await;
    // Not every machine has the locale; `names_are_found_in_messages_of_any_language` needs none.
    if db.client.batch_execute("SET lc_messages = 'de_DE.utf8'").await.is_err() {
        return;
    }
    let german = db.error("INSERT INTO app.canary_visits VALUES ('canary 1')").await;
    assert_ne!(german.as_db_error().unwrap().message(), english.as_db_error().unwrap().message());
    assert_eq!(read(&german), read(&english));
    for (sql, code, kind, _, constraint) in violations(db.version()) {
        let violation = read(&db.error(sql).await);
        assert_eq!((violation.sqlstate().code(), violation.kind()), (code, Some(kind)), "{sql}");
        assert_eq!(violation.constraint(), constraint, "{sql}");
    }
}

#[tokio::test]
async fn a_hosts_constraint_with_one_of_our_names_and_another_kind_is_not_ours() {
    let error = said("23514", "new row violates", &[('s', "app"), ('t', "x"), ('n', "holds_pkey")]).await;
    let violation = read(&error);
    assert_eq!(violation.known(), None);
    assert_eq!((violation.table(), violation.constraint()), (Some("x"), Some("holds_pkey")));
}

#[tokio::test]
async fn other_codes_of_class_23_are_violations_without_a_kind() {
    let db = empty().await;
    let raise =
        "DO $$ BEGIN RAISE EXCEPTION 'canary' USING ERRCODE = '23000', CONSTRAINT = 'canary_rule'; END $$";
    let violation = read(&db.error(raise).await);
    assert_eq!((violation.kind(), violation.constraint()), (None, Some("canary_rule")));
    assert_eq!(read(&said("23001", "canary", &[]).await).kind(), Some(ConstraintKind::ForeignKey));
    assert_eq!(read(&said("23999", "canary", &[]).await).kind(), None);
    assert_eq!(read(&said("23000", "holds_pkey", &[]).await).kind(), Some(ConstraintKind::Unique));
}
