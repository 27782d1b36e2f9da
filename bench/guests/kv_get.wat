;; Gives its payload, a KVStoreGet, to tarmac/kvstore/get CALLS times and answers with the last answer.
(module
  (import "wapc" "__guest_request" (func $request (param i32 i32)))
  (import "wapc" "__guest_response" (func $answer (param i32 i32)))
  (import "wapc" "__host_call"
    (func $host_call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wapc" "__host_response_len" (func $host_answer_len (result i32)))
  (import "wapc" "__host_response" (func $host_answer (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "tarmackvstoreget")
  (func (export "__guest_call") (param $operation_len i32) (param $payload_len i32) (result i32)
    (local $left i32)
    (call $request (i32.const 64) (i32.const 1024))
    (local.set $left (i32.const CALLS))
    (loop $again
      (if (i32.eqz (call $host_call
            (i32.const 0) (i32.const 6) (i32.const 6) (i32.const 7) (i32.const 13) (i32.const 3)
            (i32.const 1024) (local.get $payload_len)))
        (then (return (i32.const 0))))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $again (local.get $left)))
    (call $host_answer (i32.const 2048))
    (call $answer (i32.const 2048) (call $host_answer_len))
    (i32.const 1)))
