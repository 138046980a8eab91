//! Every statement the library sends: one named file each, with the types of its parameters.
//!
//! Types are declared rather than inferred, so that a connection without prepared statements can send a statement in
//! one flight. Only built-in types appear: an enum or a domain would cost further round trips to look up.

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

    /// What the header of a file calls its parameters: `$3 resources[]  $7 buffer before, s`.
    fn labelled(source: &str) -> Vec<String> {
        let header = source.lines().take_while(|line| line.starts_with("--"));
        let labels = header.filter(|line| line.starts_with("-- $")).flat_map(|line| line[3..].split("  "));
        let name = |label: &str| {
            let (_, text) = label.split_once(' ').unwrap_or_default();
            text.split([',', '[', '(', ':']).next().unwrap_or_default().trim().replace(' ', "_")
        };
        labels
            .enumerate()
            .map(|(i, label)| {
                let numbered = label.starts_with(&format!("${} ", i + 1));
                if numbered { name(label) } else { format!("{label:?} is not ${}", i + 1) }
            })
            .collect()
    }

    /// The highest `$n` outside of the header.
    fn used(source: &str) -> usize {
        let text = without_comments(source);
        let number =
            |rest: &str| rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|n| n.parse().ok());
        text.match_indices('$').filter_map(|(at, _)| number(&text[at + 1..])).max().unwrap_or(0)
    }

    fn mislabelled(statement: &str, registered: &[&str], source: &str) -> Option<String> {
        let labelled = labelled(source);
        (labelled != registered || used(source) != registered.len()).then(|| {
            format!("{statement}: registered {registered:?}, labelled {labelled:?}, {} used", used(source))
        })
    }

    #[test]
    fn parameters_are_labelled_as_they_are_registered() {
        let wrong = |sql: &Sql| mislabelled(&format!("{sql:?}"), sql.parameters(), sql.source());
        assert_eq!(Sql::ALL.iter().filter_map(wrong).collect::<Vec<_>>(), [""; 0]);
    }

    #[test]
    fn a_parameter_too_few_or_in_another_place_is_found() {
        let source = "-- a.b\n-- $1 tenant  $2 hold\n-- $3 buffer before, s\nSELECT $1, $2, $3";
        assert_eq!(mislabelled("X", &["tenant", "hold", "buffer_before"], source), None);
        for wrong in
            [&["tenant", "hold"][..], &["hold", "tenant", "buffer_before"], &["tenant", "hold", "after"]]
        {
            assert!(mislabelled("X", wrong, source).is_some(), "{wrong:?}");
        }
        assert!(mislabelled("X", &["tenant"], "-- a.b\n-- $1 tenant\nSELECT $1, $2").is_some());
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
