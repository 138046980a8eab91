//! Unique keys and indexes.

use super::{Job, ObjectKind, State, Work};
use crate::migrate::MigrateError;
use crate::rollout::ident::Ident;
use crate::rollout::step;

impl Job<'_> {
    /// A unique key or an index. `constraint`: there is a constraint of that name, not only an index.
    pub(super) async fn index(&mut self, state: &State, constraint: bool) -> Result<Work, MigrateError> {
        let name = self.ddl.name.clone();
        match state {
            State::Missing => {
                self.create(&name).await?;
                self.attach().await?;
                Ok(Work::Built)
            }
            State::IndexOnly => {
                self.attach().await?;
                Ok(Work::Built)
            }
            State::InvalidIndex if !constraint => {
                self.wait_for_builder().await?;
                self.drop_index(&name).await?;
                self.create(&name).await?;
                self.attach().await?;
                Ok(Work::Rebuilt)
            }
            _ => {
                let new = self.new_name();
                self.create(&new).await?;
                if let Err(error) = self.swap(&new).await {
                    // What was there keeps its place. If this one cannot be dropped, the next run does.
                    let _ = self.drop_index(&new).await;
                    return Err(error);
                }
                Ok(Work::Replaced)
            }
        }
    }

    /// Builds the index while the table is used. A failed build leaves an invalid index, which writers keep up to date
    /// for nothing, so it is dropped at once.
    async fn create(&mut self, name: &Ident) -> Result<(), MigrateError> {
        let sql = self.ddl.create_index(name, "CONCURRENTLY ");
        let Err(failure) = step::outside(self.client, self.pace, &sql).await else { return Ok(()) };
        let error = self.refused(failure);
        // Not ours if the name was taken.
        if !matches!(error, MigrateError::NameTaken { .. }) {
            let _ = self.drop_index(name).await;
        }
        Err(error)
    }

    pub(super) async fn drop_index(&mut self, name: &Ident) -> Result<(), MigrateError> {
        let sql = format!("DROP INDEX CONCURRENTLY IF EXISTS {}", self.index_name(name));
        step::outside(self.client, self.pace, &sql).await.map_err(|failure| self.refused(failure))
    }

    /// The index becomes the constraint; it has been built, so this is quick.
    async fn attach(&mut self) -> Result<(), MigrateError> {
        if self.ddl.kind != ObjectKind::Unique {
            return Ok(());
        }
        self.locked("ACCESS EXCLUSIVE", &self.ddl.attach(&self.ddl.name)).await
    }

    /// The new index takes the place of the old one, and nobody sees the table without one of the two.
    async fn swap(&mut self, new: &Ident) -> Result<(), MigrateError> {
        let sql = if self.ddl.kind == ObjectKind::Unique {
            self.drop_constraint(&self.ddl.name) + &self.ddl.attach(new)
        } else {
            let (old, new, name) =
                (self.index_name(&self.ddl.name), self.index_name(new), self.ddl.name.quoted());
            format!("DROP INDEX {old}; ALTER INDEX {new} RENAME TO {name}")
        };
        self.locked("ACCESS EXCLUSIVE", &sql).await
    }

    /// An index is invalid, too, while somebody else builds it; that one is not ours to drop.
    async fn wait_for_builder(&mut self) -> Result<(), MigrateError> {
        for _ in 0..self.pace.attempts {
            let name = self.ddl.name.clone();
            if !self.find(&name).await?.is_being_built() {
                return Ok(());
            }
            tokio::time::sleep(self.pace.pause).await;
        }
        Err(MigrateError::Contended { attempts: self.pace.attempts })
    }

    fn index_name(&self, name: &Ident) -> String {
        format!("{}.{}", self.ddl.table.schema.quoted(), name.quoted())
    }
}
