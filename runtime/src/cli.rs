//! The command line: what was asked for, and the output of commands that only talk.
//!
//! Parsing decides nothing but which command it is; output goes to a writer that is handed in.

mod check;
mod import_bolt;
#[cfg(test)]
mod tests;

pub use check::check;
pub use import_bolt::{import_bolt, import_exit_code};

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use airside_capabilities::kv::DEFAULT_BUCKET;
use clap::{Parser, Subcommand};

use crate::config::parse_listen;

/// Nothing is wrong.
pub const EXIT_OK: u8 = 0;

/// The command line or the configuration is wrong (`EX_USAGE` of sysexits).
pub const EXIT_USAGE: u8 = 64;

/// Something outside of the program is not to be had (`EX_UNAVAILABLE`).
pub const EXIT_UNAVAILABLE: u8 = 69;

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Subcommand)]
pub enum Command {
    /// Serve the configured functions (the default)
    #[default]
    Serve,
    /// Read the configuration, compile the functions, say what would be served
    Check,
    /// Serve the functions that come with this program, over plain HTTP
    Demo {
        /// Where to listen
        #[arg(long, value_name = "ADDR", value_parser = parse_listen)]
        listen: Option<SocketAddr>,
    },
    /// Print all settings: their variables, values, defaults and meanings
    Config,
    /// Copy Tarmac's BoltDB file into a new embedded store, once; repeating it changes nothing
    ImportBolt {
        /// The BoltDB file; it is only read, and Tarmac must not be running
        #[arg(value_name = "SRC")]
        source: PathBuf,
        /// The embedded store, for boltdb_filename; made with the mode and owner of SRC
        #[arg(value_name = "DEST")]
        destination: PathBuf,
        /// The bucket in SRC, and so in DEST: what boltdb_bucket says
        #[arg(long, value_name = "NAME", default_value = DEFAULT_BUCKET)]
        bucket: String,
    },
}

#[derive(Debug, Parser)]
#[command(name = "airside", version, about = "A thread-per-core server for WebAssembly functions")]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
}

/// A command line that is answered with text instead of a command: help, the version, or what is
/// wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub text: String,
    /// [`EXIT_OK`]: for standard output. Else for standard error.
    pub exit_code: u8,
}

impl std::error::Error for Answer {}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.trim_end())
    }
}

/// Reads the command line, of which the first word is the program's name.
///
/// # Errors
///
/// When there is something to say instead: see [`Answer`].
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Command, Answer> {
    match CommandLine::try_parse_from(words) {
        Ok(line) => Ok(line.command.unwrap_or_default()),
        Err(error) => Err(Answer {
            text: error.render().to_string(),
            exit_code: if error.use_stderr() { EXIT_USAGE } else { EXIT_OK },
        }),
    }
}
