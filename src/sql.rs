//! Every statement the library sends: one named file each, with the types of its parameters.
//!
//! Types are declared rather than inferred, so that a connection without prepared statements can send a statement in
//! one flight. Only built-in types appear: an enum or a domain would cost further round trips to look up.
//!
//! Where a call has two forms, the general one has the plain verb (`place`, `book`, `confirm`) and the fast one a
//! suffix (`place_single`, `book_single`: one resource, scalars; `confirm_active`: an active hold, a new booking).
//!
//! The steps of a statement that claims or decides are CTEs, the same names everywhere, in this order. A statement has
//! those it needs. A step reads from the one that must have happened before it: PostgreSQL orders them in no other way.
//!
//! | step | what it is |
//! |---|---|
//! | `prior` | what an earlier call with this id or key left: then this one is a repeat |
//! | `taken` | what else has this id |
//! | `hold`, `old_hold`, `booking` | the row that is decided on, locked |
//! | `as_seen` | the same row as the statement's snapshot has it, without waiting |
//! | `resource` | in a single form: the one asked for, if it is sold |
//! | `wanted` | the places asked for, with their resources, if all is well so far |
//! | `seen` | the rows that overlap them, expired ones marked |
//! | `locked` | the resources, locked in id order |
//! | `inactive` | those of them that are no longer sold |
//! | `placed_rows` | the rows a hold was placed with, released or not |
//! | `held_rows`, `booked_rows`, `blocked_rows` | the claim's own live rows |
//! | `actor_holds` | the actor's holds under a limit |
//! | `inspected` | what follows from all that: `free`, or why not |
//! | `stale` | the rows to give up, locked: expired ones, and the own old ones |
//! | `freed` | these rows, released |
//! | `claimed` | the new rows, of which a rival may have prevented some |
//! | `counted` | how many there are |
//! | `verdict` | the outcome |
//! | `record` | the decision, stored under its key |
//! | `allocations_written`, `hold_written`, `old_hold_written`, `booking_written` | what follows from it |
//! | `event` | the outbox's row |
//!
//! `move`, `replace` and `confirm` lock before they see; the single forms claim before they look, and look only if that
//! came to nothing. One row counts what was claimed: that of `record`, or where nothing is recorded that of `hold_written`
//! or `event`. If a part was lost to a race it counts -1, which its domain refuses, and everything rolls back. One outcome
//! is not the caller's affair: `repeat`, the statement is sent once more, because its snapshot could not see the row it
//! met. A single form that has no answer gives none, or no row: then the general form is sent.
//!
//! What only explains a refusal takes its parameters through sub-selects. Seen by the planner, they make a plan for each
//! call look cheaper than the generic one, and planning costs more than the whole statement.

use crate::schema::SchemaName;
use tokio_postgres::types::Type;

macro_rules! statements {
    ($($variant:ident $file:literal [$($param:ident $ty:ident),*];)+) => {
        /// A statement of the library.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Sql { $($variant),+ }

        impl Sql {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The file as it is, for the default schema.
            const fn source(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("sql/", $file, ".sql"))),+ }
            }

            /// What the caller wanted, `hold.place`: the name on the first line, whichever variant serves it.
            #[cfg(feature = "metrics")]
            pub(crate) fn operation(self) -> &'static str {
                let name = self.source().lines().next().unwrap_or_default().trim_start_matches("-- ");
                ["_single", "_active"].iter().find_map(|variant| name.strip_suffix(variant)).unwrap_or(name)
            }

            /// The names of its parameters, as the header of its file labels them.
            #[cfg(test)]
            const fn parameters(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$(stringify!($param)),*]),+ }
            }

            /// The types of its parameters.
            pub(crate) const fn types(self) -> &'static [Type] {
                match self { $(Self::$variant => &[$(Type::$ty),*]),+ }
            }
        }
    };
}

