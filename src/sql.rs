//! Every statement the library sends: one named file each, with the types of its parameters.
//!
//! Types are declared rather than inferred, so that a connection without prepared statements can send a statement in
//! one flight. Only built-in types appear: an enum or a domain would cost further round trips to look up.

use crate::schema::SchemaName;
use tokio_postgres::types::Type;

macro_rules! statements {
    ($($variant:ident $file:literal [$($ty:ident),*];)+) => {
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
                ["_one", "_many", "_any"].iter().find_map(|variant| name.strip_suffix(variant)).unwrap_or(name)
            }

            /// The types of its parameters.
            pub(crate) const fn types(self) -> &'static [Type] {
                match self { $(Self::$variant => &[$(Type::$ty),*]),+ }
            }
        }
    };
}

statements! {
    ResourceCreate "resource/create" [UUID, UUID, TEXT, TEXT, TEXT, INT4, INT4, JSONB];
    ResourceUpdate "resource/update" [UUID, UUID, INT4, TEXT, TEXT, TEXT, INT4, INT4, JSONB, BOOL];
    ResourceDeactivate "resource/deactivate" [UUID, UUID];
    ResourceFind "resource/find" [UUID, UUID];
    ResourceList "resource/list" [UUID, TEXT, BOOL, UUID, INT8];

    HoldPlaceOne "hold/place_one"
        [UUID, UUID, UUID, TSTZ_RANGE, UUID, TSTZ_RANGE, INT4, INT4, INT8, INT8, TEXT, TEXT];
    HoldPlaceMany "hold/place_many"
        [UUID, UUID, UUID_ARRAY, TSTZ_RANGE_ARRAY, UUID_ARRAY, TSTZ_RANGE, INT4, INT4, INT8, INT8, TEXT, TEXT, INT8];
    HoldReplace "hold/replace"
        [UUID, UUID, UUID_ARRAY, TSTZ_RANGE_ARRAY, UUID_ARRAY, TSTZ_RANGE, INT4, INT4, INT8, INT8, TEXT, TEXT, UUID,
         INT8];
    HoldExtend "hold/extend" [UUID, UUID, TEXT, TIMESTAMPTZ];
    HoldRelease "hold/release" [UUID, UUID, TEXT];
    HoldFind "hold/find" [UUID, UUID];
    HoldSweep "hold/sweep" [UUID, INT8, INT8];

    BookingConfirm "booking/confirm"
        [UUID, UUID, UUID, UUID, TEXT, BYTEA, JSONB, TSTZ_RANGE, TEXT, TEXT, INT8, TEXT, TEXT, JSONB];
    BookingConfirmAny "booking/confirm_any"
        [UUID, UUID, UUID, UUID, TEXT, BYTEA, JSONB, TSTZ_RANGE, TEXT, TEXT, TEXT, INT8, TEXT, TEXT, JSONB, BOOL];
    BookingBookOne "booking/book_one"
        [UUID, UUID, UUID, TSTZ_RANGE, UUID, TSTZ_RANGE, INT4, INT4, UUID, UUID, TEXT, BYTEA, JSONB,
         TEXT, TEXT, INT8, TEXT, TEXT, JSONB];
    BookingBookMany "booking/book_many"
        [UUID, UUID, UUID_ARRAY, TSTZ_RANGE_ARRAY, UUID_ARRAY, TSTZ_RANGE, INT4, INT4, UUID, UUID, TEXT, BYTEA, JSONB,
         TEXT, TEXT, INT8, TEXT, TEXT, JSONB, BOOL];
    BookingCancel "booking/cancel" [UUID, UUID, UUID, TEXT, BYTEA, JSONB, INT4];
    BookingMove "booking/move"
        [UUID, UUID, UUID_ARRAY, TSTZ_RANGE_ARRAY, UUID_ARRAY, TSTZ_RANGE, INT4, INT4, INT4, UUID, TEXT, BYTEA, JSONB];
    BookingRequest "booking/request" [UUID, UUID, TSTZ_RANGE, TEXT, TEXT, INT8, TEXT, TEXT, JSONB];
    BookingErase "booking/erase" [UUID, TEXT, UUID, TEXT, BYTEA, JSONB];
    BookingFind "booking/find" [UUID, UUID];
    BookingHistory "booking/history" [UUID, UUID];

    AllocationBlock "allocation/block" [UUID, UUID, UUID_ARRAY, TSTZ_RANGE_ARRAY, UUID_ARRAY, UUID];
    AllocationUnblock "allocation/unblock" [UUID, UUID, UUID];
    AllocationIsFree "allocation/is_free" [UUID, UUID, TSTZ_RANGE];
    AllocationBlockers "allocation/blockers" [UUID, UUID_ARRAY, TSTZ_RANGE_ARRAY];
    AllocationListByBooking "allocation/list_by_booking" [UUID, UUID];
    AllocationListByResource "allocation/list_by_resource" [UUID, UUID, TSTZ_RANGE, INT8];
    AllocationFreeWindows "allocation/free_windows" [UUID, UUID, TSTZ_RANGE];

    ConfirmationFindByKey "confirmation/find_by_key" [UUID, TEXT, TEXT];
    ConfirmationListByBooking "confirmation/list_by_booking" [UUID, UUID];

    AvailabilityCacheRefresh "availability_cache/refresh" [UUID, TEXT, TIMESTAMPTZ, JSONB];
    AvailabilityCacheFail "availability_cache/fail" [UUID, TEXT, TEXT];
    AvailabilityCacheInvalidate "availability_cache/invalidate" [UUID, TEXT_ARRAY];
    AvailabilityCacheFind "availability_cache/find" [UUID, TEXT, INT8];

    OfferRecord "offer/record" [UUID, TEXT, TIMESTAMPTZ_ARRAY, INT8_ARRAY];
    OfferList "offer/list" [UUID, TEXT, TIMESTAMPTZ, TIMESTAMPTZ, INT8];
    OfferPrune "offer/prune" [UUID, TIMESTAMPTZ, INT8];

    RetentionArchiveAllocations "retention/archive_allocations" [UUID, INT8, INT8, UUID, UUID, BOOL];
    RetentionPruneConfirmations "retention/prune_confirmations" [UUID, INT8, INT8, UUID, UUID, BOOL];
    RetentionPruneHolds "retention/prune_holds" [UUID, INT8, INT8, UUID, UUID, BOOL];
    RetentionPruneBookings "retention/prune_bookings" [UUID, INT8, INT8, UUID, UUID, BOOL];

    OutboxList "outbox/list" [UUID, INT8];
    OutboxDelete "outbox/delete" [UUID, UUID_ARRAY];
}

