//! The guest's side of the waPC protocol.

const std = @import("std");

/// Answers an invocation; the name of its error goes to the caller instead of an answer.
pub const Function = fn (payload: []const u8) anyerror![]const u8;

const wapc = struct {
    extern "wapc" fn __guest_request(operation: [*]u8, payload: [*]u8) void;
    extern "wapc" fn __guest_response(answer: [*]const u8, len: usize) void;
    extern "wapc" fn __guest_error(text: [*]const u8, len: usize) void;
    extern "wapc" fn __host_call(
        binding: [*]const u8,
        binding_len: usize,
        namespace: [*]const u8,
        namespace_len: usize,
        operation: [*]const u8,
        operation_len: usize,
        payload: [*]const u8,
        payload_len: usize,
    ) i32;
    extern "wapc" fn __host_response_len() usize;
    extern "wapc" fn __host_response(answer: [*]u8) void;
    extern "wapc" fn __host_error_len() usize;
    extern "wapc" fn __host_error(text: [*]u8) void;
};

/// What lives as long as the invocation.
var arena = std.heap.ArenaAllocator.init(std.heap.wasm_allocator);
pub const allocator = arena.allocator();

/// The text of the last host call that failed with `error.Host`.
pub var host_error: []const u8 = "";

/// Has `function` answer one invocation, whatever the operation: the body of a guest's
/// `__guest_call`.
pub fn invoke(comptime function: Function, operation_len: usize, payload_len: usize) i32 {
    defer _ = arena.reset(.retain_capacity);
    if (answer(function, operation_len, payload_len)) |bytes| {
        wapc.__guest_response(bytes.ptr, bytes.len);
        return 1;
    } else |err| {
        const text = if (err == error.Host) host_error else @errorName(err);
        wapc.__guest_error(text.ptr, text.len);
        return 0;
    }
}

fn answer(comptime function: Function, operation_len: usize, payload_len: usize) ![]const u8 {
    const operation = try buffer(operation_len);
    const payload = try buffer(payload_len);
    wapc.__guest_request(operation.ptr, payload.ptr);
    return function(payload);
}

/// Asks the host; what it answers lives as long as the invocation.
pub fn hostCall(namespace: []const u8, operation: []const u8, payload: []const u8) ![]const u8 {
    const binding = "tarmac";
    const ok = wapc.__host_call(
        binding,
        binding.len,
        namespace.ptr,
        namespace.len,
        operation.ptr,
        operation.len,
        payload.ptr,
        payload.len,
    );
    if (ok == 0) {
        const text = try buffer(wapc.__host_error_len());
        wapc.__host_error(text.ptr);
        host_error = text;
        return error.Host;
    }
    const bytes = try buffer(wapc.__host_response_len());
    wapc.__host_response(bytes.ptr);
    return bytes;
}

/// Never at the address that Zig gives to empty slices, 0xffffffff, where some hosts refuse to
/// write even nothing.
fn buffer(len: usize) ![]u8 {
    return (try allocator.alloc(u8, len + 1))[0..len];
}
