//! The tables of a preflight, one after the other, with the obstacles they meet.

use std::collections::BTreeMap;

use crate::ops::server::{self, Rights};
use crate::ops::transaction::Transaction;
use crate::ops::{DriverResult, OpsError, TableInfo};
use crate::rollout::guard::Guard;
use crate::rollout::preflight::{Obstacle, PreflightOptions, TableFacts};
use crate::rollout::rows::Finding;
use crate::rollout::rows::find;
use crate::rollout::rule::{Reference, Rule};

/// Obstacles and tables found so far.
#[derive(Debug)]
pub(super) struct Inspection {
    pub(super) obstacles: Vec<Obstacle>,
    /// The tables looked at so far, by their object identifiers.
    pub(super) oids: BTreeMap<i64, String>,
    pub(super) options: PreflightOptions,
}

impl Inspection {
    pub(super) async fn table(
        &mut self,
        tx: &mut Transaction<'_>,
        guard: &Guard,
        creates: bool,
    ) -> Result<TableFacts, OpsError> {
        let table = guard.table.to_string();
        let (findings, unchecked) = (Vec::new(), Vec::new());
        let mut facts =
            TableFacts { table: table.clone(), exists: false, rows: None, bytes: 0, findings, unchecked };
        let rights = server::rights(tx, &guard.table).await.driver()?;
        let Some(rights) = rights else {
            if !creates {
                self.met(Obstacle::MissingTable { table });
            }
            return Ok(facts);
        };
        self.oids.insert(rights.oid, table.clone());
        facts.exists = true;
        let (info, rows) = match size(tx, guard, rights.reads).await {
            Ok(size) => size,
            Err(error) => {
                facts.unchecked = guard.rules.iter().map(|rule| rule.name().to_string()).collect();
                self.unchecked(error, &table)?;
                return Ok(facts);
            }
        };
        (facts.bytes, facts.rows) = (info.total_bytes, rows);
        self.of_table(guard, &info, &rights);
        for rule in &guard.rules {
            if let Rule::Reference(reference) = rule {
                self.of_parent(tx, reference).await?;
            }
        }
        for rule in &guard.rules {
            match self.rule(tx, guard, &info, rule, rights.reads).await {
                Ok(finding) => facts.findings.extend(finding),
                Err(error) => {
                    self.unchecked(error, &decisive(guard, rule))?;
                    facts.unchecked.push(rule.name().to_string());
                }
            }
        }
        Ok(facts)
    }

    async fn rule(
        &self,
        tx: &mut Transaction<'_>,
        guard: &Guard,
        info: &TableInfo,
        rule: &Rule,
        reads: bool,
    ) -> Result<Option<Finding>, OpsError> {
        // Without the right to read the table there is no answer, and a lock that was waited for once is not waited for again.
        if !reads {
            return Err(OpsError::PermissionDenied);
        }
        if self.obstacles.contains(&Obstacle::Locked { table: decisive(guard, rule) }) {
            return Err(OpsError::Contended { attempts: 1 });
        }
        find::finding(tx, guard, info, rule, self.options.samples).await
    }

    fn met(&mut self, obstacle: Obstacle) {
        if !self.obstacles.contains(&obstacle) {
            self.obstacles.push(obstacle);
        }
    }

    fn of_table(&mut self, guard: &Guard, info: &TableInfo, rights: &Rights) {
        let table = guard.table.to_string();
        if !rights.reads {
            self.met(Obstacle::MayNotRead { table: table.clone() });
        }
        if !rights.owns {
            self.met(Obstacle::NotOwner { table: table.clone() });
        }
        if !rights.creates {
            self.met(Obstacle::MayNotCreate { schema: guard.table.schema.to_string() });
        }
        if info.key.is_empty() {
            self.met(Obstacle::NoPrimaryKey { table: table.clone() });
        }
        let own = guard.tenant.iter().chain(&guard.confirmed_at).chain(&guard.created_at);
        for column in own.chain(guard.rules.iter().flat_map(Rule::columns)) {
            if info.column(column).is_none() {
                self.met(Obstacle::MissingColumn { table: table.clone(), column: column.to_string() });
            }
        }
    }

    /// What a foreign key needs of the table it refers to.
    async fn of_parent(&mut self, tx: &Transaction<'_>, rule: &Reference) -> Result<(), OpsError> {
        let table = rule.parent.to_string();
        let rights = server::rights(tx, &rule.parent).await.driver()?;
        let Some(rights) = rights else {
            self.met(Obstacle::MissingTable { table });
            return Ok(());
        };
        self.oids.insert(rights.oid, table.clone());
        if !rights.reads {
            self.met(Obstacle::MayNotRead { table: table.clone() });
        }
        if !rights.refers {
            self.met(Obstacle::MayNotReference { table: table.clone() });
        }
        let is_key = server::is_key(tx, rights.oid, &rule.parent_columns).await;
        if !is_key.driver()? {
            self.met(Obstacle::NoParentKey { rule: rule.name.to_string(), table });
        }
        Ok(())
    }

    /// Why a rule could not be checked; errors that concern more than this rule end the preflight.
    fn unchecked(&mut self, error: OpsError, table: &str) -> Result<(), OpsError> {
        match error {
            OpsError::MissingTable { table } => self.met(Obstacle::MissingTable { table }),
            OpsError::MissingColumn { table, column } => {
                self.met(Obstacle::MissingColumn { table, column });
            }
            OpsError::Unevaluable { table, rule, sqlstate } => {
                self.met(Obstacle::Unevaluable { table, rule, sqlstate });
            }
            OpsError::Contended { .. } => self.met(Obstacle::Locked { table: table.to_owned() }),
            // Reported already for the table or its parent, unless the role may not call a function of an expression.
            OpsError::PermissionDenied => {
                let reported = self.obstacles.iter().any(|met| matches!(met, Obstacle::MayNotRead { .. }));
                if !reported {
                    self.met(Obstacle::MayNotRead { table: table.to_owned() });
                }
            }
            other => return Err(other),
        }
        Ok(())
    }
}

/// The table whose lock or rights can prevent a check of the rule: of a foreign key, the one it refers to.
fn decisive(guard: &Guard, rule: &Rule) -> String {
    match rule {
        Rule::Reference(rule) => rule.parent.to_string(),
        _ => guard.table.to_string(),
    }
}

/// The table as the catalog has it, and its rows if they may be read. In a savepoint, because waiting for a lock may fail.
async fn size(
    tx: &mut Transaction<'_>,
    guard: &Guard,
    reads: bool,
) -> Result<(TableInfo, Option<u64>), OpsError> {
    let savepoint = tx.savepoint().await?;
    let size = async {
        let info = TableInfo::existing(&savepoint, &guard.table).await?;
        if !reads {
            return Ok((info, None));
        }
        let sql = format!("SELECT count(*) FROM {}", info.name.quoted());
        let row = savepoint.query_typed_one(&sql, &[]).await.driver()?;
        Ok((info, Some(row.get::<_, i64>(0).unsigned_abs())))
    };
    let size = size.await;
    // Kept until the end, the lock of a reader keeps the table from being truncated or rewritten between two rules.
    let end = if size.is_ok() { savepoint.commit().await } else { savepoint.rollback().await };
    end.driver()?;
    size
}
