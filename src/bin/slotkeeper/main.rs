//! The command line: every command is one call of the library, its report printed as text or JSON.
//!
//! Built with the feature `cli`. What can be asked is in `args`, our own tables are in `own`, a host's in `guarded`.

mod args;
mod connect;
mod failure;
mod guard_file;
mod guarded;
mod output;
mod own;
mod progress;
mod rights;

use std::process::ExitCode;

use args::{Cli, Command};
use clap::Parser;
use failure::Failure;
use output::Outcome;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let progress = progress::Progress::start(!cli.global.quiet && !cli.global.json, cli.command.name());
    let result = tokio::select! {
        result = run(&cli) => result,
        () = interrupted() => {
            connect::cancel().await;
            let text = "interrupted; what was committed stays: look with `status`, `plan` or `verify` before you repeat it";
            Err(Failure::new(text))
        }
    };
    progress.finish();
    output::print(result, cli.global.json)
}

/// Ctrl-C at the terminal, or SIGTERM from the service manager.
async fn interrupted() {
    #[cfg(unix)]
    if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    let _ = tokio::signal::ctrl_c().await;
}

async fn run(cli: &Cli) -> Result<Outcome, Failure> {
    match &cli.command {
        Command::Guard { file, command } => guarded::run(&cli.global, file, command).await,
        command => own::run(&cli.global, command).await,
    }
}
