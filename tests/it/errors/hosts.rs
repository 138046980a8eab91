//! What a host adds to the library's tables refuses a call: the host learns which, and nobody reads it in a log.

use slotkeeper::{
    Actor, ConstraintKind, CustomerRef, Error, ErrorKind, InvalidInput, Reference, Retry,
    booking::{BookPlaces, BookingDetails, RequestBooking},
    hold::PlaceHold,
    resource::{NewResource, UpdateResource},
};

use super::silence::{CANARY, silent};
use crate::support::*;

fn reference() -> Reference {
    Reference::new(CANARY).unwrap()
}

fn details() -> BookingDetails {
    BookingDetails::new().reference(reference()).customer(CustomerRef::new(CANARY).unwrap())
}

/// Scenario 67: a reference is the one constraint of the library that a caller can meet.
#[tokio::test]
async fn a_reference_in_use_is_told_and_not_shown() {
    let h = House::open().await;
    let (t, k) = (h.tables(2).await, &h.keeper);
    let place = |minute| {
        PlaceHold::new(h.tenant, one(t[0], minute, minute + 30))
            .reference(reference())
            .actor(Actor::new(CANARY).unwrap())
    };
    let book =
        |minute| BookPlaces::new(h.tenant, one(t[1], minute, minute + 30), fresh_key()).details(details());
    let resource = || NewResource::new(h.tenant, kind(CANARY), name(CANARY)).reference(reference());
    k.holds().place(&h.pool, &place(0)).await.unwrap();
    assert!(k.bookings().book(&h.pool, &book(0)).await.unwrap().outcome.is_success());
    k.resources().create(&h.pool, &resource()).await.unwrap();
    let other = k.resources().find(&h.pool, h.tenant, t[0]).await.unwrap().unwrap();
    let other = UpdateResource::from(h.tenant, &other).reference(Some(reference()));

    let before = h.digest().await;
    let pending = RequestBooking::new(h.tenant, window(0, 30)).details(details());
    let errors = [
        k.holds().place(&h.pool, &place(60)).await.unwrap_err(),
        k.bookings().book(&h.pool, &book(60)).await.unwrap_err(),
        k.bookings().request(&h.pool, &pending).await.unwrap_err(),
        k.resources().create(&h.pool, &resource()).await.unwrap_err(),
        k.resources().update(&h.pool, &other).await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, Error::ReferenceTaken), "{error:?}");
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Conflict, Retry::Never));
        silent(&error);
    }
    assert_eq!(h.digest().await, before, "an error changes nothing");
}

struct Added {
    what: &'static str,
    kind: Option<ConstraintKind>,
    sqlstate: &'static str,
    constraint: Option<&'static str>,
    column: Option<&'static str>,
}

/// Things a host may add to `holds`, each of which refuses the second of two holds.
const ADDED: &[Added] = &[
    Added {
        what: "ALTER TABLE slotkeeper.holds ADD CONSTRAINT canary_check CHECK (actor <> 'canary')",
        kind: Some(ConstraintKind::Check),
        sqlstate: "23514",
        constraint: Some("canary_check"),
        column: None,
    },
    Added {
        what: "CREATE UNIQUE INDEX canary_key ON slotkeeper.holds (tenant_id, (actor || 'canary'))",
        kind: Some(ConstraintKind::Unique),
        sqlstate: "23505",
        constraint: Some("canary_key"),
        column: None,
    },
    // Scenario 68.
    Added {
        what: "ALTER TABLE slotkeeper.holds ADD CONSTRAINT canary_excl
            EXCLUDE USING gist (tenant_id WITH =, actor WITH =)",
        kind: Some(ConstraintKind::Exclusion),
        sqlstate: "23P01",
        constraint: Some("canary_excl"),
        column: None,
    },
    Added {
        what: "CREATE TABLE canary_guests (name text PRIMARY KEY);
            ALTER TABLE slotkeeper.holds ADD CONSTRAINT canary_fkey FOREIGN KEY (actor) REFERENCES canary_guests NOT VALID",
        kind: Some(ConstraintKind::ForeignKey),
        sqlstate: "23503",
        constraint: Some("canary_fkey"),
        column: None,
    },
    Added {
        what: "ALTER TABLE slotkeeper.holds ADD COLUMN canary text NOT NULL DEFAULT 'canary';
            ALTER TABLE slotkeeper.holds ALTER COLUMN canary DROP DEFAULT",
        kind: Some(ConstraintKind::NotNull),
        sqlstate: "23502",
        constraint: None,
        column: Some("canary"),
    },
    Added {
        what: "CREATE FUNCTION canary() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                RAISE EXCEPTION 'canary' USING ERRCODE = '23000', CONSTRAINT = 'canary_rule', DETAIL = 'canary';
            END $$;
            CREATE TRIGGER canary BEFORE INSERT ON slotkeeper.holds FOR EACH ROW EXECUTE FUNCTION canary()",
        kind: None,
        sqlstate: "23000",
        constraint: Some("canary_rule"),
        column: None,
    },
];

