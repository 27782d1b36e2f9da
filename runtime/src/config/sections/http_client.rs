//! The HTTP client, which every function has.

use airside_capabilities::http_client::HttpClientConfig;

use crate::config::keys::Settings;

pub(in crate::config) fn http_client(settings: &Settings) -> HttpClientConfig {
    HttpClientConfig {
        timeout: settings.http_client_timeout_ms.value,
        body_bytes_max: settings.http_client_max_response_body_size.value,
        compat: settings.tarmac_compat.value,
    }
}
