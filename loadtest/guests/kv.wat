;; Hands its payload to kvstore/OPERATION as it is, and the host's answer or error back.
;; OPERATION stands for a verb of three letters, `get` or `set`, put in before compiling.
;; Memory: names at 0, the request's operation at 64, payload and answer from 4096 to 131072.
(module
  (import "wapc" "__guest_request" (func $guest_request (param i32 i32)))
  (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
  (import "wapc" "__guest_error" (func $guest_error (param i32 i32)))
  (import "wapc" "__host_call"
    (func $host_call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wapc" "__host_response_len" (func $host_response_len (result i32)))
  (import "wapc" "__host_response" (func $host_response (param i32)))
  (import "wapc" "__host_error_len" (func $host_error_len (result i32)))
  (import "wapc" "__host_error" (func $host_error (param i32)))
  (memory (export "memory") 2)
  (data (i32.const 0) "tarmackvstoreOPERATION")
  (func (export "__guest_call") (param $operation_len i32) (param $payload_len i32) (result i32)
    (local $answer_len i32)
    (call $guest_request (i32.const 64) (i32.const 4096))
    (if
      (i32.eqz
        (call $host_call
          (i32.const 0) (i32.const 6)
          (i32.const 6) (i32.const 7)
          (i32.const 13) (i32.const 3)
          (i32.const 4096) (local.get $payload_len)))
      (then
        (local.set $answer_len (call $host_error_len))
        (call $host_error (i32.const 4096))
        (call $guest_error (i32.const 4096) (local.get $answer_len))
        (return (i32.const 0))))
    (local.set $answer_len (call $host_response_len))
    (call $host_response (i32.const 4096))
    (call $guest_response (i32.const 4096) (local.get $answer_len))
    (i32.const 1)))
