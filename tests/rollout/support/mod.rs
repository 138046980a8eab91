//! What the tests of this binary share.

pub mod house;
pub mod visits;
