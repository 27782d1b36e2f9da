;; Counts itself in the metrics `guest_calls` (counter), `guest_level` (gauge, inc) and `guest_size`
;; (histogram, 1.5). Answers one digit per host call, 1 where the host took it.
(module
  (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
  (import "wapc" "__host_call"
    (func $host_call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "tarmac" "metrics" "counter" "gauge" "histogram")
  (data (i32.const 64) "\0a\0b" "guest_calls")
  (data (i32.const 96) "\0a\0b" "guest_level" "\12\03" "inc")
  (data (i32.const 128) "\0a\0a" "guest_size" "\11\00\00\00\00\00\00\f8\3f")
  (func $metrics
    (param $digit i32) (param $operation i32) (param $operation_len i32)
    (param $message i32) (param $message_len i32)
    (i32.store8 (local.get $digit) (i32.add (i32.const 0x30)
      (call $host_call
        (i32.const 0) (i32.const 6) (i32.const 6) (i32.const 7)
        (local.get $operation) (local.get $operation_len)
        (local.get $message) (local.get $message_len)))))
  (func (export "__guest_call") (param i32 i32) (result i32)
    (call $metrics (i32.const 200) (i32.const 13) (i32.const 7) (i32.const 64) (i32.const 13))
    (call $metrics (i32.const 201) (i32.const 20) (i32.const 5) (i32.const 96) (i32.const 18))
    (call $metrics (i32.const 202) (i32.const 25) (i32.const 9) (i32.const 128) (i32.const 21))
    (call $guest_response (i32.const 200) (i32.const 3))
    (i32.const 1)))