statements! {
    ResourceCreate "resource/create"
        [tenant UUID, resource UUID, kind TEXT, name TEXT, reference TEXT, capacity INT4,
         smallest_party INT4, attributes JSONB];
    ResourceUpdate "resource/update"
        [tenant UUID, resource UUID, expected_revision INT4, kind TEXT, name TEXT, reference TEXT,
         capacity INT4, smallest_party INT4, attributes JSONB, active BOOL];
    ResourceDeactivate "resource/deactivate" [tenant UUID, resource UUID];
    ResourceFind "resource/find" [tenant UUID, resource UUID];
    ResourceList "resource/list" [tenant UUID, kind TEXT, active_only BOOL, after UUID, most_rows INT8];

    HoldPlaceSingle "hold/place_single"
        [tenant UUID, hold UUID, resource UUID, blocked_window TSTZ_RANGE, allocation UUID,
         visible_window TSTZ_RANGE, buffer_before INT4, buffer_after INT4, ttl INT8, longest_life INT8,
         actor TEXT, reference TEXT];
    HoldPlace "hold/place"
        [tenant UUID, hold UUID, resources UUID_ARRAY, blocked_windows TSTZ_RANGE_ARRAY,
         allocations UUID_ARRAY, visible_window TSTZ_RANGE, buffer_before INT4, buffer_after INT4, ttl INT8,
         longest_life INT8, actor TEXT, reference TEXT, most_active INT8];
    HoldReplace "hold/replace"
        [tenant UUID, new_hold UUID, resources UUID_ARRAY, blocked_windows TSTZ_RANGE_ARRAY,
         allocations UUID_ARRAY, visible_window TSTZ_RANGE, buffer_before INT4, buffer_after INT4, ttl INT8,
         longest_life INT8, actor TEXT, reference TEXT, old_hold UUID, most_active INT8];
    HoldExtend "hold/extend" [tenant UUID, hold UUID, actor TEXT, new_expiry TIMESTAMPTZ];
    HoldRelease "hold/release" [tenant UUID, hold UUID, actor TEXT];
    HoldFind "hold/find" [tenant UUID, hold UUID];
    HoldSweep "hold/sweep" [tenant UUID, most_holds INT8, how_far_back_to_look INT8];

    BookingConfirmActive "booking/confirm_active"
        [tenant UUID, hold UUID, booking UUID, confirmation UUID, key TEXT, checksum BYTEA, record JSONB,
         expected_window TSTZ_RANGE, reference TEXT, customer TEXT, price INT8, currency TEXT,
         time_zone TEXT, metadata JSONB];
    BookingConfirm "booking/confirm"
        [tenant UUID, hold UUID, booking UUID, confirmation UUID, key TEXT, checksum BYTEA, record JSONB,
         expected_window TSTZ_RANGE, expected TEXT, reference TEXT, customer TEXT, price INT8, currency TEXT,
         time_zone TEXT, metadata JSONB, if_still_free BOOL];
    BookingBookSingle "booking/book_single"
        [tenant UUID, claim UUID, resource UUID, blocked_window TSTZ_RANGE, allocation UUID,
         visible_window TSTZ_RANGE, buffer_before INT4, buffer_after INT4, booking UUID, confirmation UUID,
         key TEXT, checksum BYTEA, record JSONB, reference TEXT, customer TEXT, price INT8, currency TEXT,
         time_zone TEXT, metadata JSONB];
    BookingBook "booking/book"
        [tenant UUID, claim UUID, resources UUID_ARRAY, blocked_windows TSTZ_RANGE_ARRAY,
         allocations UUID_ARRAY, visible_window TSTZ_RANGE, buffer_before INT4, buffer_after INT4,
         booking UUID, confirmation UUID, key TEXT, checksum BYTEA, record JSONB, reference TEXT,
         customer TEXT, price INT8, currency TEXT, time_zone TEXT, metadata JSONB, pending BOOL];
    BookingCancel "booking/cancel"
        [tenant UUID, booking UUID, confirmation UUID, key TEXT, checksum BYTEA, record JSONB,
         expected_revision INT4];
    BookingMove "booking/move"
        [tenant UUID, booking UUID, resources UUID_ARRAY, blocked_windows TSTZ_RANGE_ARRAY,
         allocations UUID_ARRAY, visible_window TSTZ_RANGE, buffer_before INT4, buffer_after INT4,
         expected_revision INT4, confirmation UUID, key TEXT, checksum BYTEA, record JSONB];
    BookingRequest "booking/request"
        [tenant UUID, booking UUID, window TSTZ_RANGE, reference TEXT, customer TEXT, price INT8,
         currency TEXT, time_zone TEXT, metadata JSONB];
    BookingErase "booking/erase"
        [tenant UUID, customer TEXT, confirmation UUID, key TEXT, checksum BYTEA, record JSONB];
    BookingFind "booking/find" [tenant UUID, booking UUID];
    BookingHistory "booking/history" [tenant UUID, booking UUID];

    AllocationBlock "allocation/block"
        [tenant UUID, blackout UUID, resources UUID_ARRAY, windows TSTZ_RANGE_ARRAY, allocations UUID_ARRAY,
         event UUID];
    AllocationUnblock "allocation/unblock" [tenant UUID, blackout UUID, event UUID];
    AllocationIsFree "allocation/is_free" [tenant UUID, resource UUID, window TSTZ_RANGE];
    AllocationBlockers "allocation/blockers"
        [tenant UUID, resources UUID_ARRAY, blocked_windows TSTZ_RANGE_ARRAY];
    AllocationListByBooking "allocation/list_by_booking" [tenant UUID, booking UUID];
    AllocationListByResource "allocation/list_by_resource"
        [tenant UUID, resource UUID, window TSTZ_RANGE, most_rows INT8];
    AllocationFreeWindows "allocation/free_windows" [tenant UUID, resource UUID, window TSTZ_RANGE];

    ConfirmationFindByKey "confirmation/find_by_key" [tenant UUID, operation TEXT, key TEXT];
    ConfirmationListByBooking "confirmation/list_by_booking" [tenant UUID, booking UUID];

    AvailabilityCacheRefresh "availability_cache/refresh"
        [tenant UUID, source TEXT, when_the_computation_began TIMESTAMPTZ, body JSONB];
    AvailabilityCacheFail "availability_cache/fail" [tenant UUID, source TEXT, code TEXT];
    AvailabilityCacheInvalidate "availability_cache/invalidate" [tenant UUID, sources TEXT_ARRAY];
    AvailabilityCacheFind "availability_cache/find" [tenant UUID, source TEXT, longest_age INT8];

    OfferRecord "offer/record" [tenant UUID, source TEXT, slots TIMESTAMPTZ_ARRAY, how_often INT8_ARRAY];
    OfferList "offer/list" [tenant UUID, source TEXT, from TIMESTAMPTZ, before TIMESTAMPTZ, most_rows INT8];
    OfferPrune "offer/prune" [tenant UUID, before TIMESTAMPTZ, most_rows INT8];

    RetentionArchiveAllocations "retention/archive_allocations"
        [tenant UUID, age INT8, most_rows INT8, after UUID, up_to UUID, only_look BOOL];
    RetentionPruneConfirmations "retention/prune_confirmations"
        [tenant UUID, age INT8, most_rows INT8, after UUID, up_to UUID, only_look BOOL];
    RetentionPruneHolds "retention/prune_holds"
        [tenant UUID, age INT8, most_rows INT8, after UUID, up_to UUID, only_look BOOL];
    RetentionPruneBookings "retention/prune_bookings"
        [tenant UUID, age INT8, most_rows INT8, after UUID, up_to UUID, only_look BOOL];

    OutboxList "outbox/list" [tenant UUID, most_rows INT8];
    OutboxDelete "outbox/delete" [tenant UUID, events UUID_ARRAY];
}

/// Asks the catalogs, about a table of any schema: no tenant, nothing to qualify, and too rare to be kept prepared.
const RESOLVE_PARTITION: &str = include_str!("sql/violation/resolve_partition.sql");

/// The statement behind [`Violation::resolve_partition`](crate::violation::Violation::resolve_partition).
pub(crate) fn resolve_partition() -> String {
    without_comments(RESOLVE_PARTITION)
}

/// The statements' texts for one schema.
pub(crate) fn texts(schema: &SchemaName) -> Vec<String> {
    Sql::ALL.iter().map(|sql| schema.qualify(&without_comments(sql.source()))).collect()
}

/// Keeps the name on the first line, which tells an operator who asked; the reasons stay in the file.
fn without_comments(source: &str) -> String {
    let mut lines = source.lines();
    let name = lines.next().unwrap_or_default();
    let rest = lines.filter(|line| !line.trim_start().starts_with("--"));
    std::iter::once(name).chain(rest).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
