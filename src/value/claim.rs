//! `Claim`: which resources are wanted, and when.

use super::{AllocationId, InvalidInput, ResourceId, Window};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// The most (resource, window) pairs in one claim. Bounds the locks one statement takes and the rows one refusal names.
pub(crate) const MAX_PAIRS: usize = 64;

/// The longest buffer: a week.
const MAX_BUFFER_SECONDS: i64 = 7 * 86_400;

/// One resource at one time, as the customer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Pair {
    /// The resource.
    pub resource: ResourceId,
    /// When, without buffers.
    pub window: Window,
}

/// Time kept free around a window: for cleaning, for travel. Buffers of neighbours add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Buffers {
    before_seconds: i32,
    after_seconds: i32,
}

impl Buffers {
    /// Buffers of whole seconds, each 0 to 7 days.
    ///
    /// # Errors
    /// [`InvalidInput::Buffer`].
    pub fn new(before: TimeDelta, after: TimeDelta) -> Result<Self, InvalidInput> {
        Ok(Self { before_seconds: whole_seconds(before)?, after_seconds: whole_seconds(after)? })
    }

    /// Before the window.
    #[must_use]
    pub fn before(&self) -> TimeDelta {
        TimeDelta::seconds(self.before_seconds.into())
    }

    /// After the window.
    #[must_use]
    pub fn after(&self) -> TimeDelta {
        TimeDelta::seconds(self.after_seconds.into())
    }

    pub(crate) const fn seconds(&self) -> (i32, i32) {
        (self.before_seconds, self.after_seconds)
    }

    /// Back from the database, whose checks keep the same rule.
    pub(crate) const fn stored(before_seconds: i32, after_seconds: i32) -> Self {
        Self { before_seconds, after_seconds }
    }

    fn around(&self, window: Window) -> Result<Window, InvalidInput> {
        Window::new(window.start() - self.before(), window.end() + self.after())
    }
}

fn whole_seconds(length: TimeDelta) -> Result<i32, InvalidInput> {
    let seconds = length.num_seconds();
    if TimeDelta::seconds(seconds) == length && (0..=MAX_BUFFER_SECONDS).contains(&seconds) {
        i32::try_from(seconds).map_err(|_| InvalidInput::Buffer)
    } else {
        Err(InvalidInput::Buffer)
    }
}

/// 1 to 64 (resource, window) pairs, wanted together or not at all, with the buffers around each window.
///
/// Pairs are kept in the order the database locks them, whatever order they were given in. One resource
/// at two overlapping times is refused, because such a claim could never succeed; so is a pair given twice, because two
/// guests with one table are not one guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pairs: Vec<Pair>,
    blocked: Vec<Window>,
    visible: Window,
    buffers: Buffers,
}

impl Claim {
    /// One resource.
    #[must_use]
    pub fn one(resource: ResourceId, window: Window) -> Self {
        Self {
            pairs: vec![Pair { resource, window }],
            blocked: vec![window],
            visible: window,
            buffers: Buffers::default(),
        }
    }

    /// Several resources at the same time: combined tables, a room and its teacher.
    ///
    /// # Errors
    /// [`InvalidInput::NoResources`], [`InvalidInput::TooManyResources`], or [`InvalidInput::ClaimOverlapsItself`] if a
    /// resource is given twice.
    pub fn all(
        resources: impl IntoIterator<Item = ResourceId>,
        window: Window,
    ) -> Result<Self, InvalidInput> {
        Self::pairs(resources.into_iter().map(|resource| Pair { resource, window }))
    }

    /// Several resources, each at its own time. What the customer sees as *the* window is then from the first start to
    /// the last end.
    ///
    /// # Errors
    /// [`InvalidInput::NoResources`], [`InvalidInput::TooManyResources`], [`InvalidInput::ClaimOverlapsItself`], or
    /// [`InvalidInput::WindowTooLong`] if first start and last end are more than 400 days apart.
    pub fn pairs(pairs: impl IntoIterator<Item = Pair>) -> Result<Self, InvalidInput> {
        // One more than the limit tells that it is exceeded; an endless iterator must not exhaust memory.
        let mut pairs: Vec<Pair> = pairs.into_iter().take(MAX_PAIRS + 1).collect();
        pairs.sort_unstable();
        Self::checked(pairs, Buffers::default())
    }

    /// The same claim with time kept free around each window.
    ///
    /// # Errors
    /// [`InvalidInput::ClaimOverlapsItself`], [`InvalidInput::WindowTooLong`] or
    /// [`InvalidInput::WindowOutOfRange`] if a window breaks the rule with its buffers.
    pub fn with_buffers(self, buffers: Buffers) -> Result<Self, InvalidInput> {
        Self::checked(self.pairs, buffers)
    }

    fn checked(pairs: Vec<Pair>, buffers: Buffers) -> Result<Self, InvalidInput> {
        if pairs.len() > MAX_PAIRS {
            return Err(InvalidInput::TooManyResources { limit: MAX_PAIRS });
        }
        let start = pairs.iter().map(|pair| pair.window.start()).min();
        let end = pairs.iter().map(|pair| pair.window.end()).max();
        let (Some(start), Some(end)) = (start, end) else { return Err(InvalidInput::NoResources) };
        let visible = Window::new(start, end)?;
        let blocked: Vec<Window> =
            pairs.iter().map(|pair| buffers.around(pair.window)).collect::<Result<_, _>>()?;
        let clash =
            |n: usize| pairs[n - 1].resource == pairs[n].resource && blocked[n - 1].overlaps(&blocked[n]);
        if (1..pairs.len()).any(clash) {
            return Err(InvalidInput::ClaimOverlapsItself);
        }
        Ok(Self { pairs, blocked, visible, buffers })
    }

