;; Fails with the payload as its error text.
(module
  (import "wapc" "__guest_request" (func $guest_request (param i32 i32)))
  (import "wapc" "__guest_error" (func $guest_error (param i32 i32)))
  (memory (export "memory") 1)
  (func (export "__guest_call") (param $operation_len i32) (param $payload_len i32) (result i32)
    (call $guest_request (i32.const 512) (i32.const 1024))
    (call $guest_error (i32.const 1024) (local.get $payload_len))
    (i32.const 0)))
