//! MySQL's DSNs as `go-sql-driver/mysql` reads them:
//! `[user[:password]@][net[(address)]]/database[?key=value&...]`, taken apart from the right, so that
//! a password may have any character in it.

use std::path::PathBuf;
use std::time::Duration;

use crate::dns::HostPort;
use crate::secret::Secret;
use crate::sql::dsn::{DsnError, parse_bool, unescape};

const PORT: u16 = 3306;
/// Where the driver looks when no address is given.
const HOST: &str = "127.0.0.1";
const SOCKET: &str = "/tmp/mysql.sock";

/// What a DSN says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MysqlDsn {
    pub(super) place: Place,
    pub(super) user: String,
    pub(super) password: Option<Secret>,
    pub(super) database: Option<String>,
    pub(super) tls: TlsMode,
    pub(super) connect_timeout: Option<Duration>,
    /// Statements that bring a session to what the DSN says, in their order.
    pub(super) setup: Vec<String>,
    /// Dates are RFC 3339 even where Tarmac's behaviour is wanted.
    pub(super) parse_time: bool,
    pub(super) found_rows: bool,
    pub(super) cleartext_passwords: bool,
    pub(super) several_statements: bool,
    pub(super) compress: bool,
}

/// Where the server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Tcp(HostPort),
    Unix(PathBuf),
}

/// `tls`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TlsMode {
    Disable,
    /// If the server has it, with whoever answers.
    Preferred,
    /// With whoever answers.
    SkipVerify,
    Verify,
}

impl MysqlDsn {
    pub(crate) fn parse(dsn: &str) -> Result<MysqlDsn, DsnError> {
        let form = "write user:password@tcp(host:port)/database";
        let (left, right) = dsn.rsplit_once('/').ok_or_else(|| DsnError::new("form", form))?;
        let (login, place) = left.rsplit_once('@').unwrap_or(("", left));
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let (database, settings) = right.split_once('?').unwrap_or((right, ""));
        let database = unescape(database, false);
        let database =
            database.ok_or_else(|| DsnError::new("database", "a percent escape is broken"))?;
        let mut read = MysqlDsn {
            place: read_place(place)?,
            user: user.to_owned(),
            password: Some(password).filter(|text| !text.is_empty()).map(Secret::new),
            database: Some(database).filter(|name| !name.is_empty()),
            tls: TlsMode::Disable,
            connect_timeout: None,
            setup: Vec::new(),
            parse_time: false,
            found_rows: false,
            cleartext_passwords: false,
            several_statements: false,
            compress: false,
        };
        read.settings(settings)?;
        Ok(read)
    }

    /// Host, port and database, for people.
    pub(crate) fn target(&self) -> String {
        let mut target = match &self.place {
            Place::Tcp(host) => host.to_string(),
            Place::Unix(path) => path.display().to_string(),
        };
        if let Some(database) = &self.database {
            target.push('/');
            target.push_str(database);
        }
        target
    }

    fn settings(&mut self, settings: &str) -> Result<(), DsnError> {
        let (mut charset, mut collation) = (None, None);
        let mut variables = Vec::new();
        // What has no value is passed over.
        for (key, value) in settings.split('&').filter_map(|setting| setting.split_once('=')) {
            match key {
                "charset" => charset = Some(name("charset", value.split(',').next())?),
                "collation" => collation = Some(name("collation", Some(value))?),
                "tls" => self.tls = tls_mode(value)?,
                "timeout" => self.connect_timeout = duration("timeout", value)?,
                // A call to the database has a limit already; a wrong value is wrong all the same.
                "readTimeout" => drop(duration("readTimeout", value)?),
                "writeTimeout" => drop(duration("writeTimeout", value)?),
                "parseTime" => self.parse_time = boolean("parseTime", value)?,
                "clientFoundRows" => self.found_rows = boolean("clientFoundRows", value)?,
                "multiStatements" => self.several_statements = boolean("multiStatements", value)?,
                "compress" => self.compress = boolean("compress", value)?,
                "allowCleartextPasswords" => {
                    self.cleartext_passwords = boolean("allowCleartextPasswords", value)?;
                }
                "allowFallbackToPlaintext" => {
                    if boolean("allowFallbackToPlaintext", value)? && self.tls != TlsMode::Disable {
                        let reason = "this is not supported: write tls=preferred";
                        return Err(DsnError::new("allowFallbackToPlaintext", reason));
                    }
                }
                "loc" => utc(value)?,
                "columnsWithAlias" => refuse("columnsWithAlias", value)?,
                "allowAllFiles" => refuse("allowAllFiles", value)?,
                "allowOldPasswords" => refuse("allowOldPasswords", value)?,
                "rejectReadOnly" => refuse("rejectReadOnly", value)?,
                "serverPubKey" => {
                    return Err(DsnError::new("serverPubKey", "this is not supported"));
                }
                "allowNativePasswords"
                | "checkConnLiveness"
                | "connectionAttributes"
                | "interpolateParams"
                | "maxAllowedPacket"
                | "timeTruncate" => {}
                _ => variables.push(variable(key, value)?),
            }
        }
        if let Some(charset) = charset {
            let collation = collation.map_or_else(String::new, |name| format!(" COLLATE {name}"));
            self.setup.push(format!("SET NAMES {charset}{collation}"));
        } else if let Some(collation) = collation {
            self.setup.push(format!("SET NAMES utf8mb4 COLLATE {collation}"));
        } else {
            // What the driver logs in with; a session that is reset falls back to the server's.
            self.setup.push(String::from("SET NAMES utf8mb4"));
        }
        self.setup.extend(variables);
        Ok(())
    }
}

