;; Traps when its payload is not empty, else answers how often this instance has been called, as one
;; digit: shows that a trapped instance is not used again.
(module
  (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
  (memory (export "memory") 1)
  (global $calls (mut i32) (i32.const 0))
  (func (export "__guest_call") (param $operation_len i32) (param $payload_len i32) (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (if (local.get $payload_len) (then unreachable))
    (i32.store8 (i32.const 0)
      (i32.add (i32.const 0x30) (i32.rem_u (global.get $calls) (i32.const 10))))
    (call $guest_response (i32.const 0) (i32.const 1))
    (i32.const 1)))
