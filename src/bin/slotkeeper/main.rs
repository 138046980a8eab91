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
        _ = tokio::signal::ctrl_c() => Err(Failure::new("interrupted; the same command goes on from there")),
    };
    progress.finish();
    output::print(result, cli.global.json)
}

async fn run(cli: &Cli) -> Result<Outcome, Failure> {
    match &cli.command {
        Command::Guard { file, command } => guarded::run(&cli.global, file, command).await,
        command => own::run(&cli.global, command).await,
    }
}
