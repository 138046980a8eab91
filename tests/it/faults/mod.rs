//! What happens when something breaks: a lost reply, a lost request, a killed connection, a dropped future, a timeout.
//!
//! The claim is always the same: repeating the call settles it, there is exactly one effect, and nothing is left behind.

mod act;
mod audit;
mod clean;
mod dropped;
mod dropped_in_transaction;
mod key_fields;
mod key_race;
mod killed;
mod lost;
mod lost_in_transaction;
mod replay;
mod same_hold;
mod state;
mod timeout;
mod twins;
mod twins_waiting;
mod wait;
