//! How calls behave, whatever they do: on what they run, in whose transaction, at what cost, for which tenant, and what
//! is left when they fail.
//!
//! `stage` is a tenant with one of everything; `successes` and `refusals` are tables of every call on it. The tests put
//! those tables through their circumstances.

mod act;
mod refusals;
mod stage;
mod state;
mod successes;

mod bad_input;
mod errors_change_nothing;
mod executors;
mod limits;
mod lock_timeout;
mod losers;
mod lost_races;
mod own_transaction;
mod plan_kinds;
mod raw_windows;
mod rights;
mod round_trips;
mod schema_name;
mod set_up_mistakes;
mod stale_plans;
mod strict_levels;
mod tenants;
mod tenants_by_policy;
