//! Answers with what it was given.

const wapc = @import("wapc.zig");

export fn __guest_call(operation_len: usize, payload_len: usize) i32 {
    return wapc.invoke(echo, operation_len, payload_len);
}

fn echo(payload: []const u8) ![]const u8 {
    return payload;
}
