//! Offers: a ledger of the slots shown to customers, counted by tenant, source and instant.
//!
//! A ledger of what was *shown*, for statistics and for answering "was this ever offered?". It decides nothing: a slot
//! that was offered is not held, and one that was not may be booked.
//!
//! | call | round trips | in the caller's transaction |
//! |---|---|---|
//! | `record` | 1, whatever the number of slots | no savepoint |
//! | `prune` | 1 | no savepoint |
//! | `list` | 1 | a plain read |

mod model;
mod repository;
mod source;

pub use model::{ListOffers, OfferedSlot, PruneOffers, RecordOffers};
pub use repository::OfferRepository;
pub use source::OfferSource;
