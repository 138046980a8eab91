//! What the tests of this binary share.

pub mod catalog;
pub mod visits;
