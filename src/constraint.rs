//! Every named constraint of the schema, once.
//!
//! The error mapper, the schema check and the documentation all read this list. A test compares it with a migrated
//! database in both directions, so a constraint can be neither forgotten here nor left over.
//!
//! A unique index counts as a constraint: the server reports its name in the same field, and a row violates it in the
//! same way. `NOT NULL` has no entry: the server reports the column, and no name before version 18.

mod name;
#[cfg(test)]
mod tests;

pub(crate) use name::{NEW, keeps, unsharded};

/// What a constraint is, and so which SQLSTATE its violation carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConstraintKind {
    /// A primary key, unique constraint or unique index: `23505`.
    Unique,
    /// An exclusion constraint: `23P01`.
    Exclusion,
    /// A foreign key: `23503`, or `23001` where the server tells the two sides apart.
    ForeignKey,
    /// A check: `23514`.
    Check,
    /// The rule of a domain, for every column that has it as its type: `23514`.
    Domain,
    /// A column that must have a value: `23502`. The server names the column; the list has no such entry.
    NotNull,
}

/// What a violation means to the write that met it. Every constraint says so where it is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnViolation {
    /// Repeat the identical statement: it now sees the row our snapshot could not see.
    Repeat,
    /// The host's own number is taken.
    ReferenceTaken,
    /// A rule our values keep by construction: a defect, or a schema that is not ours.
    Defect,
}

macro_rules! on_violation {
    (repeat) => {
        OnViolation::Repeat
    };
    (reference_taken) => {
        OnViolation::ReferenceTaken
    };
    (defect) => {
        OnViolation::Defect
    };
}

macro_rules! constraints {
    ($($variant:ident $name:literal $table:literal $kind:ident $violated:ident $rule:literal;)+) => {
        /// A named constraint or unique index of the schema.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Constraint {
            $(#[doc = concat!("`", $name, "`: ", $rule, ".")] $variant,)+
        }

        impl Constraint {
            /// All of them, table by table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in the database, at most 40 bytes.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The table or domain it belongs to, without the schema.
            #[must_use]
            pub const fn table(self) -> &'static str {
                match self { $(Self::$variant => $table),+ }
            }

            /// The one with exactly this name: compared by length first, so nearly nothing is compared in full.
            fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }

            /// What it is.
            #[must_use]
            pub const fn kind(self) -> ConstraintKind {
                match self { $(Self::$variant => ConstraintKind::$kind),+ }
            }

            /// The rule it keeps, one lower-case sentence without a full stop.
            #[must_use]
            pub const fn rule(self) -> &'static str {
                match self { $(Self::$variant => $rule),+ }
            }

            /// What its violation means to the write that met it.
            pub(crate) const fn on_violation(self) -> OnViolation {
                match self { $(Self::$variant => on_violation!($violated)),+ }
            }
        }
    };
}

