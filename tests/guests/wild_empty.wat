;; Hands the host empty ranges at 0xffffffff everywhere it can, as guests with empty slices do: none
;; is a fault. Is to be called with an empty payload; answers with an empty one. The host call asks
;; for the function `echo` with nothing.
(module
  (import "wapc" "__guest_request" (func $guest_request (param i32 i32)))
  (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
  (import "wapc" "__guest_error" (func $guest_error (param i32 i32)))
  (import "wapc" "__host_call"
    (func $host_call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wapc" "__host_response" (func $host_response (param i32)))
  (import "wapc" "__host_error" (func $host_error (param i32)))
  (import "wapc" "__console_log" (func $console_log (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "tarmac" "function" "echo")
  (func (export "__guest_call") (param i32 i32) (result i32)
    (call $guest_request (i32.const 512) (i32.const -1))
    (drop (call $host_call
      (i32.const 0) (i32.const 6) (i32.const 6) (i32.const 8) (i32.const 14) (i32.const 4)
      (i32.const -1) (i32.const 0)))
    (call $host_response (i32.const -1))
    (call $host_error (i32.const -1))
    (call $console_log (i32.const -1) (i32.const 0))
    (call $guest_error (i32.const -1) (i32.const 0))
    (call $guest_response (i32.const -1) (i32.const 0))
    (i32.const 1)))
