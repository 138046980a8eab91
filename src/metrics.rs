//! What the writes tell a metrics recorder, with feature `metrics` through the [`metrics`](https://docs.rs/metrics)
//! facade; without it nothing is measured and nothing is paid.
//!
//! | name | labels | counts |
//! |---|---|---|
//! | `slotkeeper_decisions_total` | `operation`, `outcome` | every write that was answered, an error under its [`code`](crate::Error::code) |
//! | `slotkeeper_violations_total` | `constraint` | every constraint that said no, whether or not the server had to raise it |
//! | `slotkeeper_lost_races_total` | `operation` | statements that another had to follow, because another call, or an expired hold, came first |
//! | `slotkeeper_passes_total` | `operation` | statements sent; more than there are decisions means repeats |
//! | `slotkeeper_write_duration_seconds` | `operation` | a histogram of whole calls: waiting for a connection and repeats included |
//!
//! A label is one of a fixed set of words; there is no tenant, no id and no value in them, and a constraint of the
//! host's is called `other`.
//!
//! # Where the 23505 and 23P01 have gone
//!
//! A refusal here is no error of the server's: the look names who is in the way, and a lost race ends in
//! `ON CONFLICT DO NOTHING`. Whoever watched unique and exclusion violations before watches the same thing in
//! `slotkeeper_violations_total`: a refused claim counts under `allocations_resource_during_excl`, a key used for another
//! request under `confirmations_key_key`. What the server does raise counts under its own name: a claim that lost part of its
//! rows to a race under `claimed_rows_check`, a host's number
//! that is taken under its `…_reference_key`.

#[cfg(not(feature = "metrics"))]
mod noop;
#[cfg(feature = "metrics")]
mod recorder;

#[cfg(not(feature = "metrics"))]
pub(crate) use noop::WriteMetrics;
#[cfg(feature = "metrics")]
pub(crate) use recorder::WriteMetrics;
#[cfg(feature = "metrics")]
pub use recorder::describe_metrics;