    /// The pairs, sorted by resource, then start.
    #[must_use]
    pub fn as_pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// What the customer sees: from the first start to the last end, without buffers.
    #[must_use]
    pub const fn window(&self) -> Window {
        self.visible
    }

    /// Time kept free around each window.
    #[must_use]
    pub const fn buffers(&self) -> Buffers {
        self.buffers
    }

    pub(crate) fn is_one(&self) -> bool {
        self.pairs.len() == 1
    }

    /// The columns a statement unnests, for a claim that is new under `id`. The allocations' ids follow from it, so that
    /// two things that take one id at the same moment, wherever, meet in the primary key.
    pub(crate) fn columns_of(&self, id: Uuid) -> ClaimColumns {
        self.with_ids((0_u32..).zip(&self.pairs).map(|(nth, _)| allocation_id(id, nth)).collect())
    }

    /// The columns a statement unnests: resources, blocked windows, and a fresh allocation id for each.
    pub(crate) fn columns(&self) -> ClaimColumns {
        self.with_ids(self.pairs.iter().map(|_| AllocationId::generate()).collect())
    }

    fn with_ids(&self, ids: Vec<AllocationId>) -> ClaimColumns {
        let resources = self.pairs.iter().map(|pair| pair.resource).collect();
        ClaimColumns { resources, blocked: self.blocked.clone(), ids }
    }
}

/// The id of a claim's nth allocation. The first half is the claim's own: of a v7 id that is its time, and rows written
/// together stay together in the index. The second half is a digest, so that no two claims meet by arithmetic.
fn allocation_id(claim: Uuid, nth: u32) -> AllocationId {
    let mut input = claim.into_bytes().to_vec();
    input.extend(nth.to_be_bytes());
    let digest = Sha256::digest(&input);
    let mut bytes = claim.into_bytes();
    bytes[8..].copy_from_slice(&digest[..8]);
    AllocationId::from_uuid(Uuid::from_bytes(bytes))
}

/// A claim as parallel arrays. Ids are minted once a call, not once a pass: a repeated statement is identical.
pub(crate) struct ClaimColumns {
    pub(crate) resources: Vec<ResourceId>,
    pub(crate) blocked: Vec<Window>,
    pub(crate) ids: Vec<AllocationId>,
}

impl ClaimColumns {
    /// For a statement about one resource: resource, blocked window, allocation.
    pub(crate) fn one(&self) -> [&(dyn ToSql + Sync); 3] {
        [&self.resources[0], &self.blocked[0], &self.ids[0]]
    }

    /// For a statement about any number: the same as arrays.
    pub(crate) fn many(&self) -> [&(dyn ToSql + Sync); 3] {
        [&self.resources, &self.blocked, &self.ids]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use chrono::DateTime;

    fn window(from_minute: i64, to_minute: i64) -> Window {
        let at = |minute| DateTime::from_timestamp(minute * 60, 0).unwrap();
        Window::new(at(100_000 + from_minute), at(100_000 + to_minute)).unwrap()
    }

    #[test]
    fn pairs_are_sorted_and_counted() {
        let ids: Vec<ResourceId> = (0..65).map(|_| ResourceId::generate()).collect();
        let claim = Claim::all([ids[1], ids[0]], window(0, 60)).unwrap();
        assert_eq!(claim.as_pairs().len(), 2);
        assert!(claim.as_pairs().is_sorted());
        assert_eq!(Claim::all([], window(0, 60)), Err(InvalidInput::NoResources));
        assert!(Claim::all(ids[..64].iter().copied(), window(0, 60)).is_ok());
        assert_eq!(Claim::all(ids, window(0, 60)), Err(InvalidInput::TooManyResources { limit: 64 }));
    }

    #[test]
    fn a_claim_must_not_overlap_itself_even_through_its_buffers() {
        let resource = ResourceId::generate();
        let pair = |a, b| Pair { resource, window: window(a, b) };
        assert_eq!(Claim::pairs([pair(0, 60), pair(30, 90)]), Err(InvalidInput::ClaimOverlapsItself));
        assert_eq!(Claim::pairs([pair(0, 60), pair(0, 60)]), Err(InvalidInput::ClaimOverlapsItself));
        let touching = Claim::pairs([pair(60, 90), pair(0, 60)]).unwrap();
        assert_eq!(touching.window(), window(0, 90));
        let buffers = Buffers::new(TimeDelta::zero(), TimeDelta::minutes(5)).unwrap();
        assert_eq!(touching.with_buffers(buffers), Err(InvalidInput::ClaimOverlapsItself));
    }

    #[test]
    fn buffers_are_whole_seconds_up_to_a_week() {
        let zero = TimeDelta::zero();
        for bad in [TimeDelta::milliseconds(1_500), TimeDelta::seconds(-1), TimeDelta::seconds(604_801)] {
            assert_eq!(Buffers::new(bad, zero), Err(InvalidInput::Buffer));
            assert_eq!(Buffers::new(zero, bad), Err(InvalidInput::Buffer));
        }
        assert!(Buffers::new(TimeDelta::days(7), zero).is_ok());
    }
}
