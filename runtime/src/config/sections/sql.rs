//! The SQL database.

use airside_capabilities::sql::{SqlConfig, SqlKind, check_dsn};

use super::size;
use crate::config::keys::Settings;
use crate::config::problem::Problems;

/// None without a database, or when what was written makes none.
pub(in crate::config) fn sql(settings: &Settings, problems: &mut Problems) -> Option<SqlConfig> {
    if !settings.enable_sql.value {
        return None;
    }
    let kind = match settings.sql_type.value.as_str() {
        "postgres" => Some(SqlKind::Postgres),
        "mysql" => Some(SqlKind::Mysql),
        _ => {
            settings.sql_type.refuse("write mysql or postgres", problems);
            None
        }
    };
    let dsn = &settings.sql_dsn;
    if dsn.value.reveal().is_empty() {
        dsn.refuse("must be set when enable_sql is true", problems);
        return None;
    }
    let kind = kind?;
    if let Err(error) = check_dsn(kind, dsn.value.reveal()) {
        dsn.refuse(error.to_string(), problems);
        return None;
    }
    Some(SqlConfig {
        kind,
        dsn: dsn.value.clone(),
        connections: size(settings.sql_connections.value),
        compat: settings.tarmac_compat.value,
    })
}
