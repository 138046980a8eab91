//! What the tests of this binary share.

pub mod catalog;
pub mod child;
pub mod files;
pub mod house;
pub mod messy;
pub mod visits;
