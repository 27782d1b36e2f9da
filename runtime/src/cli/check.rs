//! `airside check`: what would be served, or all that is wrong.

use std::io::{self, Write};

use super::{EXIT_OK, EXIT_USAGE};
use crate::config::{Config, ConfigErrors, FunctionConfig, Isolation, KvConfig, ModuleSource};

/// Writes what `config` would serve, or its errors, and returns the exit code. Each function's
/// module goes through `compile`, which returns what is wrong with it.
///
/// # Errors
///
/// Those of `out`.
pub fn check(
    config: &Result<Config, ConfigErrors>,
    compile: &mut dyn FnMut(&FunctionConfig) -> Result<(), String>,
    out: &mut dyn Write,
) -> io::Result<u8> {
    let config = match config {
        Ok(config) => config,
        Err(problems) => {
            write_warnings(&problems.warnings, out)?;
            writeln!(out, "{problems}")?;
            return Ok(EXIT_USAGE);
        }
    };
    write_warnings(&config.warnings, out)?;
    let mut exit_code = EXIT_OK;
    for function in &config.functions {
        if let Err(reason) = compile(function) {
            writeln!(out, "function {} ({}): {reason}", function.name, module(function))?;
            exit_code = EXIT_USAGE;
        }
    }
    if exit_code == EXIT_OK {
        write_summary(config, out)?;
    }
    Ok(exit_code)
}

fn write_warnings(warnings: &[String], out: &mut dyn Write) -> io::Result<()> {
    warnings.iter().try_for_each(|warning| writeln!(out, "warning: {warning}"))
}

fn write_summary(config: &Config, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "listen     http://{}", config.listen)?;
    let kv = match &config.kv {
        None => "none".to_owned(),
        Some(KvConfig::Memory) => "memory".to_owned(),
        Some(KvConfig::Embedded { path, .. }) => path.display().to_string(),
        Some(KvConfig::Redis(redis, _)) => format!("redis at {}", redis.target()),
        Some(KvConfig::Cassandra(cassandra)) => format!("cassandra at {}", cassandra.target()),
        Some(KvConfig::Nats(nats)) => format!("nats at {}", nats.target()),
    };
    writeln!(out, "key-value  {kv}")?;
    if let Some(sql) = &config.sql {
        writeln!(out, "sql        {} at {}", sql.kind.name(), sql.target())?;
    }
    for function in &config.functions {
        let callable = if function.callable { ", callable by functions" } else { "" };
        let fresh = match function.isolation {
            Isolation::Reuse => "",
            Isolation::Fresh => ", a fresh one for each call",
        };
        let FunctionConfig { name, pool_size, .. } = function;
        let module = module(function);
        writeln!(out, "function   {name}: {module}, {pool_size} instances{fresh}{callable}")?;
    }
    for route in &config.routes {
        let function = config.functions.get(route.function).map_or("", |f| f.name.as_str());
        let methods = route.methods.join(" ");
        writeln!(out, "route      {methods} {} -> {function}", route.pattern)?;
    }
    writeln!(out, "the configuration is valid")
}

fn module(function: &FunctionConfig) -> String {
    match &function.module {
        ModuleSource::File(path) => path.display().to_string(),
        ModuleSource::Embedded(bytes) => format!("built in, {} bytes", bytes.len()),
    }
}
