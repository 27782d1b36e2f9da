;; Calls the function named `recurse`, itself when so deployed, without end: the host's depth limit
;; is what stops it. Answers what the callee answered; a host error becomes the guest's error.
(module
  (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
  (import "wapc" "__guest_error" (func $guest_error (param i32 i32)))
  (import "wapc" "__host_call"
    (func $host_call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wapc" "__host_response_len" (func $host_response_len (result i32)))
  (import "wapc" "__host_response" (func $host_response (param i32)))
  (import "wapc" "__host_error_len" (func $host_error_len (result i32)))
  (import "wapc" "__host_error" (func $host_error (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "tarmac" "function" "recurse")
  (func (export "__guest_call") (param i32 i32) (result i32)
    (if (result i32)
      (call $host_call
        (i32.const 0) (i32.const 6) (i32.const 6) (i32.const 8) (i32.const 14) (i32.const 7)
        (i32.const 0) (i32.const 0))
      (then
        (call $host_response (i32.const 1024))
        (call $guest_response (i32.const 1024) (call $host_response_len))
        (i32.const 1))
      (else
        (call $host_error (i32.const 1024))
        (call $guest_error (i32.const 1024) (call $host_error_len))
        (i32.const 0)))))
