//! What a partition's constraint is called at the root of its table.

use super::{Names, Violation, ours};
use crate::sql;
use std::{
    borrow::Cow,
    collections::HashMap,
    fmt,
    sync::{PoisonError, RwLock},
};
use tokio_postgres::{
    Error, GenericClient,
    types::{ToSql, Type},
};

impl Violation {
    /// The same violation under the names of the partitioned table, if it happened in one of its partitions.
    ///
    /// One query on the system catalogs, none if the constraint is known or its table is not. A violation
    /// aborts the transaction it happens in: ask on another connection, or after the rollback. To ask once for each
    /// partition, go through [`PartitionNames`].
    ///
    /// # Errors
    /// What the driver says about that query.
    pub async fn resolve_partition(&self, client: &impl GenericClient) -> Result<Self, Error> {
        Ok(match self.place() {
            Some(place) => self.moved(&look_up(&place, client).await?),
            None => self.clone(),
        })
    }

    /// Where to look for the parent; `None` if there is nothing to look up.
    fn place(&self) -> Option<Place> {
        let names = self.names.as_ref()?;
        Some(Place {
            schema: self.schema.as_deref()?.to_owned(),
            table: names.table.clone()?,
            constraint: names.constraint.clone(),
        })
    }

    fn moved(&self, root: &Place) -> Self {
        let known = root.constraint.as_deref().and_then(|name| ours(name, self.kind));
        let names = match known {
            Some(_) => None,
            None => Some(Box::new(Names {
                table: Some(root.table.clone()),
                column: self.column().map(str::to_owned),
                constraint: root.constraint.clone(),
            })),
        };
        Self { known, names, schema: Some(Cow::Owned(root.schema.clone())), ..self.clone() }
    }
}

/// Which constraint of which table.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Place {
    schema: String,
    table: String,
    /// None for a column that must not be NULL.
    constraint: Option<String>,
}

/// Unnamed statement and built-in types, so it passes a transaction-mode pooler.
async fn look_up(place: &Place, client: &impl GenericClient) -> Result<Place, Error> {
    let values: [&(dyn ToSql + Sync); 3] = [&place.schema, &place.table, &place.constraint];
    let parameters = values.map(|value| (value, Type::TEXT));
    Ok(match client.query_typed_opt(&sql::resolve_partition(), &parameters).await? {
        Some(row) => Place { schema: row.try_get(0)?, table: row.try_get(1)?, constraint: row.try_get(2)? },
        // Dropped in the meantime.
        None => place.clone(),
    })
}

/// Remembers what the constraints of partitions are called at the root, so that each is asked for once.
///
/// It holds up to 4,096 names and starts anew when full. A name that changes its meaning while the process runs
/// (a partition dropped, another created with its name under another parent) needs a new `PartitionNames`.
#[derive(Default)]
pub struct PartitionNames {
    roots: RwLock<HashMap<Place, Place>>,
}

/// 64 partitions of 64 constraints: at twice three names of at most 63 bytes, about 2 MiB.
const MAX_PARTITION_NAMES: usize = 4096;

impl PartitionNames {
    /// Knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The violation under the names of the partitioned table, if they have been asked for before. No query.
    #[must_use]
    pub fn cached(&self, violation: &Violation) -> Option<Violation> {
        let roots = self.roots.read().unwrap_or_else(PoisonError::into_inner);
        // Most hosts have no partitions: nothing is copied to look into nothing.
        if roots.is_empty() {
            return None;
        }
        roots.get(&violation.place()?).map(|root| violation.moved(root))
    }

    /// As [`Violation::resolve_partition`], with a query only for names not seen before.
    ///
    /// # Errors
    /// What the driver says about that query; nothing is remembered then.
    pub async fn resolve(
        &self,
        violation: &Violation,
        client: &impl GenericClient,
    ) -> Result<Violation, Error> {
        if let Some(cached) = self.cached(violation) {
            return Ok(cached);
        }
        let Some(place) = violation.place() else { return Ok(violation.clone()) };
        let root = look_up(&place, client).await?;
        let resolved = violation.moved(&root);
        let mut roots = self.roots.write().unwrap_or_else(PoisonError::into_inner);
        if roots.len() >= MAX_PARTITION_NAMES {
            roots.clear();
        }
        roots.insert(place, root);
        Ok(resolved)
    }
}

impl fmt::Debug for PartitionNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartitionNames").finish_non_exhaustive()
    }
}
