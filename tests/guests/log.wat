;; Logs the payload three ways: `logger/info`, `logging/Info` (the spelling of Tarmac's newer SDK)
;; and `__console_log`. Answers one digit per host call, 1 where the host took it.
(module
  (import "wapc" "__guest_request" (func $guest_request (param i32 i32)))
  (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
  (import "wapc" "__console_log" (func $console_log (param i32 i32)))
  (import "wapc" "__host_call"
    (func $host_call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "tarmac" "logger" "info" "logging" "Info")
  (func (export "__guest_call") (param $operation_len i32) (param $payload_len i32) (result i32)
    (call $guest_request (i32.const 512) (i32.const 1024))
    (i32.store8 (i32.const 64) (i32.add (i32.const 0x30)
      (call $host_call
        (i32.const 0) (i32.const 6) (i32.const 6) (i32.const 6) (i32.const 12) (i32.const 4)
        (i32.const 1024) (local.get $payload_len))))
    (i32.store8 (i32.const 65) (i32.add (i32.const 0x30)
      (call $host_call
        (i32.const 0) (i32.const 6) (i32.const 16) (i32.const 7) (i32.const 23) (i32.const 4)
        (i32.const 1024) (local.get $payload_len))))
    (call $console_log (i32.const 1024) (local.get $payload_len))
    (call $guest_response (i32.const 64) (i32.const 2))
    (i32.const 1)))
