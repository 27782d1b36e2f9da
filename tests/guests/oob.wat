;; Hands the host a range that is not all in its memory (one page). The payload is three letters:
;; which import and argument (a to k, below), how the range is wrong (`o` an end beyond the memory,
;; `w` an end that wraps past 2^32), and any third, as the payload has to be longer than the two
;; bytes that are left at 65534.
(module
  (import "wapc" "__guest_request" (func $guest_request (param i32 i32)))
  (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
  (import "wapc" "__guest_error" (func $guest_error (param i32 i32)))
  (import "wapc" "__host_call"
    (func $host_call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wapc" "__host_response" (func $host_response (param i32)))
  (import "wapc" "__host_error" (func $host_error (param i32)))
  (import "wapc" "__console_log" (func $console_log (param i32 i32)))
  (memory (export "memory") 1 1)
  (data (i32.const 0) "tarmac" "function" "echo" "none")

  ;; A host call whose range number $wrong, of binding, namespace, operation and payload, is the
  ;; wrong one.
  (func $wrong_call (param $wrong i32) (param $at i32) (param $len i32)
    (drop (call $host_call
      (select (local.get $at) (i32.const 0) (i32.eq (local.get $wrong) (i32.const 0)))
      (select (local.get $len) (i32.const 6) (i32.eq (local.get $wrong) (i32.const 0)))
      (select (local.get $at) (i32.const 6) (i32.eq (local.get $wrong) (i32.const 1)))
      (select (local.get $len) (i32.const 8) (i32.eq (local.get $wrong) (i32.const 1)))
      (select (local.get $at) (i32.const 14) (i32.eq (local.get $wrong) (i32.const 2)))
      (select (local.get $len) (i32.const 4) (i32.eq (local.get $wrong) (i32.const 2)))
      (select (local.get $at) (i32.const 0) (i32.eq (local.get $wrong) (i32.const 3)))
      (select (local.get $len) (i32.const 4) (i32.eq (local.get $wrong) (i32.const 3))))))

  ;; A host call that succeeds, with 4 bytes (`tarm`) of payload, or that fails.
  (func $right_call (param $operation i32)
    (drop (call $host_call
      (i32.const 0) (i32.const 6) (i32.const 6) (i32.const 8) (local.get $operation) (i32.const 4)
      (i32.const 0) (i32.const 4))))

  (func (export "__guest_call") (param i32 i32) (result i32)
    (local $at i32) (local $len i32) (local $import i32)
    (call $guest_request (i32.const 512) (i32.const 1024))
    (local.set $import (i32.load8_u (i32.const 1024)))
    (local.set $at (i32.const 65534))
    (local.set $len (i32.const 3))
    (if (i32.eq (i32.load8_u (i32.const 1025)) (i32.const 0x77))
      (then
        (local.set $at (i32.const 0xfffffffe))
        (local.set $len (i32.const 4))))
    (block $request_operation (block $request_payload (block $response (block $error
    (block $binding (block $namespace (block $operation (block $payload
    (block $host_response (block $host_error (block $log
      (br_table
        $request_operation $request_payload $response $error $binding $namespace $operation $payload
        $host_response $host_error $log
        (i32.sub (local.get $import) (i32.const 0x61))))
    ;; k
      (call $console_log (local.get $at) (local.get $len)) (return (i32.const 1)))
    ;; j
      (call $right_call (i32.const 18)) (call $host_error (local.get $at))
      (return (i32.const 1)))
    ;; i
      (call $right_call (i32.const 14)) (call $host_response (local.get $at))
      (return (i32.const 1)))
    ;; h, g, f, e
      (call $wrong_call (i32.const 3) (local.get $at) (local.get $len)) (return (i32.const 1)))
      (call $wrong_call (i32.const 2) (local.get $at) (local.get $len)) (return (i32.const 1)))
      (call $wrong_call (i32.const 1) (local.get $at) (local.get $len)) (return (i32.const 1)))
      (call $wrong_call (i32.const 0) (local.get $at) (local.get $len)) (return (i32.const 1)))
    ;; d, c
      (call $guest_error (local.get $at) (local.get $len)) (return (i32.const 1)))
      (call $guest_response (local.get $at) (local.get $len)) (return (i32.const 1)))
    ;; b
      (call $guest_request (i32.const 512) (local.get $at)) (return (i32.const 1)))
    ;; a
    (call $guest_request (local.get $at) (i32.const 1024))
    (i32.const 1)))
