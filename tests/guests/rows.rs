//! The table's rows.

use super::double::{encode_field, status};
use super::{Outcome, Row, answer, guest_error};

/// Every guest of the repository, but for `recurse` and the `secret_` pair, which need a whole
/// server.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    rows.extend(answers());
    rows.extend(host_calls());
    rows.extend(failures());
    rows.extend(bad_pointers());
    rows.extend(starts());
    rows.extend(wasi());
    rows.extend(examples());
    rows
}

fn answers() -> Vec<Row> {
    let megabyte = vec![0xa5; 1 << 20];
    vec![
        Row::wat("hello").call("", answer("Hello, World!")).call("x", answer("Hello, World!")),
        echo("tests/guests/echo.wat").call(&megabyte, answer(&megabyte)),
        Row::wat("operation").call("", answer("handler:")).call("x", answer("handler:x")),
        Row::wat("twice").call("", answer("second")),
        Row::wat("big")
            .call("", answer(vec![b'x'; 1 << 20]))
            .call("0", answer(""))
            .call("65537", answer(vec![b'x'; 65_537]))
            .call("33554432", answer(vec![b'x'; 32 << 20])),
        Row::wat("global").call("", answer("1")).call("", answer("2")).call("", answer("3")),
        Row::wat("trap_once").call("", answer("1")).call("", answer("2")).call("x", Outcome::Trap),
        Row::wat("remember").call("a", answer("")).call("bc", answer("a")).call("", answer("bc")),
        Row::wat("remember").call("a", answer("")).call("trap", Outcome::Trap),
        Row::wat("remember").endless().call("spin", Outcome::Deadline),
        Row::wat("secret_write").call("secret", answer("kept")),
        Row::wat("secret_read").call("", answer("clean")),
        // The provider takes the lack of a response for a failure; Tarmac answers with nothing.
        Row::wat("silent").call("", answer("")).but_provider(Outcome::Unsuccessful),
    ]
}

fn host_calls() -> Vec<Row> {
    const ABSENT: &str = "Unable to fetch key nil value returned from database";
    let long = vec![b'l'; 100_000];
    let key = encode_field(1, b"key");
    let key_and_data = [key.clone(), encode_field(2, b"value")].concat();
    let absent = format!("0{ABSENT}\n").into_bytes();
    vec![
        Row::wat("call")
            .call("tarmac\nnone\nget\n", answer("0callback not found\n"))
            .call("other\nkvstore\nget\n", answer("0callback not found\n"))
            .call("tarmac\nkvstore\nGet\n", answer("0callback not found\n"))
            .call("tarmac\nkvstore\nget \n", answer("0callback not found\n"))
            .call("\n\n\n", answer("0callback not found\n"))
            .call("tarmac\nlogger\ninfo\nline", answer("1"))
            .call(host_call("function", "echo", b""), answer("1"))
            .call(host_call("function", "echo", &long), answer([b"1", &long[..]].concat()))
            // The status of a failed call stays readable in airside; the provider has one or the
            // other.
            .call(
                host_call("kvstore", "get", &key),
                answer([absent.clone(), status(404, ABSENT)].concat()),
            )
            .but_provider(answer(absent))
            .call(
                host_call("kvstore", "set", &key_and_data),
                answer([b"1".to_vec(), status(200, "OK")].concat()),
            )
            .call(
                host_call("kvstore", "get", &key),
                answer([b"1".to_vec(), status(200, "OK"), encode_field(2, b"value")].concat()),
            )
            // Names are bytes, that happen to be known or not; the provider wants them in UTF-8.
            .call(b"tarmac\n\xff\nget\n", answer("0callback not found\n"))
            .but_provider(Outcome::Trap),
        Row::wat("kv").call("a", answer("a")).call([0xff; 100], answer([0xff; 100])),
        Row::wat("log").call("a line", answer("11")).call("", answer("11")),
        Row::wat("metrics").call("", answer("111")).call("", answer("111")),
        Row::wat("stale").call("", answer("00")).call("", answer("00")),
        // Not deployed as a function that others can call.
        Row::wat("recurse").call("", guest_error("callback not found")),
    ]
}

/// The payload that has `call.wat` make this host call.
fn host_call(namespace: &str, operation: &str, payload: &[u8]) -> Vec<u8> {
    [format!("tarmac\n{namespace}\n{operation}\n").as_bytes(), payload].concat()
}

