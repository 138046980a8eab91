//! Bookings: what a customer has.
//!
//! ```text
//! (none) ── book, confirm ──► confirmed ── move ──► confirmed (next revision)
//! pending ── book, confirm ──►    │
//!    └─────── cancel ───────► cancelled ◄── cancel
//! ```
//!
//! Each write is one statement that claims, looks and records. Everything it changes becomes visible together: the places,
//! the hold, the booking, its history, the record with its snapshot, and the event in the outbox.
//!
//! | call | round trips | in the caller's transaction |
//! |---|---|---|
//! | `confirm` | 1 | no savepoint, unless `if_still_free`, a reference or a booking id is given |
//! | `book`, one resource | 1; 2 after a lost race | no savepoint, unless a reference or a booking id is given; in a second flight one |
//! | the same over expired rows | 2 | a savepoint in the second flight |
//! | `book`, several resources | 1; 2 after a lost race | a savepoint in the same flight |
//! | `cancel` | 1 | no savepoint |
//! | `move_to` | 1; 2 after a lost race | a savepoint in the same flight |
//! | `request`, `erase` | 1 | no savepoint, unless `request` carries a reference |
//! | `find`, `history` | 1 | a plain read |
//!
//! A claim of one resource that meets expired rows writes nothing, and the statement that locks the resource first follows;
//! a `book` that lost a race may have swept expired holds: both are explained in [`crate::hold`].
//!
//! Outcomes, their order, and what is recorded: see [`crate::confirmation`].

mod details;
mod model;
mod repository;
mod request;

pub use crate::value::BookingStatus;
pub use details::BookingDetails;
pub use model::{Booking, BookingRevision};
pub use repository::BookingRepository;
pub use request::{BookPlaces, CancelBooking, ConfirmHold, EraseCustomer, MoveBooking, RequestBooking};
