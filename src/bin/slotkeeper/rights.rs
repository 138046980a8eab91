//! What a role does, as it is said on the command line.

use clap::{ArgGroup, Args};
use slotkeeper::migrate::{Duty, Role};

/// The service alone, unless said otherwise.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("others").args(["relay", "retention"]).multiple(true))]
pub(crate) struct Duties {
    /// The role also lists and deletes events.
    #[arg(long, requires = "role")]
    relay: bool,
    /// The role also archives and forgets what is over.
    #[arg(long, requires = "role")]
    retention: bool,
    /// The role does only that: a relay or a nightly job with a role of its own.
    #[arg(long, requires = "others")]
    no_service: bool,
}

impl Duties {
    /// The role of this name with these duties.
    pub(crate) fn of(&self, role: &str) -> Role {
        let chosen =
            [(Duty::Service, !self.no_service), (Duty::Relay, self.relay), (Duty::Retention, self.retention)];
        Role::new(role).duties(chosen.into_iter().filter(|(_, does)| *does).map(|(duty, _)| duty))
    }
}
