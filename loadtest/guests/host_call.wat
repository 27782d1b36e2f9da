;; Makes a host call CALLS times, always the same, and answers what the host answered last: its response, or its error, which
;; ends it at once, as the guest's.
;; CAPABILITY, OPERATION and PAYLOAD stand for bytes and CAP_LEN, OP_LEN and PAY_LEN for how many, put in before compiling.
;; Memory: names at 0, the payload at 1024, the answer from 4096 to 131072.
(module
  (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
  (import "wapc" "__guest_error" (func $guest_error (param i32 i32)))
  (import "wapc" "__host_call"
    (func $host_call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wapc" "__host_response_len" (func $host_response_len (result i32)))
  (import "wapc" "__host_response" (func $host_response (param i32)))
  (import "wapc" "__host_error_len" (func $host_error_len (result i32)))
  (import "wapc" "__host_error" (func $host_error (param i32)))
  (memory (export "memory") 2)
  (data (i32.const 0) "tarmac")
  (data (i32.const 64) "CAPABILITY")
  (data (i32.const 128) "OPERATION")
  (data (i32.const 1024) "PAYLOAD")
  (func (export "__guest_call") (param $operation_len i32) (param $payload_len i32) (result i32)
    (local $answer_len i32)
    (local $left i32)
    (local.set $left (i32.const CALLS))
    (loop $again
      (if
        (i32.eqz
          (call $host_call
            (i32.const 0) (i32.const 6)
            (i32.const 64) (i32.const CAP_LEN)
            (i32.const 128) (i32.const OP_LEN)
            (i32.const 1024) (i32.const PAY_LEN)))
        (then
          (local.set $answer_len (call $host_error_len))
          (call $host_error (i32.const 4096))
          (call $guest_error (i32.const 4096) (local.get $answer_len))
          (return (i32.const 0))))
      (local.set $answer_len (call $host_response_len))
      (call $host_response (i32.const 4096))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $again (local.get $left)))
    (call $guest_response (i32.const 4096) (local.get $answer_len))
    (i32.const 1)))
