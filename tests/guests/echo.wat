;; Answers with the payload, whatever the operation; grows its memory when the payload needs more.
(module
  (import "wapc" "__guest_request" (func $guest_request (param i32 i32)))
  (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
  (memory (export "memory") 1)
  (func (export "__guest_call") (param $operation_len i32) (param $payload_len i32) (result i32)
    (local $payload i32) (local $end i32)
    (local.set $payload (i32.add (i32.const 1024) (local.get $operation_len)))
    (local.set $end (i32.add (local.get $payload) (local.get $payload_len)))
    (if (i32.lt_u (i32.shl (memory.size) (i32.const 16)) (local.get $end))
      (then (drop (memory.grow (i32.shr_u (local.get $end) (i32.const 16))))))
    (call $guest_request (i32.const 1024) (local.get $payload))
    (call $guest_response (local.get $payload) (local.get $payload_len))
    (i32.const 1)))
