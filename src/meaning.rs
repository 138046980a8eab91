//! What a violated constraint means to the write that met it.

use crate::constraint::Constraint;

/// The answer to a violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// We met a row our snapshot could not see: repeat the identical statement, which now sees it.
    Again,
    /// The host's own number is taken.
    ReferenceTaken,
    /// A rule our values keep by construction: a defect, or a schema that is not ours.
    Defect,
}

/// Exhaustive on purpose: a new constraint does not compile until somebody has decided what it means.
pub(crate) const fn meaning(constraint: Constraint) -> Meaning {
    use Constraint as C;
    match constraint {
        // Part of a claim lost a race, or the parent row could not be written because the key was taken meanwhile.
        C::HoldsClaimedCheck
        | C::ConfirmationsClaimedCheck
        | C::OutboxClaimedCheck
        | C::BookingsConfirmedCheck
        // A twin with the same identity came first; the repeat finds its row.
        | C::HoldsPkey
        | C::BookingsPkey
        | C::BookingsClaimKey
        | C::ConfirmationsKeyKey
        | C::ResourcesPkey
        | C::AvailabilityCachePkey
        | C::OfferedSlotsPkey
        // The archive got the row from somebody else meanwhile; the repeat sees it and leaves ours.
        | C::AllocationsArchivePkey
        // The same actor's other hold came first; the repeat counts it.
        | C::HoldsActorSeqKey
        // The resource was deleted between look and claim; the repeat does not find it.
        | C::AllocationsResourceFkey
        // Only a claim without ON CONFLICT can raise it; the repeat names the blocker.
        | C::AllocationsResourceDuringExcl => Meaning::Again,

        C::ResourcesReferenceKey | C::HoldsReferenceKey | C::BookingsReferenceKey => Meaning::ReferenceTaken,

        C::AllocationsPkey
        | C::AllocationsKindCheck
        | C::AllocationsExpiresCheck
        | C::AllocationsDuringCheck
        | C::AvailabilityCacheSourceCheck
        | C::AvailabilityCacheBodyCheck
        | C::AvailabilityCacheErrorCheck
        | C::BookingsStatusCheck
        | C::BookingsPriceCheck
        | C::BookingsBufferCheck
        | C::BookingsDuringCheck
        | C::ConfirmationsPkey
        | C::ConfirmationsOperationCheck
        | C::HoldsStatusCheck
        | C::HoldsExpiresCheck
        | C::HoldsBufferCheck
        | C::HoldsDuringCheck
        | C::MigrationsPkey
        | C::OfferedSlotsSourceCheck
        | C::OfferedSlotsStartsCheck
        | C::OfferedSlotsOfferedCheck
        | C::OutboxPkey
        | C::ResourcesKindCheck
        | C::ResourcesNameCheck
        | C::ResourcesReferenceCheck
        | C::ResourcesCapacityCheck => Meaning::Defect,
    }
}
