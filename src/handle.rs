//! `Slotkeeper`: the handle that repositories come from.

use crate::{
    schema::SchemaName,
    sql::{self, Sql},
    value::{HoldPolicy, TenantId},
};
use std::{fmt::Write as _, sync::Arc, time::Duration};

/// The way in: a schema's statements and the host's settings. Make one at start-up and share it; cloning is cheap.
///
/// It holds no connection: each call is given one, see [`Executor`](crate::Executor).
#[derive(Clone, Debug)]
pub struct Slotkeeper {
    schema: SchemaName,
    texts: Arc<[String]>,
    policy: HoldPolicy,
    lock_timeout: Option<Duration>,
    row_security: bool,
}

impl Slotkeeper {
    /// For the tables in schema `slotkeeper`.
    #[must_use]
    pub fn new() -> Self {
        Self::in_schema(SchemaName::default())
    }

    /// For the tables in another schema.
    #[must_use]
    pub fn in_schema(schema: SchemaName) -> Self {
        let texts = sql::texts(&schema).into();
        Self { schema, texts, policy: HoldPolicy::new(), lock_timeout: None, row_security: false }
    }

    /// Limits on holds.
    #[must_use]
    pub fn with_hold_policy(mut self, policy: HoldPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// The longest one call waits for another transaction to end; then [`Error::Busy`](crate::Error::Busy). Rounded up
    /// to whole milliseconds.
    ///
    /// Applies to calls on a pool or client: they then go as `BEGIN; SET LOCAL lock_timeout; …; COMMIT`, still in one
    /// flight. In the caller's own transaction the caller sets it. Without it, the server's setting holds.
    #[must_use]
    pub const fn with_lock_timeout(mut self, longest: Duration) -> Self {
        self.lock_timeout = Some(longest);
        self
    }

    /// Announces the tenant to row-level-security policies: sets `slotkeeper.tenant_id` for the length of the
    /// transaction, in the same flight as the statement. In the caller's transaction it stays set until that ends.
    ///
    /// Policies read it as `nullif(current_setting('slotkeeper.tenant_id', true), '')::uuid`.
    #[must_use]
    pub const fn with_row_security(mut self, on: bool) -> Self {
        self.row_security = on;
        self
    }

    pub(crate) const fn schema(&self) -> &SchemaName {
        &self.schema
    }

    pub(crate) const fn policy(&self) -> &HoldPolicy {
        &self.policy
    }

    pub(crate) fn text(&self, sql: Sql) -> &str {
        &self.texts[sql as usize]
    }

    /// The settings a statement needs, as literal `SET LOCAL`: `set_config` inside the statement would come too late
    /// for a policy, and is not forwarded by a sharded engine.
    pub(crate) fn prologue(&self, tenant: TenantId, in_transaction: bool) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        if self.row_security {
            let _ = write!(text, "SET LOCAL slotkeeper.tenant_id = '{tenant}';");
        }
        if let (Some(longest), false) = (self.lock_timeout, in_transaction) {
            let ms = longest.as_nanos().div_ceil(1_000_000).clamp(1, 86_400_000);
            let _ = write!(text, "SET LOCAL lock_timeout = {ms};");
        }
        text
    }
}

impl Default for Slotkeeper {
    fn default() -> Self {
        Self::new()
    }
}

/// Declares a noun's repository and its accessor on the handle, side by side.
macro_rules! repository {
    ($(#[$doc:meta])+ $name:ident, $accessor:ident: $says:literal) => {
        $(#[$doc])+
        #[derive(Clone, Copy, Debug)]
        pub struct $name<'a> {
            keeper: &'a crate::handle::Slotkeeper,
        }

        impl crate::handle::Slotkeeper {
            #[doc = $says]
            #[must_use]
            pub const fn $accessor(&self) -> $name<'_> {
                $name { keeper: self }
            }
        }
    };
}

pub(crate) use repository;