constraints! {
    // `repeat`: we met a row our snapshot could not see, so the identical statement, sent again, sees it and names it,
    // replays it, or wins.
    //   claimed_rows_check, bookings_confirmed_check: part of a claim lost a race, or its key was taken meanwhile.
    //   …_pkey, …_key of an identity: a twin came first, and the repeat finds its row.
    //   holds_actor_seq_key: the same actor's other hold came first, and the repeat counts it.
    //   allocations_pkey: another claim took the same id at the same moment; the repeat finds its rows.
    //   allocations_archive_pkey: another run archived the row, and the repeat leaves it.
    //   allocations_resource_fkey: the resource was deleted between look and claim; the repeat does not find it.
    //   allocations_resource_during_excl: raised only without ON CONFLICT; the repeat names the blocker.
    // `reference_taken`: the host's own number belongs to another row.
    // `defect`: a rule our values keep by construction, or a schema that is not ours.
    //   bookings_claim_key: no hold is placed under a booking's claim, and confirming locks the hold, so no repeat helps.

    BookedWindowCheck "booked_window_check" "booked_window" Domain defect
        "a window is half-open, finite and at most 400 days";
    BufferSecondsCheck "buffer_seconds_check" "buffer_seconds" Domain defect "a buffer is 0 to 7 days";
    ClaimedRowsCheck "claimed_rows_check" "claimed_rows" Domain repeat "a claim takes everything it asked for, or nothing";
    HoldStatusCheck "hold_status_check" "hold_status" Domain defect "a hold is active, consumed, released or replaced";
    AllocationKindCheck "allocation_kind_check" "allocation_kind" Domain defect
        "an allocation is held, booked, blackout or external";
    BookingStatusCheck "booking_status_check" "booking_status" Domain defect
        "a booking is pending, confirmed or cancelled";
    OperationCheck "operation_check" "operation" Domain defect "the operation of a decision has 1 to 40 bytes";

    ResourcesPkey "resources_pkey" "resources" Unique repeat "a resource id is used once per tenant";
    ResourcesKindCheck "resources_kind_check" "resources" Check defect "a resource kind has 1 to 40 bytes";
    ResourcesNameCheck "resources_name_check" "resources" Check defect "a resource name has 1 to 200 bytes";
    ResourcesReferenceCheck "resources_reference_check" "resources" Check defect
        "a resource reference has 1 to 120 bytes";
    ResourcesCapacityCheck "resources_capacity_check" "resources" Check defect "1 <= smallest party <= largest party";
    ResourcesReferenceKey "resources_reference_key" "resources" Unique reference_taken
        "a resource reference is used once per tenant";

    HoldsPkey "holds_pkey" "holds" Unique repeat "a hold id is used once per tenant";
    HoldsExpiresCheck "holds_expires_check" "holds" Check defect "a hold expires no later than its longest life allows";
    HoldsReferenceKey "holds_reference_key" "holds" Unique reference_taken "a hold reference is used once per tenant";
    HoldsActorSeqKey "holds_actor_seq_key" "holds" Unique repeat
        "the holds of an actor under a limit are numbered apart";

    AllocationsPkey "allocations_pkey" "allocations" Unique repeat "an allocation id is used once per tenant";
    AllocationsResourceFkey "allocations_resource_fkey" "allocations" ForeignKey repeat
        "an allocation is of a resource of its tenant";
    AllocationsExpiresCheck "allocations_expires_check" "allocations" Check defect
        "an allocation expires exactly when it is held";
    AllocationsResourceDuringExcl "allocations_resource_during_excl" "allocations" Exclusion repeat
        "live allocations of a resource do not overlap";

    AllocationsArchivePkey "allocations_archive_pkey" "allocations_archive" Unique repeat
        "an allocation is archived once per tenant";

    ConfirmationsPkey "confirmations_pkey" "confirmations" Unique defect "a confirmation id is used once per tenant";
    ConfirmationsKeyKey "confirmations_key_key" "confirmations" Unique repeat
        "an idempotency key decides an operation once";

    BookingsPkey "bookings_pkey" "bookings" Unique repeat "a booking id is used once per tenant";
    BookingsClaimKey "bookings_claim_key" "bookings" Unique defect "a claim belongs to one booking";
    BookingsConfirmedCheck "bookings_confirmed_check" "bookings" Check repeat
        "a confirmed booking has its claim and its confirmation";
    BookingsPriceCheck "bookings_price_check" "bookings" Check defect "a price and its currency are given together";
    BookingsReferenceKey "bookings_reference_key" "bookings" Unique reference_taken
        "a booking reference is used once per tenant";

    AvailabilityCachePkey "availability_cache_pkey" "availability_cache" Unique repeat
        "a tenant has one cached answer per source";
    AvailabilityCacheSourceCheck "availability_cache_source_check" "availability_cache" Check defect
        "a cached answer is for a known source";
    AvailabilityCacheBodyCheck "availability_cache_body_check" "availability_cache" Check defect
        "a cached answer says when it was begun and written";
    AvailabilityCacheErrorCheck "availability_cache_error_check" "availability_cache" Check defect
        "failures are counted with their code and time";

    OfferedSlotsPkey "offered_slots_pkey" "offered_slots" Unique repeat
        "a slot is in the ledger once per tenant and source";
    OfferedSlotsSourceCheck "offered_slots_source_check" "offered_slots" Check defect
        "a slot is offered by a known source";
    OfferedSlotsStartsCheck "offered_slots_starts_check" "offered_slots" Check defect
        "an offered slot is between 1970 and 2200";
    OfferedSlotsOfferedCheck "offered_slots_offered_check" "offered_slots" Check defect
        "a slot in the ledger was offered at least once";

    OutboxPkey "outbox_pkey" "outbox" Unique defect "an event id is used once per tenant";

    MigrationsPkey "migrations_pkey" "migrations" Unique defect "a migration is applied once";
}

impl Constraint {
    /// Finds a constraint by the name an error carries.
    ///
    /// The name is matched whole. `_` and digits may follow it: that is how a shard of a distributed table is called.
    #[must_use]
    pub fn lookup(name: &str) -> Option<Self> {
        Self::named(name).or_else(|| Self::named(unsharded(name)?))
    }
}
