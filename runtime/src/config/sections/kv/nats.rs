//! NATS: the servers of one cluster, each with its login, and the bucket.

use airside_capabilities::kv::nats::{NatsConfig, NatsLogin, NatsServer};
use airside_capabilities::secret::Secret;

use crate::config::keys::Settings;
use crate::config::problem::Problems;
use crate::config::server_url::ServerUrl;
use crate::config::source::Setting;

/// Without and with TLS.
const SCHEMES: [&str; 2] = ["nats", "tls"];
const TLS: usize = 1;
const PORT: u16 = 4222;

pub(super) fn read(settings: &Settings, problems: &mut Problems) -> Option<NatsConfig> {
    let Settings { nats_url, nats_servers, .. } = settings;
    let mut servers = Some(Vec::new());
    // The default is a server of this machine, which is not meant when others are named.
    if nats_url.is_explicit() || nats_servers.value.is_empty() {
        read_servers(nats_url, &mut servers, problems);
    }
    read_servers(nats_servers, &mut servers, problems);
    if servers.as_ref().is_some_and(Vec::is_empty) {
        nats_url.refuse("write at least one nats://host:port", problems);
        servers = None;
    }
    let bucket = bucket(settings, problems);
    let verify = !settings.nats_skip_tls_verify.value;
    Some(NatsConfig { servers: servers?, bucket: bucket?, verify })
}

/// Adds what a setting names; nothing is left when it is wrong.
fn read_servers(
    setting: &Setting<Vec<Secret>>,
    servers: &mut Option<Vec<NatsServer>>,
    problems: &mut Problems,
) {
    for text in &setting.value {
        match server(text.reveal()) {
            Ok(server) => servers.iter_mut().for_each(|servers| servers.push(server.clone())),
            Err(reason) => {
                setting.refuse(reason, problems);
                *servers = None;
            }
        }
    }
}

fn server(text: &str) -> Result<NatsServer, String> {
    let url = ServerUrl::parse(text, &SCHEMES, Some(PORT))?;
    if !url.path.is_empty() {
        return Err("nothing may follow the port".to_owned());
    }
    let login = match (url.user, url.password) {
        (Some(user), Some(password)) => Some(NatsLogin::User { user, password }),
        (Some(token), None) => Some(NatsLogin::Token(Secret::new(token))),
        (None, Some(_)) => return Err("has a password but no user".to_owned()),
        (None, None) => None,
    };
    Ok(NatsServer { address: url.address, tls: url.scheme == TLS, login })
}

/// What JetStream takes as a bucket's name.
fn bucket(settings: &Settings, problems: &mut Problems) -> Option<String> {
    let name = &settings.nats_bucket.value;
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !name.is_empty() && name.bytes().all(is_valid) {
        return Some(name.clone());
    }
    settings.nats_bucket.refuse("write letters, digits, - and _", problems);
    None
}
