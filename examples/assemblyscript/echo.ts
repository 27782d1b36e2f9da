// Answers with what it was given.

import { handleAbort, handleCall, register, Result } from "@wapc/as-guest";

register("handler", echo);

function echo(payload: ArrayBuffer): Result<ArrayBuffer> {
  return Result.ok(payload);
}

// The host's way in.
export function __guest_call(operationSize: usize, payloadSize: usize): bool {
  return handleCall(operationSize, payloadSize);
}

// What AssemblyScript calls before it traps; the recipe says so to the compiler.
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  handleAbort(message, file, line, column);
}
