//! Cassandra: where to begin, who we are, and the keyspace.

use airside_capabilities::dns::HostPort;
use airside_capabilities::kv::cassandra::{CassandraConfig, CassandraConsistency};
use airside_capabilities::secret::Secret;

use crate::config::keys::Settings;
use crate::config::problem::Problems;

/// What Cassandra takes as the name of a keyspace.
const KEYSPACE_BYTES_MAX: usize = 48;

pub(super) fn read(settings: &Settings, problems: &mut Problems) -> Option<CassandraConfig> {
    // Each is looked at, whatever is wrong with the others.
    let hosts = hosts(settings, problems);
    let keyspace = keyspace(settings, problems);
    let consistency = consistency(settings, problems);
    let strategy = strategy(settings, problems);
    let (user, password) = login(settings, problems);
    let (tls, verify) = tls(settings, problems);
    Some(CassandraConfig {
        hosts: hosts?,
        keyspace: keyspace?,
        consistency: consistency?,
        replication_strategy: strategy?,
        replicas: u8::try_from(settings.cassandra_replicas.value).unwrap_or(u8::MAX),
        user,
        password,
        tls,
        verify,
    })
}

fn hosts(settings: &Settings, problems: &mut Problems) -> Option<Vec<HostPort>> {
    let port = u16::try_from(settings.cassandra_port.value).ok();
    let hosts = &settings.cassandra_hosts;
    let parsed: Result<Vec<_>, _> =
        hosts.value.iter().map(|host| HostPort::parse(host, port)).collect();
    match parsed {
        Ok(parsed) if !parsed.is_empty() => return Some(parsed),
        Ok(_) => hosts.refuse("write at least one host", problems),
        Err(reason) => hosts.refuse(reason, problems),
    }
    None
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn keyspace(settings: &Settings, problems: &mut Problems) -> Option<String> {
    let name = &settings.cassandra_keyspace.value;
    if is_name(name) && name.len() <= KEYSPACE_BYTES_MAX {
        return Some(name.clone());
    }
    let reason = format!("write 1 to {KEYSPACE_BYTES_MAX} letters, digits and underscores");
    settings.cassandra_keyspace.refuse(reason, problems);
    None
}

fn consistency(settings: &Settings, problems: &mut Problems) -> Option<CassandraConsistency> {
    let named = CassandraConsistency::named(&settings.cassandra_consistency.value);
    if named.is_none() {
        let names = CassandraConsistency::ALL.map(|(name, _)| name).join(", ");
        settings.cassandra_consistency.refuse(format!("write one of {names}"), problems);
    }
    named
}

/// A class of Cassandra's own, or one with its package.
fn strategy(settings: &Settings, problems: &mut Problems) -> Option<String> {
    let class = &settings.cassandra_repl_strategy.value;
    if class.split('.').all(is_name) {
        return Some(class.clone());
    }
    let reason = "write the name of a class, such as SimpleStrategy";
    settings.cassandra_repl_strategy.refuse(reason, problems);
    None
}

fn login(settings: &Settings, problems: &mut Problems) -> (Option<String>, Option<Secret>) {
    let user = &settings.cassandra_user.value;
    let password = &settings.cassandra_password.value;
    if user.is_empty() && !password.reveal().is_empty() {
        settings.cassandra_user.refuse("must be set when cassandra_password is", problems);
    }
    let user = (!user.is_empty()).then(|| user.clone());
    let password = (!password.reveal().is_empty()).then(|| password.clone());
    (user, password)
}

/// Whether to connect with TLS and to verify. To verify is to have TLS, as in Tarmac; TLS alone is verified too, unless
/// it is said that it is not.
fn tls(settings: &Settings, problems: &mut Problems) -> (bool, bool) {
    let verify = &settings.cassandra_hostname_verify;
    let tls = settings.cassandra_tls.value || verify.value == Some(true);
    if tls && verify.value == Some(false) {
        verify.warn("the server's certificate is not verified", problems);
    }
    (tls, verify.value.unwrap_or(true))
}
