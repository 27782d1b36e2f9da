;; Answers with its payload of up to 128 KiB.
(module
  (import "wapc" "__guest_request" (func $guest_request (param i32 i32)))
  (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
  (memory (export "memory") 3)
  (func (export "__guest_call") (param $operation_len i32) (param $payload_len i32) (result i32)
    (call $guest_request (i32.const 0) (i32.const 65536))
    (call $guest_response (i32.const 65536) (local.get $payload_len))
    (i32.const 1)))
