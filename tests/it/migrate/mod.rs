//! Migrating, and finding what was changed behind the library's back.

mod catalog;
mod concurrency;
mod db;
mod definitions;
mod drift;
mod frozen;
mod history;
mod roles;
mod rules;
mod steps;
