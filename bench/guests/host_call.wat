;; Gives its payload to tarmac/CAPABILITY/OPERATION so many times as CALLS says, and answers what the host said to the
;; last call: its response, or its error.
(module
  (import "wapc" "__guest_request" (func $request (param i32 i32)))
  (import "wapc" "__guest_response" (func $answer (param i32 i32)))
  (import "wapc" "__host_call"
    (func $host_call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wapc" "__host_response_len" (func $host_answer_len (result i32)))
  (import "wapc" "__host_response" (func $host_answer (param i32)))
  (import "wapc" "__host_error_len" (func $host_error_len (result i32)))
  (import "wapc" "__host_error" (func $host_error (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "tarmac")
  (data (i32.const 8) "CAPABILITY")
  (data (i32.const 32) "OPERATION")
  (func (export "__guest_call") (param $operation_len i32) (param $payload_len i32) (result i32)
    (local $left i32) (local $succeeded i32)
    (call $request (i32.const 64) (i32.const 1024))
    (local.set $left (i32.const CALLS))
    (loop $again
      (local.set $succeeded
        (call $host_call
          (i32.const 0) (i32.const 6)
          (i32.const 8) (i32.const LEN_OF_CAPABILITY)
          (i32.const 32) (i32.const LEN_OF_OPERATION)
          (i32.const 1024) (local.get $payload_len)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $again (local.get $left)))
    (if (local.get $succeeded)
      (then
        (call $host_answer (i32.const 2048))
        (call $answer (i32.const 2048) (call $host_answer_len)))
      (else
        (call $host_error (i32.const 2048))
        (call $answer (i32.const 2048) (call $host_error_len))))
    (i32.const 1)))