/// Asks the catalogs, about a table of any schema: no tenant, nothing to qualify, and too rare to be kept prepared.
const RESOLVE_PARTITION: &str = include_str!("sql/violation/resolve_partition.sql");

/// The statement behind [`Violation::resolve_partition`](crate::Violation::resolve_partition).
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
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn every_file_is_registered_and_names_itself() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src/sql");
        let mut files = 0;
        for noun in std::fs::read_dir(root).unwrap() {
            for file in std::fs::read_dir(noun.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                let text = std::fs::read_to_string(&path).unwrap();
                let noun = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
                let verb = path.file_stem().unwrap().to_str().unwrap();
                assert!(text.starts_with(&format!("-- {noun}.{verb}\n")), "{path:?} does not name itself");
                let sources = Sql::ALL.iter().map(|sql| sql.source());
                let mut known = sources.chain([RESOLVE_PARTITION]);
                assert!(known.any(|source| source == text), "{path:?} is not registered");
                files += 1;
            }
        }
        assert_eq!(files, Sql::ALL.len() + 1);
    }

    #[test]
    fn every_statement_is_confined_to_a_tenant_and_a_schema() {
        let schema = SchemaName::new("other").unwrap();
        for (sql, text) in Sql::ALL.iter().zip(texts(&schema)) {
            assert!(text.contains("tenant_id = $1") || text.contains("VALUES ($1"), "{sql:?}");
            assert!(!text.contains("slotkeeper."), "{sql:?}");
            assert!(text.contains("\"other\"."), "{sql:?}");
            assert!(!text.contains('*') || !text.contains("SELECT * FROM \"other\""), "{sql:?}");
        }
    }
}
