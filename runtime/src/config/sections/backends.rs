//! What all back ends over the network have in common.

use std::path::PathBuf;

use airside_capabilities::backend::BackendTimes;
use airside_capabilities::tls;

use crate::config::keys::Settings;
use crate::config::problem::Problems;

/// Of every store, database and HTTP server that is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendsConfig {
    pub times: BackendTimes,
    /// Authorities besides the machine's own; it held certificates when the configuration was read.
    pub ca_file: Option<PathBuf>,
}

pub(in crate::config) fn backends(settings: &Settings, problems: &mut Problems) -> BackendsConfig {
    let ca_file = settings.backend_ca_file.value.clone();
    if let Some(path) = &ca_file
        && let Err(error) = tls::check_file(path)
    {
        settings.backend_ca_file.refuse(error.reason, problems);
    }
    let times = BackendTimes {
        connect: settings.backend_connect_timeout_ms.value,
        call: settings.backend_call_timeout_ms.value,
        start: settings.backend_start_timeout_ms.value,
    };
    BackendsConfig { times, ca_file }
}
