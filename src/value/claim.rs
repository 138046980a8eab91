//! `Claim`: which resources are wanted, and when.

mod buffers;
mod columns;
#[cfg(test)]
mod tests;

pub use buffers::Buffers;

use super::{InvalidInput, ResourceId, Window};
use serde::{Deserialize, Serialize};

/// One resource at one time, as the customer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Pair {
    /// The resource.
    pub resource: ResourceId,
    /// When, without buffers.
    pub window: Window,
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
    /// The most (resource, window) pairs. Bounds the locks one statement takes and the rows one refusal names.
    pub const MAX_PAIRS: usize = 64;

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
        let mut pairs: Vec<Pair> = pairs.into_iter().take(Self::MAX_PAIRS + 1).collect();
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
        if pairs.len() > Self::MAX_PAIRS {
            return Err(InvalidInput::TooManyResources { limit: Self::MAX_PAIRS });
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
}
