//! A line on a terminal that says what the server is busy with.
//!
//! Long steps are single statements, so only the server knows how far they are: it is asked twice a second, over a
//! connection of its own that starts after the first second, and never when standard error is no terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use crate::connect;

const PAUSE: Duration = Duration::from_millis(500);

/// Of all sessions of this program's kind: an index being built with its share done, or what a session waits for.
const QUERY: &str = "SELECT coalesce(
        (SELECT phase || CASE WHEN blocks_total > 0 THEN ' ' || 100 * blocks_done / blocks_total || ' %' ELSE '' END
         FROM pg_stat_progress_create_index WHERE datname = current_database() LIMIT 1),
        (SELECT 'waiting for a lock held by session ' || pg_catalog.pg_blocking_pids(pid)::text
         FROM pg_stat_activity
         WHERE application_name = 'slotkeeper' AND datname = current_database() AND wait_event_type = 'Lock' LIMIT 1),
        'working')";

pub(crate) struct Progress {
    bar: ProgressBar,
    watcher: Option<JoinHandle<()>>,
}

impl Progress {
    /// Shows it, if it is wanted.
    pub(crate) fn start(wanted: bool, name: &'static str) -> Self {
        // Hidden by itself where standard error is no terminal.
        let bar = if wanted { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        // Cannot fail because the template is this literal.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {elapsed} {msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(name);
        bar.enable_steady_tick(Duration::from_millis(100));
        let watcher = (!bar.is_hidden()).then(|| tokio::spawn(watch(bar.clone())));
        Self { bar, watcher }
    }

    /// Takes it away.
    pub(crate) fn finish(self) {
        if let Some(watcher) = self.watcher {
            watcher.abort();
        }
        self.bar.finish_and_clear();
    }
}

async fn watch(bar: ProgressBar) {
    tokio::time::sleep(2 * PAUSE).await;
    // Progress is a courtesy: without a second connection there is none.
    let Ok(client) = connect::beside().await else { return };
    while let Some(text) = ask(&client).await {
        bar.set_message(text);
        tokio::time::sleep(PAUSE).await;
    }
}

async fn ask(client: &Client) -> Option<String> {
    client.query_typed_one(QUERY, &[]).await.ok()?.try_get(0).ok()
}
