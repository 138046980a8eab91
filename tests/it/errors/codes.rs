//! Every code a server can answer with, what the caller is told, and how often the statement was sent.

use slotkeeper::{
    Error, HoldId, ResourceId, Slotkeeper, TenantId,
    hold::{PlaceHold, ReleaseHold},
};

use super::{
    scripted::Scripted,
    silence::{CANARY, silent},
};
use crate::support::{all, one};

/// The fields of an error, in the order severity, code, routine, constraint.
type Said = (&'static str, &'static str, Option<&'static str>, Option<&'static str>);

fn error(code: &'static str) -> Said {
    ("ERROR", code, None, None)
}

fn fatal(code: &'static str) -> Said {
    ("FATAL", code, None, None)
}

fn violates(code: &'static str, constraint: &'static str) -> Said {
    ("ERROR", code, None, Some(constraint))
}

async fn scripted(said: Said) -> Scripted {
    let (severity, code, routine, constraint) = said;
    let mut fields = vec![('S', severity), ('V', severity), ('C', code), ('M', CANARY), ('D', CANARY)];
    fields.extend([('s', "slotkeeper"), ('t', CANARY)]);
    fields.extend(routine.map(|routine| ('R', routine)));
    fields.extend(constraint.map(|constraint| ('n', constraint)));
    Scripted::new(&fields).await
}

/// The code the caller gets, after checking that the error shows nothing and keeps the server's code.
fn told(error: &Error, code: &str) -> &'static str {
    silent(error);
    assert!(error.sqlstate().is_none_or(|kept| kept == code), "{error:?}");
    error.code()
}

const REPLAN: Said = ("ERROR", "0A000", Some("RevalidateCachedQuery"), None);

/// A write on its own connection: repeated where a repeat can help, at most four times in all.
#[tokio::test]
async fn every_answer_to_a_write_has_one_meaning() {
    let again = [
        error("40001"),
        error("40P01"),
        error("26000"),
        error("42P05"),
        REPLAN,
        // Met a row its snapshot cannot see.
        violates("23P01", "allocations_resource_during_excl"),
        violates("23505", "holds_pkey"),
        violates("23505", "confirmations_key_key"),
        violates("23514", "claimed_rows_check"),
        violates("23503", "allocations_resource_fkey"),
        // Another claim took the same id at the same moment.
        violates("23505", "allocations_pkey"),
    ];
    let busy = ["55P03", "57014", "53300", "53200", "53100", "53000", "53400", "57P03"]
        .map(error)
        .into_iter()
        .chain([
            // Refused at the door: nothing was decided.
            fatal("53300"),
            fatal("57P03"),
        ]);
    let misconfigured =
        ["42501", "42P01", "42703", "3F000", "42883", "55000", "0A000", "42P10", "28000", "3D000"];
    let misconfigured = misconfigured.map(error).into_iter().chain([fatal("28P01"), fatal("3D000")]);
    let internal = [
        "22000", "22003", "22007", "22008", "22021", "22P02", "22P05", "54000", "54001", "P0001", "21000",
        "XX002", "F0000",
    ];
    let internal = internal.map(error).into_iter().chain([
        // Rules that the library's own values keep.
        violates("23514", "booked_window_check"),
        violates("23505", "confirmations_pkey"),
    ]);
    // It was sent, and the session or the coordinator is gone: it may have happened.
    let unknown =
        ["08000", "08003", "08006", "57P01", "57P02", "57P04", "57P05", "25P03", "25P04", "40003", "XX000"];
    let unknown = unknown.map(error).into_iter().chain([
        fatal("XX000"),
        fatal("22023"),
        fatal("40001"),
        fatal("53200"),
        fatal("57P01"),
        ("PANIC", "53100", None, None),
    ]);
    let hosts = [
        violates("23514", "canary_check"),
        violates("23505", "holds_pkey_x"),
        error("23502"),
        error("23000"),
    ];

    let mut cases: Vec<(Said, &str, usize)> = Vec::new();
    cases.extend(again.map(|said| (said, "busy", 4)));
    cases.extend(busy.map(|said| (said, "busy", 1)));
    cases.extend(misconfigured.map(|said| (said, "misconfigured", 1)));
    cases.extend(internal.map(|said| (said, "internal", 1)));
    cases.extend(unknown.map(|said| (said, "outcome_unknown", 1)));
    cases.extend(hosts.map(|said| (said, "unknown_constraint", 1)));
    cases.extend([
        (error("25P02"), "transaction_aborted", 1),
        (error("25006"), "read_only", 1),
        // Once more, because it could be a twin's.
        (violates("23505", "bookings_reference_key"), "reference_taken", 2),
    ]);
    let (keeper, release) = (Slotkeeper::new(), ReleaseHold::new(TenantId::SINGLE, HoldId::generate()));
    for (said, expected, times) in cases {
        let server = scripted(said).await;
        let answer = keeper.holds().release(&server.client, &release).await.unwrap_err();
        assert_eq!((told(&answer, said.1), server.answers()), (expected, times), "{said:?}");
    }
}

/// Inside the caller's transaction nothing commits, so nothing is unknown; only what a savepoint undid is repeated.
#[tokio::test]
async fn inside_a_transaction_only_a_savepoint_allows_a_repeat() {
    let tables = [ResourceId::generate(), ResourceId::generate()];
    let plain = PlaceHold::new(TenantId::SINGLE, one(tables[0], 0, 30));
    let guarded = PlaceHold::new(TenantId::SINGLE, all(&tables, 0, 30));
    for (said, expected, plainly, under_a_savepoint) in [
        (violates("23514", "claimed_rows_check"), "busy", 1, 4),
        (violates("23505", "holds_pkey"), "busy", 1, 4),
        (violates("23505", "holds_reference_key"), "reference_taken", 1, 2),
        // The snapshot of a stricter level does not move, and a deadlock's victim is the whole transaction.
        (error("40001"), "busy", 1, 1),
        (error("40P01"), "busy", 1, 1),
        (REPLAN, "busy", 1, 1),
        (error("55P03"), "busy", 1, 1),
        (error("25P02"), "transaction_aborted", 1, 1),
        (error("57P01"), "unavailable", 1, 1),
        (error("40003"), "unavailable", 1, 1),
        (error("XX000"), "internal", 1, 1),
    ] {
        for (place, times) in [(&plain, plainly), (&guarded, under_a_savepoint)] {
            let mut server = scripted(said).await;
            let tx = server.client.transaction().await.unwrap();
            let answer = Slotkeeper::new().holds().place(&tx, place).await.unwrap_err();
            drop(tx);
            assert_eq!((told(&answer, said.1), server.answers()), (expected, times), "{said:?}");
        }
    }
}

/// A read decides nothing: it is never unknown, and only a stale plan is worth a second try.
#[tokio::test]
async fn a_read_is_never_in_doubt() {
    for (said, expected, times) in [
        (error("57P01"), "unavailable", 1),
        (fatal("57P01"), "unavailable", 1),
        (error("XX000"), "internal", 1),
        (error("40001"), "busy", 1),
        (REPLAN, "busy", 2),
        (error("26000"), "busy", 2),
        (error("42501"), "misconfigured", 1),
    ] {
        let server = scripted(said).await;
        let answer =
            Slotkeeper::new().holds().find(&server.client, TenantId::SINGLE, HoldId::generate()).await;
        let answer = answer.unwrap_err();
        assert_eq!((told(&answer, said.1), server.answers()), (expected, times), "{said:?}");
    }
}
