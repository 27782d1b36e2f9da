//! The binary `airside`: parse, run, print an error once, exit with a code that says whose it was.

use std::process::ExitCode;

use airside::{cli, commands};

/// A request's memory is taken and given back by its shard's own thread, which mimalloc does without locks.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let result = cli::parse(std::env::args_os())
        .map_err(commands::CommandError::Answer)
        .and_then(|command| commands::run(command, std::env::vars_os()));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(),
    }
}
