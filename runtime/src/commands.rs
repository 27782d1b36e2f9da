//! What each command of the command line does.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use airside_capabilities::kv::{BoltImport, ImportError, import_bolt};

use crate::boot::{self, BootError};
use crate::cli::{self, Answer, Command};
use crate::config::{self, Config, ConfigErrors};
use crate::demo;

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The command line asked for a text, or was wrong.
    #[error(transparent)]
    Answer(Answer),
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    #[error("environment variable {0:?} is not UTF-8")]
    Environment(OsString),
    #[error(transparent)]
    Boot(#[from] BootError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
    /// The command has said what is wrong.
    #[error("")]
    Said(u8),
}

impl CommandError {
    /// Says what is wrong, once, and gives the exit code: 64 for what the user gave, 69 for what was not to be had, 70 and
    /// 71 for our own and the system's faults.
    pub fn report(&self) -> ExitCode {
        match self {
            CommandError::Answer(answer) if answer.exit_code == cli::EXIT_OK => {
                let written = writeln!(io::stdout(), "{answer}");
                return if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
            }
            CommandError::Said(code) => return ExitCode::from(*code),
            other => eprintln!("{other}"),
        }
        match self {
            CommandError::Boot(error) => error.exit_code(),
            CommandError::Import(error) => ExitCode::from(cli::import_exit_code(error)),
            CommandError::Output(_) => ExitCode::FAILURE,
            _ => ExitCode::from(cli::EXIT_USAGE),
        }
    }
}

/// Runs a command with the process's environment.
pub fn run(
    command: Command,
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> Result<(), CommandError> {
    match command {
        Command::Serve => {
            let config = Config::load(utf8(environment)?)?;
            Ok(boot::serve(&config, |_| {})?)
        }
        Command::Demo { listen } => {
            let config = demo::config(utf8(environment)?, listen)?;
            let mut shown = Ok(());
            boot::serve(&config, |address| {
                shown = demo::introduce(&config, address, &mut io::stdout());
            })?;
            Ok(shown?)
        }
        Command::Check => {
            let config = Config::load(utf8(environment)?);
            let readable = config.as_ref().ok();
            let mut compile =
                |function: &_| readable.map_or(Ok(()), |config| boot::check(config, function));
            match cli::check(&config, &mut compile, &mut io::stdout())? {
                cli::EXIT_OK => Ok(()),
                code => Err(CommandError::Said(code)),
            }
        }
        Command::Config => Ok(config::write_reference(&mut io::stdout())?),
        Command::ImportBolt { source, destination, bucket } => {
            let import = BoltImport { source, destination, bucket };
            let imported = import_bolt(&import)?;
            Ok(cli::import_bolt(&import, imported, &mut io::stdout())?)
        }
    }
}

/// Our own variables must be text; what other programs keep in theirs is not looked at.
fn utf8(
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Vec<(String, String)>, CommandError> {
    let mut text = Vec::new();
    for (name, value) in environment {
        let Some(name) = name.to_str().map(String::from) else { continue };
        match value.into_string() {
            Ok(value) => text.push((name, value)),
            Err(_) if name.starts_with("APP_") => {
                return Err(CommandError::Environment(name.into()));
            }
            Err(_) => {}
        }
    }
    Ok(text)
}
