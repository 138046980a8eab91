//! Checks, foreign keys and exclusions.

use super::{Job, ObjectKind, State, VALIDATING, Work};
use crate::migrate::MigrateError;
use crate::rollout::ident::Ident;

impl Job<'_> {
    /// A check or foreign key.
    pub(super) async fn validated_constraint(&mut self, state: &State) -> Result<Work, MigrateError> {
        let name = self.ddl.name.clone();
        match state {
            State::NotValid => {
                self.validate(&name).await?;
                Ok(Work::Validated)
            }
            State::Missing => {
                let add = self.add_not_valid(&name);
                self.locked(self.adding(), &add).await?;
                self.validate(&name).await?;
                Ok(Work::Built)
            }
            _ => {
                let new = self.new_name();
                let add = self.add_not_valid(&new);
                self.locked(self.adding(), &add).await?;
                if let Err(error) = self.validate(&new).await {
                    // What was there keeps its place, so this one has none. If it cannot be dropped, the next run does.
                    let _ = self.locked("ACCESS EXCLUSIVE", &self.drop_constraint(&new)).await;
                    return Err(error);
                }
                let (table, to) = (self.ddl.table.quoted(), name.quoted());
                let rename = format!("ALTER TABLE {table} RENAME CONSTRAINT {} TO {to}", new.quoted());
                self.locked("ACCESS EXCLUSIVE", &(self.drop_constraint(&name) + &rename)).await?;
                Ok(Work::Replaced)
            }
        }
    }

    /// Everybody else is locked out until it is built.
    pub(super) async fn exclusion(&mut self, state: &State) -> Result<Work, MigrateError> {
        let add = self.ddl.add(&self.ddl.name);
        let (sql, work) = match state {
            State::Missing => (add, Work::Built),
            // In one transaction: nobody sees the table without one of the two.
            _ => (self.drop_constraint(&self.ddl.name) + &add, Work::Replaced),
        };
        self.locked("ACCESS EXCLUSIVE", &sql).await?;
        Ok(work)
    }

    /// The lock that adding takes anyway, taken first so that only waiting for it is repeated.
    fn adding(&self) -> &'static str {
        if self.ddl.kind == ObjectKind::Reference { "SHARE ROW EXCLUSIVE" } else { "ACCESS EXCLUSIVE" }
    }

    fn add_not_valid(&self, name: &Ident) -> String {
        format!("{} NOT VALID", self.ddl.add(name))
    }

    async fn validate(&mut self, name: &Ident) -> Result<(), MigrateError> {
        let sql = format!("ALTER TABLE {} VALIDATE CONSTRAINT {}", self.ddl.table.quoted(), name.quoted());
        self.locked(VALIDATING, &sql).await
    }
}
