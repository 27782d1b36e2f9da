//! Every row of the logger capability.

use super::Guest;
use crate::logger::Level;

#[test]
fn any_bytes_are_logged_and_nothing_is_answered() {
    let check = |capability: &str, operation: &str, payload: &[u8], line: &str| {
        let mut guest = Guest::new();
        assert_eq!(guest.call(capability, operation, payload), "");
        assert_eq!(guest.response, b"");
        assert_eq!(*guest.lines.0.lock().unwrap(), [line], "{capability}/{operation}");
    };
    check("logger", "error", b"text", "error caller text");
    check("logger", "warn", b"text", "warn caller text");
    check("logger", "info", b"{\"json\":1}", "info caller {\"json\":1}");
    check("logger", "debug", b"", "debug caller ");
    check("logger", "trace", b"a\xffb", "trace caller a\u{fffd}b");
    check("logging", "Error", b"text", "error caller text");
    check("logging", "Warn", b"text", "warn caller text");
    check("logging", "Info", b"\n", "info caller \n");
    check("logging", "Debug", b"text", "debug caller text");
    check("logging", "Trace", b"text", "trace caller text");
}

#[test]
fn levels_that_are_off_reach_no_sink() {
    let mut guest = Guest::new();
    guest.filter.set(Some(Level::Warn));
    for level in ["error", "warn", "info", "debug", "trace"] {
        assert_eq!(guest.call("logger", level, b"x"), "");
    }
    assert_eq!(*guest.lines.0.lock().unwrap(), ["error caller x", "warn caller x"]);
}
