//! `/debug/gauges`: what there is at this moment, as JSON: connections, memory, and the instances of each function.

use serde::Serialize;

use crate::telemetry::Collected;
use crate::telemetry::prometheus::Extras;

#[derive(Serialize)]
struct Document<'p> {
    time: String,
    shards: usize,
    connections: u64,
    resident_bytes: Option<u64>,
    log_lines_dropped: u64,
    functions: Vec<Function<'p>>,
}

#[derive(Serialize)]
struct Function<'p> {
    function: &'p str,
    /// Instances that exist, and those of them that serve a call.
    instances: u32,
    in_use: u32,
    /// Calls that wait for an instance.
    waiting: u32,
}

pub(super) fn render(collected: &Collected, extras: &Extras<'_>) -> String {
    let names = collected.labels().functions.iter().enumerate();
    let functions = names.map(|(index, function)| {
        let instances = collected.function(index).instances();
        Function {
            function,
            instances: instances.live,
            in_use: instances.in_use,
            waiting: instances.waiting,
        }
    });
    let document = Document {
        time: humantime::format_rfc3339_nanos(collected.date_of(collected.end_ns())).to_string(),
        shards: collected.shards(),
        connections: collected.connections().open(),
        resident_bytes: extras.process.resident_bytes,
        log_lines_dropped: extras.log_lines_dropped,
        functions: functions.collect(),
    };
    let mut text =
        serde_json::to_string(&document).expect("strings and numbers always have a JSON form");
    text.push('\n');
    text
}
