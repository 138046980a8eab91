//! A service runs these calls in tasks of its own, so their futures have to be `Send`. Compiling is the test.

use slotkeeper::migrate::{CeremonyOptions, Down as StepDown, Migrator, Repair};
use slotkeeper::rollout::{Cleanup, Down, Guard, Pace, Up};
use tokio_postgres::Client;

fn spawnable<F: Future + Send>(_: F) {}

/// In a task, a future owns what it works with: only then does the compiler ask for `Send` whatever the lifetimes.
macro_rules! spawnable {
    ($make:expr; $($call:ident($($argument:expr),*);)+) => {$(
        spawnable(async move {
            let (mut client, it) = $make;
            let _ = it.$call(&mut client, $($argument),*).await;
        });
    )+};
}

/// Never called: there is nothing to run.
fn every_call(make: fn() -> (Client, Guard), make_own: fn() -> (Client, Migrator)) {
    spawnable! { make();
        preflight();
        plan();
        up(&Up::new());
        down(&Down::new());
        verify();
        verify_rows();
        enforce("a", &Pace::new());
        release("a", &Pace::new());
        mode("a");
        would_refuse("a");
        quarantine(&Cleanup::dry_run());
        dedupe(&Cleanup::dry_run());
        restore("file", &Pace::new());
    }
    spawnable! { make_own();
        preflight();
        plan();
        losses();
        up();
        down(StepDown::new());
        verify();
        audit();
        repair(&Repair::dry_run());
        quarantine(&Cleanup::dry_run());
        dedupe(&Cleanup::dry_run());
        restore("file", &Pace::new());
        ceremony(&CeremonyOptions::new());
    }
}
