;; Answers the payload of the call before, which it keeps in its memory, and how long that is in a global: tells what a
;; call finds of the last one. The payload `trap` traps and `spin` never ends, once they are kept.
(module
  (import "wapc" "__guest_request" (func $guest_request (param i32 i32)))
  (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
  (memory (export "memory") 2)
  (global $kept (mut i32) (i32.const 0))
  (func (export "__guest_call") (param i32) (param $len i32) (result i32)
    (call $guest_response (i32.const 4096) (global.get $kept))
    (call $guest_request (i32.const 0) (i32.const 4096))
    (global.set $kept (local.get $len))
    (if (i32.eq (local.get $len) (i32.const 4))
      (then
        ;; "trap" and "spin", read as little-endian numbers.
        (if (i32.eq (i32.load (i32.const 4096)) (i32.const 0x70617274)) (then (unreachable)))
        (if (i32.eq (i32.load (i32.const 4096)) (i32.const 0x6e697073))
          (then (loop $again (br $again))))))
    (i32.const 1)))
