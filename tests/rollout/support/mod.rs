//! What the tests of this binary share.

pub mod catalog;
pub mod child;
pub mod decisions;
pub mod files;
pub mod house;
pub mod messy;
pub mod record_damage;
pub mod visits;
