//! What errors are taken for, and that none of them leaks.

mod codes;
mod constraints;
mod contention;
mod coordinators;
mod db;
mod hosts;
mod lean;
mod mapping;
mod maps;
mod partitions;
mod scripted;
mod silence;
mod texts;
mod transactions;
mod twins;
mod violations;
mod windows;
