//! `airside demo`: the functions of examples/demo, which are part of the binary, with a page of things to try.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::boot;
use crate::commands::CommandError;
use crate::config::{Config, Demo};

const TARMAC_JSON: &str = include_str!("../../examples/demo/tarmac.json");
const MODULES: &[(&str, &[u8])] = &[
    ("hello.wasm", include_bytes!("../../examples/demo/hello.wasm")),
    ("echo.wasm", include_bytes!("../../examples/demo/echo.wasm")),
    ("counter.wasm", include_bytes!("../../examples/demo/counter.wasm")),
    ("relay.wasm", include_bytes!("../../examples/demo/relay.wasm")),
];

/// Serves the demo until a signal ends it.
pub fn run(
    environment: Vec<(String, String)>,
    listen: Option<SocketAddr>,
) -> Result<(), CommandError> {
    let kv_path = store_path(&environment);
    let demo = Demo { tarmac_json: TARMAC_JSON, modules: MODULES, listen, kv_path };
    let config = Config::demo(environment, &demo)?;
    let mut shown = Ok(());
    boot::serve(&config, |address| shown = introduce(&config, address, &mut io::stdout()))?;
    Ok(shown?)
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

/// What is served, and lines to paste.
fn introduce(config: &Config, address: SocketAddr, out: &mut dyn Write) -> io::Result<()> {
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
  curl {url}/debug/latency
  curl '{url}/debug/latency?format=json'
  curl {url}/metrics
"
    )?;
    out.flush()
}
