// The key-value store, asked by host calls that carry protobuf messages: fields of a tag (number <<
// 3 | 2), a length and that many bytes. Keys and data are of up to 127 bytes of ASCII, so that a
// length takes one byte and a message can be put together as a string.

import { hostCall, Result } from "@wapc/as-guest";

const TAG_KEY: i32 = 0x0a;
const TAG_DATA: i32 = 0x12;

// How the host's error ends when a key has no value; all that a guest gets of an error is its text.
const ABSENT = "nil value returned from database";

// The value of `key`, empty when it has none.
export function get(key: string): Result<string> {
  const response = call("get", field(TAG_KEY, key));
  if (response.isOk) return find(Uint8Array.wrap(response.get()), TAG_DATA);
  const error = response.error()!;
  return error.message.endsWith(ABSENT) ? Result.ok("") : Result.error<string>(error);
}

// Stores `data`, which must not be empty, as the value of `key`.
export function set(key: string, data: string): Result<ArrayBuffer> {
  return call("set", field(TAG_KEY, key) + field(TAG_DATA, data));
}

function call(operation: string, message: string): Result<ArrayBuffer> {
  return hostCall("tarmac", "kvstore", operation, String.UTF8.encode(message));
}

function field(tag: i32, data: string): string {
  return String.fromCharCode(tag) + String.fromCharCode(data.length) + data;
}

// The data of the field with this tag.
function find(message: Uint8Array, tag: i32): Result<string> {
  for (let at = 0; at + 2 <= message.length; at += 2 + message[at + 1]) {
    const end = at + 2 + message[at + 1];
    if (end > message.length) break;
    if (message[at] == tag) {
      return Result.ok(String.UTF8.decode(message.slice(at + 2, end).buffer));
    }
  }
  return Result.error<string>(new Error("malformed answer"));
}
