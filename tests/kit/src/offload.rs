//! Blocking work away from the caller's runtime.
//!
//! Every test has a runtime of its own, which ends with it. What outlives a test (starting the server, dropping a
//! database) may therefore neither block one nor hold a connection driven by one.

use std::future::Future;

use tokio::runtime::Builder;

use crate::Error;

/// Runs `work` on a thread that may block.
pub(crate) async fn blocking<T, F>(work: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Error> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.map_err(Error::on("a thread of the kit ended early"))?
}

/// Drives one future to its end on a runtime made for it. Only on threads that may block.
pub(crate) fn drive<T>(future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::on("no runtime"))?;
    runtime.block_on(future)
}
