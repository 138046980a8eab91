//! Everything at once.

mod found;
