;; Writes one byte to each of PAGES pages of 4 KiB, which the kernel must make or the host reset for
;; a fresh instance, then answers with the body that the peers answer too.
(module
  (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
  (memory (export "memory") 2)
  (data (i32.const 0) "Hello, World!")
  (func (export "__guest_call") (param $operation_len i32) (param $payload_len i32) (result i32)
    (local $page i32)
    (block $done
      (loop $next
        (br_if $done (i32.eq (local.get $page) (i32.const PAGES)))
        (i32.store8
          (i32.add (i32.shl (local.get $page) (i32.const 12)) (i32.const 2048)) (i32.const 1))
        (local.set $page (i32.add (local.get $page) (i32.const 1)))
        (br $next)))
    (call $guest_response (i32.const 0) (i32.const 13))
    (i32.const 1)))