/// Scenario 67.
#[tokio::test]
async fn a_constraint_of_the_hosts_is_told_and_not_shown() {
    for added in ADDED {
        let h = House::open().await;
        let t = h.table().await;
        let place =
            |minute| PlaceHold::new(h.tenant, one(t, minute, minute + 30)).actor(Actor::new(CANARY).unwrap());
        h.keeper.holds().place(&h.pool, &place(0)).await.unwrap();
        h.sql(&added.what.replace("CHECK (actor <> 'canary')", "CHECK (actor <> 'canary') NOT VALID")).await;
        let before = h.digest().await;
        let error = h.keeper.holds().place(&h.pool, &place(60)).await.unwrap_err();
        silent(&error);
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Misconfigured, Retry::Never), "{}", added.what);
        assert_eq!(error.sqlstate(), Some(added.sqlstate), "{}", added.what);
        let Error::UnknownConstraint(violation) = error else { panic!("{}: {error:?}", added.what) };
        assert_eq!(violation.kind(), added.kind, "{}", added.what);
        assert_eq!((violation.constraint(), violation.column()), (added.constraint, added.column));
        assert_eq!(violation.known(), None);
        assert_eq!(h.digest().await, before, "an error changes nothing");
    }
}

/// Whatever else a trigger of the host's says.
#[tokio::test]
async fn an_error_of_a_hosts_trigger_is_internal_and_not_shown() {
    let h = House::open().await;
    let t = h.table().await;
    h.sql(
        "CREATE FUNCTION canary() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            RAISE EXCEPTION 'canary' USING DETAIL = 'canary', HINT = 'canary', TABLE = 'canary'; END $$;
         CREATE TRIGGER canary BEFORE INSERT ON slotkeeper.holds FOR EACH ROW EXECUTE FUNCTION canary()",
    )
    .await;
    let error = h.keeper.holds().place(&h.pool, &PlaceHold::new(h.tenant, one(t, 0, 30))).await.unwrap_err();
    assert!(matches!(error, Error::Internal(_)), "{error:?}");
    assert_eq!(error.sqlstate(), Some("P0001"));
    silent(&error);
}

/// A value's own error does not repeat the value.
#[test]
fn invalid_input_shows_no_value() {
    let long = CANARY.repeat(50);
    let errors = [
        Reference::new(long.as_str()).unwrap_err(),
        Reference::new("canary\0").unwrap_err(),
        Actor::new(long.as_str()).unwrap_err(),
        slotkeeper::TimeZoneName::new("canary canary").unwrap_err(),
        slotkeeper::Price::new(1, CANARY).unwrap_err(),
        InvalidInput::Empty { field: "reference" },
    ];
    for error in errors {
        silent(&Error::from(error));
    }
}
