//! Counts its calls in the key-value store and answers with the number of this one.
//!
//! Reading, adding one and writing back are three steps: calls at the same time can read the same
//! number, and then one increment is lost.

const std = @import("std");
const kv = @import("kv.zig");
const wapc = @import("wapc.zig");

const key = "counter";

export fn __guest_call(operation_len: usize, payload_len: usize) i32 {
    return wapc.invoke(count, operation_len, payload_len);
}

fn count(_: []const u8) ![]const u8 {
    const number = if (try kv.get(key)) |stored| try std.fmt.parseInt(u64, stored, 10) + 1 else 1;
    const answer = try std.fmt.allocPrint(wapc.allocator, "{d}", .{number});
    try kv.set(key, answer);
    return answer;
}
