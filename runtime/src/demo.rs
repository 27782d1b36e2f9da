//! `airside demo`: the functions of examples/demo, which are part of the binary, with a page of things to try.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::{Config, ConfigErrors, Demo};

const TARMAC_JSON: &str = include_str!("../../examples/demo/tarmac.json");
const MODULES: &[(&str, &[u8])] = &[
    ("hello.wasm", include_bytes!("../../examples/demo/hello.wasm")),
    ("echo.wasm", include_bytes!("../../examples/demo/echo.wasm")),
    ("counter.wasm", include_bytes!("../../examples/demo/counter.wasm")),
    ("relay.wasm", include_bytes!("../../examples/demo/relay.wasm")),
];

/// The demo's configuration; the environment overrides all but the functions.
///
/// # Errors
/// All that is wrong in the environment.
pub fn config(
    environment: Vec<(String, String)>,
    listen: Option<SocketAddr>,
) -> Result<Config, ConfigErrors> {
    let kv_path = store_path(&environment);
    Config::demo(environment, &Demo { tarmac_json: TARMAC_JSON, modules: MODULES, listen, kv_path })
}

/// The counter outlives the demo: $XDG_STATE_HOME or its default, else the temporary folder.
fn store_path(environment: &[(String, String)]) -> PathBuf {
    let absolute = |wanted: &str| {
        let value = environment.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        value.map(PathBuf::from).filter(|path| path.is_absolute())
    };
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .unwrap_or_else(std::env::temp_dir)
        .join("airside/demo.redb")
}

/// Writes what is served, and lines to paste.
///
/// # Errors
/// Those of `out`.
pub fn introduce(config: &Config, address: SocketAddr, out: &mut dyn Write) -> io::Result<()> {
    let url = format!("http://{address}");
    writeln!(out, "The Airside demo on {url} (Ctrl-C ends it)\n")?;
    for route in &config.routes {
        let function = &config.functions[route.function].name;
        writeln!(out, "  {:<9} {:<9} {function}", route.methods.join(" "), route.pattern)?;
    }
    writeln!(
        out,
        "
Try it:
  curl {url}/hello
  curl -d 'some bytes' {url}/echo
  curl -X POST {url}/counter
  curl {url}/relay

Load it:
  wrk -t1 -c64 -d10s --latency {url}/hello
  oha -z 10s -c 64 {url}/hello

Look at it while it is loaded:
  {url}/debug/dashboard, in a browser
  curl {url}/debug/latency
  curl '{url}/debug/latency?format=json'
  curl {url}/metrics
"
    )?;
    out.flush()
}
