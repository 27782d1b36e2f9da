;; Answers the name of the operation that it was called with, a colon and the payload.
(module
  (import "wapc" "__guest_request" (func $guest_request (param i32 i32)))
  (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
  (memory (export "memory") 1)
  (func (export "__guest_call") (param $operation_len i32) (param $payload_len i32) (result i32)
    (local $colon i32)
    (local.set $colon (i32.add (i32.const 1024) (local.get $operation_len)))
    (call $guest_request (i32.const 1024) (i32.add (local.get $colon) (i32.const 1)))
    (i32.store8 (local.get $colon) (i32.const 0x3a))
    (call $guest_response
      (i32.const 1024)
      (i32.add (i32.add (local.get $operation_len) (i32.const 1)) (local.get $payload_len)))
    (i32.const 1)))
