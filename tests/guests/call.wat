;; Makes the host call that the payload names, `BINDING\nNAMESPACE\nOPERATION\nPAYLOAD`, and answers
;; `1` and the host's response, or `0`, the host's error, a line feed and the host's response.
(module
  (import "wapc" "__guest_request" (func $guest_request (param i32 i32)))
  (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
  (import "wapc" "__host_call"
    (func $host_call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wapc" "__host_response_len" (func $host_response_len (result i32)))
  (import "wapc" "__host_response" (func $host_response (param i32)))
  (import "wapc" "__host_error_len" (func $host_error_len (result i32)))
  (import "wapc" "__host_error" (func $host_error (param i32)))
  ;; It grows as payloads and answers need it.
  (memory (export "memory") 1)

  ;; Has the memory reach $end; traps if it may not grow so far.
  (func $reach (param $end i32)
    (local $missing i32)
    (local.set $missing
      (i32.sub
        (i32.add (i32.shr_u (local.get $end) (i32.const 16)) (i32.const 1))
        (memory.size)))
    (if (i32.gt_s (local.get $missing) (i32.const 0))
      (then
        (if (i32.eq (memory.grow (local.get $missing)) (i32.const -1))
          (then (unreachable))))))

  ;; The address of the first line feed at or after $from.
  (func $line_end (param $from i32) (result i32)
    (block $found
      (loop $next
        (br_if $found (i32.eq (i32.load8_u (local.get $from)) (i32.const 0x0a)))
        (local.set $from (i32.add (local.get $from) (i32.const 1)))
        (br $next)))
    (local.get $from))

  ;; Appends the host's response at $to and gives the end of it.
  (func $append_response (param $to i32) (result i32)
    (call $reach (i32.add (local.get $to) (call $host_response_len)))
    (call $host_response (local.get $to))
    (i32.add (local.get $to) (call $host_response_len)))

  (func (export "__guest_call") (param $operation_len i32) (param $payload_len i32) (result i32)
    (local $binding i32) (local $namespace i32) (local $operation i32) (local $payload i32)
    (local $answer i32) (local $end i32)
    (local.set $binding (i32.add (i32.const 1024) (local.get $operation_len)))
    (local.set $answer (i32.add (local.get $binding) (local.get $payload_len)))
    (call $reach (local.get $answer))
    (call $guest_request (i32.const 1024) (local.get $binding))
    (local.set $namespace (i32.add (call $line_end (local.get $binding)) (i32.const 1)))
    (local.set $operation (i32.add (call $line_end (local.get $namespace)) (i32.const 1)))
    (local.set $payload (i32.add (call $line_end (local.get $operation)) (i32.const 1)))
    (local.set $end (i32.add (local.get $answer) (i32.const 1)))
    (if (call $host_call
          (local.get $binding)
          (i32.sub (i32.sub (local.get $namespace) (local.get $binding)) (i32.const 1))
          (local.get $namespace)
          (i32.sub (i32.sub (local.get $operation) (local.get $namespace)) (i32.const 1))
          (local.get $operation)
          (i32.sub (i32.sub (local.get $payload) (local.get $operation)) (i32.const 1))
          (local.get $payload)
          (i32.sub (local.get $answer) (local.get $payload)))
      (then
        (i32.store8 (local.get $answer) (i32.const 0x31)))
      (else
        (i32.store8 (local.get $answer) (i32.const 0x30))
        (call $reach (i32.add (local.get $end) (call $host_error_len)))
        (call $host_error (local.get $end))
        (local.set $end (i32.add (local.get $end) (call $host_error_len)))
        (i32.store8 (local.get $end) (i32.const 0x0a))
        (local.set $end (i32.add (local.get $end) (i32.const 1)))))
    (local.set $end (call $append_response (local.get $end)))
    (call $guest_response
      (local.get $answer) (i32.sub (local.get $end) (local.get $answer)))
    (i32.const 1)))
