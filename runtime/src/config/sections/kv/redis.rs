//! Redis: one server or sentinels, and how to log in. A URL and the settings beside it may say the same thing twice, but
//! not two different ones.

use std::time::Duration;

use airside_capabilities::backend::BackendTimes;
use airside_capabilities::dns::HostPort;
use airside_capabilities::kv::redis::{RedisConfig, RedisEndpoint};
use airside_capabilities::secret::Secret;

use crate::config::keys::Settings;
use crate::config::problem::Problems;
use crate::config::server_url::ServerUrl;

/// Without and with TLS.
const SCHEMES: [&str; 2] = ["redis", "rediss"];
const TLS: usize = 1;
const SENTINEL_PORT: u16 = 26379;

pub(super) fn read(settings: &Settings, problems: &mut Problems) -> Option<RedisConfig> {
    warn(settings, problems);
    // Each is looked at, whatever is wrong with the others.
    let server = server(settings, problems);
    let sentinels = sentinels(settings, problems);
    let server = server?;
    let database = database(server.as_ref(), settings, problems);
    let password = password(server.as_ref(), settings, problems);
    let endpoint = match (sentinels?, &server) {
        (Some(endpoint), _) => endpoint,
        (None, Some(server)) => RedisEndpoint::Server(server.address.clone()),
        (None, None) => {
            let reason = "write host:port or redis://user:password@host:port/database, or set \
                          redis_sentinel_servers and redis_sentinel_master";
            settings.redis_server.refuse(reason, problems);
            return None;
        }
    };
    let tls = server.as_ref().is_some_and(|server| server.scheme == TLS);
    // The name says the contrary; Tarmac gives it to its driver as "skip the verification".
    let verify = !settings.redis_hostname_verify.value;
    if tls && !verify {
        let warning = "true SKIPS the verification of the server's certificate, as in Tarmac";
        settings.redis_hostname_verify.warn(warning, problems);
    }
    Some(RedisConfig {
        endpoint,
        database: database?,
        user: server.and_then(|server| server.user),
        password: password?,
        tls,
        verify,
        keepalive: settings.redis_keepalive.value,
    })
}

/// The times of its own settings over those of all back ends. A call sends and then waits for the answer, so it has both
/// times.
pub(super) fn times(settings: &Settings, times: BackendTimes) -> BackendTimes {
    let unless_zero = |own: Duration, other| if own.is_zero() { other } else { own };
    let call = settings.redis_read_timeout.value + settings.redis_write_timeout.value;
    BackendTimes {
        connect: unless_zero(settings.redis_connect_timeout.value, times.connect),
        call: unless_zero(call, times.call),
        start: times.start,
    }
}

fn warn(settings: &Settings, problems: &mut Problems) {
    if settings.redis_max_active.is_explicit() {
        let warning = "has no effect: each shard has one connection, on which calls do not wait \
                       for each other";
        settings.redis_max_active.warn(warning, problems);
    }
    let by_sentinel = !settings.redis_sentinel_servers.value.is_empty();
    if by_sentinel && !settings.redis_server.value.reveal().is_empty() {
        let warning = "the sentinels say where the master is; of this only user, password, \
                       database and TLS count";
        settings.redis_server.warn(warning, problems);
    }
}

/// `redis_server`, if it is set; none at all if it is wrong.
fn server(settings: &Settings, problems: &mut Problems) -> Option<Option<ServerUrl>> {
    let text = settings.redis_server.value.reveal();
    if text.is_empty() {
        return Some(None);
    }
    match ServerUrl::parse(text, &SCHEMES, Some(6379)) {
        Ok(url) => Some(Some(url)),
        Err(reason) => {
            settings.redis_server.refuse(reason, problems);
            None
        }
    }
}

/// The sentinels, if there are any; none at all if they are wrong.
fn sentinels(settings: &Settings, problems: &mut Problems) -> Option<Option<RedisEndpoint>> {
    let servers = &settings.redis_sentinel_servers;
    let master = &settings.redis_sentinel_master;
    match (servers.value.is_empty(), master.value.is_empty()) {
        (true, true) => return Some(None),
        (true, false) => {
            servers.refuse("must be set when redis_sentinel_master is", problems);
            return None;
        }
        (false, true) => {
            master.refuse("must be set when redis_sentinel_servers is", problems);
            return None;
        }
        (false, false) => {}
    }
    let parsed = servers.value.iter().map(|text| HostPort::parse(text, Some(SENTINEL_PORT)));
    match parsed.collect() {
        Ok(sentinels) => {
            Some(Some(RedisEndpoint::Sentinels { sentinels, master: master.value.clone() }))
        }
        Err(reason) => {
            servers.refuse(reason, problems);
            None
        }
    }
}

fn database(
    server: Option<&ServerUrl>,
    settings: &Settings,
    problems: &mut Problems,
) -> Option<u16> {
    let own = settings.redis_database.value.map(|number| u16::try_from(number).unwrap_or(u16::MAX));
    let path = server.map_or("", |server| &server.path);
    if path.is_empty() {
        return Some(own.unwrap_or(0));
    }
    let Ok(in_url) = path.parse() else {
        settings.redis_server.refuse("what follows the slash is no database's number", problems);
        return None;
    };
    match own {
        Some(own) if own != in_url => {
            let reason = format!("redis_server names database {in_url}: say it once");
            settings.redis_database.refuse(reason, problems);
            None
        }
        _ => Some(in_url),
    }
}

fn password(
    server: Option<&ServerUrl>,
    settings: &Settings,
    problems: &mut Problems,
) -> Option<Option<Secret>> {
    let own = &settings.redis_password.value;
    let own = (!own.reveal().is_empty()).then(|| own.clone());
    let in_url = server.and_then(|server| server.password.clone());
    match (own, in_url) {
        (Some(own), Some(in_url)) if own != in_url => {
            settings.redis_password.refuse("redis_server has another one: say it once", problems);
            None
        }
        (own, in_url) => Some(own.or(in_url)),
    }
}
