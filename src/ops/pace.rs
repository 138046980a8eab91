//! How gently a table in use is worked on.

use std::time::Duration;

/// How long a step waits for others, how often it tries, and how many rows it touches at a time.
///
/// A statement that waits for a table lock makes everybody who comes later wait behind it. So it waits for a short time
/// only, gives up, lets the others go first, and tries again.
///
/// ```
/// use std::time::Duration;
/// use slotkeeper::rollout::Pace;
///
/// let gentle = Pace::new().lock_timeout(Duration::from_millis(100)).attempts(200).batch(200);
/// # let _ = gentle;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Pace {
    pub(crate) lock_timeout: Duration,
    pub(crate) attempts: u32,
    pub(crate) pause: Duration,
    pub(crate) batch: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self::new()
    }
}

impl Pace {
    /// Half a second of waiting, 40 attempts half a second apart, 1,000 rows a batch.
    pub const fn new() -> Self {
        // Below the server's deadlock_timeout (1 s), so that we give way before the server has to choose a victim.
        let half_a_second = Duration::from_millis(500);
        Self { lock_timeout: half_a_second, attempts: 40, pause: half_a_second, batch: 1000 }
    }

    /// How long one attempt waits for a lock, 1 ms to 1 hour. Users of the table may wait behind it for as long.
    pub fn lock_timeout(self, lock_timeout: Duration) -> Self {
        let lock_timeout = lock_timeout.clamp(Duration::from_millis(1), Duration::from_secs(3600));
        Self { lock_timeout, ..self }
    }

    /// How often a step is tried when others hold locks it needs, at least once.
    pub fn attempts(self, attempts: u32) -> Self {
        Self { attempts: attempts.max(1), ..self }
    }

    /// How long it pauses between two attempts.
    pub const fn pause(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// How many rows one transaction changes, at least one.
    pub fn batch(self, batch: u32) -> Self {
        Self { batch: batch.max(1), ..self }
    }

    /// The longest time that all attempts take together: the bound for a wait that no other session has to wait behind.
    pub(crate) fn patience(&self) -> Duration {
        (self.lock_timeout + self.pause).saturating_mul(self.attempts)
    }
}
