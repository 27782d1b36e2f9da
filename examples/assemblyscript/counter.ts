// Counts its calls in the key-value store and answers with the number of this one.
//
// Reading, adding one and writing back are three steps: calls at the same time can read the same
// number, and then one increment is lost.

import { handleAbort, handleCall, register, Result } from "@wapc/as-guest";
import { get, set } from "./kv";

const KEY = "counter";

register("handler", count);

function count(_payload: ArrayBuffer): Result<ArrayBuffer> {
  const stored = get(KEY);
  if (!stored.isOk) return Result.error<ArrayBuffer>(stored.error()!);
  const answer = (U64.parseInt(stored.get(), 10) + 1).toString();
  const kept = set(KEY, answer);
  return kept.isOk ? Result.ok(String.UTF8.encode(answer)) : kept;
}

// The host's way in.
export function __guest_call(operationSize: usize, payloadSize: usize): bool {
  return handleCall(operationSize, payloadSize);
}

// What AssemblyScript calls before it traps; the recipe says so to the compiler.
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  handleAbort(message, file, line, column);
}