fn failures() -> Vec<Row> {
    let traps = ["trap", "overflow", "grow", "grow_touch", "grow_table", "exit"];
    let mut rows: Vec<Row> =
        traps.iter().map(|name| Row::wat(name).call("", Outcome::Trap)).collect();
    rows.extend([
        Row::wat("spin").endless().call("", Outcome::Deadline),
        Row::wat("error")
            .call("it failed", guest_error("it failed"))
            .call([b'e'; 10_000], guest_error([b'e'; 10_000]))
            // An empty text is none in wapc-go.
            .call("", Outcome::Unsuccessful)
            .but_provider(guest_error(""))
            // The text is the guest's, whatever it is; the provider wants it in UTF-8.
            .call([0xff], guest_error([0xff]))
            .but_provider(Outcome::Trap),
        // An error is one whatever the guest returns; the provider goes by what it returns.
        Row::wat("both")
            .call("0", guest_error("error"))
            .call("1", guest_error("error"))
            .but_provider(answer("response")),
        // 1 is success and nothing else is; to the provider, only 0 is failure.
        Row::wat("status")
            .call("0", Outcome::Unsuccessful)
            .call("1", answer("response"))
            .call("2", Outcome::Unsuccessful)
            .but_provider(answer("response")),
    ]);
    rows
}

/// Wherever a guest points, only that guest fails. Empty ranges are nowhere, so no address is wrong
/// for them.
fn bad_pointers() -> Vec<Row> {
    let mut rows = Vec::new();
    for argument in 'a'..='k' {
        for how in ['o', 'w'] {
            let row = Row::wat("oob").call(format!("{argument}{how}."), Outcome::Trap);
            // What the guest hands over the provider reads without a check; what it is given is
            // checked.
            let read = !matches!(argument, 'a' | 'b' | 'i' | 'j');
            rows.push(if read { row.but_provider(Outcome::HostPanic) } else { row });
        }
    }
    rows.push(Row::wat("wild_empty").call("", answer("")).but_provider(Outcome::Trap));
    rows
}

fn starts() -> Vec<Row> {
    let mut rows: Vec<Row> =
        ["no_guest_call", "wrong_guest_call", "unknown_import", "init_trap", "start_exit_3"]
            .iter()
            .map(|name| Row::wat(name).never_starts())
            .collect();
    rows.extend([
        Row::wat("spin_init").endless().never_starts(),
        // The provider knows nothing of `_initialize`.
        Row::wat("init_order").call("", answer("0123")).but_provider(answer("023")),
        Row::wat("start_exit_0").call("", answer("started")).call("", answer("started")),
        // Refused at once; the provider finds out when the guest is called.
        Row::wat("nomem").never_starts().but_provider_starts().call("", Outcome::Trap),
    ]);
    rows
}

fn wasi() -> Vec<Row> {
    vec![
        Row::wat("wasi_unstable").call("", answer("0\x0c")),
        // Error code 8 is `badf`: there is no such descriptor.
        Row::wat("wasi").call("", answer([0, 0, 0, 8, 8, 0, 1, 1])),
    ]
}

fn examples() -> Vec<Row> {
    let mut rows = Vec::new();
    for language in ["assemblyscript", "c", "demo", "go", "rust-wasi", "zig"] {
        rows.push(echo(&format!("examples/{language}/echo.wasm")));
        let row = Row::new(&format!("examples/{language}/counter.wasm")).call("", answer("1"));
        // Go's counter is a reactor, and the provider never calls `_initialize`.
        let row = if language == "go" { row.but_provider(Outcome::Trap) } else { row };
        // Into numbers of two digits.
        rows.push((2..=12).fold(row, |row, number| row.call("", answer(number.to_string()))));
    }
    rows.extend([
        Row::new("examples/demo/hello.wasm")
            .call("", answer("Hello, World!"))
            .call("you", answer("Hello, you!")),
        Row::new("examples/demo/relay.wasm").call("", answer("Hello, relay!")),
    ]);
    rows
}

/// What every echo in any language must do.
fn echo(guest: &str) -> Row {
    let large = vec![b'l'; 200_000];
    Row::new(guest)
        .call("", answer(""))
        .call("text", answer("text"))
        .call(b"\0\xff\xfe\0", answer(b"\0\xff\xfe\0"))
        .call(&large, answer(&large))
        .call("", answer(""))
}
