;; Answers whether a host response and a host error are there before it has made a host call (`00`
;; when neither is), then makes one that fails: the next invocation must not see what this one left.
(module
  (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
  (import "wapc" "__host_call"
    (func $host_call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wapc" "__host_response_len" (func $host_response_len (result i32)))
  (import "wapc" "__host_error_len" (func $host_error_len (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "tarmac" "no such capability")
  (func (export "__guest_call") (param i32 i32) (result i32)
    (i32.store8 (i32.const 64)
      (i32.add (i32.const 0x30) (i32.ne (call $host_response_len) (i32.const 0))))
    (i32.store8 (i32.const 65)
      (i32.add (i32.const 0x30) (i32.ne (call $host_error_len) (i32.const 0))))
    (drop (call $host_call
      (i32.const 0) (i32.const 6) (i32.const 6) (i32.const 18) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0)))
    (call $guest_response (i32.const 64) (i32.const 2))
    (i32.const 1)))
