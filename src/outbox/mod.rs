//! The outbox: events for other systems, written in the same transaction as the change they tell of.
//!
//! A relay reads the oldest events, publishes them, and deletes them: each is published at least once, so receivers
//! tell repeats by the event's id. Bodies carry ids only; a receiver that wants more asks.
//!
//! | event | subject |
//! |---|---|
//! | `booking.confirmed`, `booking.moved`, `booking.cancelled` | the booking |
//! | `blackout.blocked`, `blackout.unblocked` | the blackout |
//! | `customer.erased` | the confirmation that records it |
//!
//! `list` and `delete` are one round trip each.

mod model;
mod repository;

pub use model::Event;
pub use repository::OutboxRepository;
