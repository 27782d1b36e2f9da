//! `airside import-bolt`: what was imported, and whose fault it is when nothing was.

use std::io::{self, Write};

use airside_capabilities::kv::{BoltError, BoltImport, ImportError, Imported};

use super::{EXIT_UNAVAILABLE, EXIT_USAGE};

/// Writes what is in the destination now.
///
/// # Errors
///
/// Those of `out`.
pub fn import_bolt(import: &BoltImport, imported: Imported, out: &mut dyn Write) -> io::Result<()> {
    let BoltImport { source, destination, bucket } = import;
    let Imported { keys, bytes, buckets_left_out, copied } = imported;
    let (source, destination) = (source.display(), destination.display());
    if copied {
        writeln!(out, "imported {keys} keys, {bytes} bytes, of bucket {bucket} from {source}")?;
        writeln!(out, "all {keys} were read back from {destination} and are the same")?;
    } else {
        writeln!(out, "{destination} has bucket {bucket} of {source} already")?;
        writeln!(out, "all {keys} keys, {bytes} bytes, were compared and are the same")?;
    }
    if buckets_left_out > 0 {
        writeln!(out, "left out: {buckets_left_out} buckets within it, which no function can see")?;
    }
    Ok(())
}

/// The command line's when it names the wrong file or bucket, or a store that has other data; else a file's.
pub fn import_exit_code(error: &ImportError) -> u8 {
    match error {
        ImportError::Source { reason: BoltError::Read(_) | BoltError::InUse, .. }
        | ImportError::Destination(_)
        | ImportError::Store { .. } => EXIT_UNAVAILABLE,
        ImportError::Source { .. } | ImportError::Differs { .. } => EXIT_USAGE,
    }
}
