//! The key-value store, asked by host calls that carry protobuf messages: fields of a tag (number
//! << 3 | 2), a length and that many bytes. Keys and data up to 127 bytes, so that a length takes
//! one byte.

const std = @import("std");
const wapc = @import("wapc.zig");

const tag_key = 0x0a;
const tag_data = 0x12;

/// The value of `key`, null when it has none.
pub fn get(comptime key: []const u8) !?[]const u8 {
    const request = comptime field(tag_key, key);
    const response = wapc.hostCall("kvstore", "get", request) catch |err| {
        // All that a guest gets of an error is its text.
        const absent = std.mem.endsWith(u8, wapc.host_error, "nil value returned from database");
        return if (err == error.Host and absent) null else err;
    };
    return try find(response, tag_data);
}

/// Stores `data`, which must not be empty, as the value of `key`.
pub fn set(comptime key: []const u8, data: []const u8) !void {
    if (data.len > 127) return error.DataTooLong;
    const parts = .{ comptime field(tag_key, key), &[_]u8{ tag_data, @intCast(data.len) }, data };
    const request = try std.mem.concat(wapc.allocator, u8, &parts);
    _ = try wapc.hostCall("kvstore", "set", request);
}

fn field(comptime tag: u8, comptime data: []const u8) []const u8 {
    return &[_]u8{ tag, @as(u7, data.len) } ++ data;
}

/// The data of the field with this tag.
fn find(message: []const u8, tag: u8) ![]const u8 {
    var rest = message;
    while (rest.len >= 2) {
        const end = 2 + @as(usize, rest[1]);
        if (rest[1] > 127 or end > rest.len) break;
        if (rest[0] == tag) return rest[2..end];
        rest = rest[end..];
    }
    return error.MalformedAnswer;
}