/// `tcp(host:port)`, `unix(/path)`, or nothing.
fn read_place(text: &str) -> Result<Place, DsnError> {
    let wrong = || DsnError::new("address", "write tcp(host:port)");
    let (net, address) = match text.split_once('(') {
        Some((net, rest)) => (net, rest.strip_suffix(')').ok_or_else(wrong)?),
        None => (text, ""),
    };
    match net {
        "" | "tcp" | "tcp4" | "tcp6" => {
            let address = match address {
                "" => HOST.to_owned(),
                // The host may be left out.
                port if port.starts_with(':') => format!("localhost{port}"),
                address => address.to_owned(),
            };
            HostPort::parse(&address, Some(PORT)).map(Place::Tcp).map_err(|_| wrong())
        }
        "unix" if address.is_empty() => Ok(Place::Unix(PathBuf::from(SOCKET))),
        "unix" => Ok(Place::Unix(PathBuf::from(address))),
        _ => Err(wrong()),
    }
}

fn tls_mode(value: &str) -> Result<TlsMode, DsnError> {
    match (parse_bool(value), &*value.to_ascii_lowercase()) {
        (Some(true), _) => Ok(TlsMode::Verify),
        (Some(false), _) => Ok(TlsMode::Disable),
        (None, "skip-verify") => Ok(TlsMode::SkipVerify),
        (None, "preferred") => Ok(TlsMode::Preferred),
        _ => Err(DsnError::new("tls", "write one of true, false, skip-verify, preferred")),
    }
}

fn boolean(key: &'static str, value: &str) -> Result<bool, DsnError> {
    parse_bool(value).ok_or_else(|| DsnError::new(key, "write true or false"))
}

/// A setting that may only say that it does not want what it is for.
fn refuse(key: &'static str, value: &str) -> Result<(), DsnError> {
    if boolean(key, value)? { Err(DsnError::new(key, "this is not supported")) } else { Ok(()) }
}

fn utc(value: &str) -> Result<(), DsnError> {
    if value == "UTC" { Ok(()) } else { Err(DsnError::new("loc", "only UTC is supported")) }
}

/// Go's way to write a duration: `1m30s`, `500ms`. Zero is no limit.
fn duration(key: &'static str, value: &str) -> Result<Option<Duration>, DsnError> {
    let wrong = || DsnError::new(key, "write a duration such as 5s or 500ms");
    let mut rest = value;
    let mut seconds = 0.0;
    while !rest.is_empty() && rest != "0" {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).ok_or_else(wrong)?;
        let (number, after) = rest.split_at(digits);
        let len = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(len);
        let unit = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return Err(wrong()),
        };
        seconds += number.parse::<f64>().map_err(|_| wrong())? * unit;
        rest = after;
    }
    if value.is_empty() {
        return Err(wrong());
    }
    let duration = Duration::try_from_secs_f64(seconds).map_err(|_| wrong())?;
    Ok(Some(duration).filter(|duration| !duration.is_zero()))
}

fn name(key: &'static str, value: Option<&str>) -> Result<String, DsnError> {
    let is_name = |name: &&str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let name = value.filter(is_name);
    name.map(str::to_owned).ok_or_else(|| DsnError::new(key, "write a name such as utf8mb4"))
}

/// Any other setting is a variable of the session, its value an expression of SQL.
fn variable(key: &str, value: &str) -> Result<String, DsnError> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_.@".contains(&byte);
    if key.is_empty() || !key.bytes().all(is_name) {
        return Err(DsnError::new("settings", "one is written as no variable of MySQL is"));
    }
    let value = unescape(value, true);
    let value = value.ok_or_else(|| DsnError::new("settings", "a percent escape is broken"))?;
    Ok(format!("SET {key} = {value}"))
}

#[cfg(test)]
mod tests;
