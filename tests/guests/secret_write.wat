;; Keeps the payload in each page of its 16 and answers `kept`; the next guest in this memory must
;; not find it.
(module
  (import "wapc" "__guest_request" (func $guest_request (param i32 i32)))
  (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
  (memory (export "memory") 16)
  (data (i32.const 0) "kept")
  (func (export "__guest_call") (param i32 i32) (result i32)
    (local $page i32)
    (loop $next
      (call $guest_request
        (i32.const 512) (i32.add (i32.const 4096) (i32.shl (local.get $page) (i32.const 16))))
      (local.set $page (i32.add (local.get $page) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $page) (i32.const 16))))
    (call $guest_response (i32.const 0) (i32.const 4))
    (i32.const 1)))
