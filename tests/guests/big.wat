;; Answers as many bytes `x` as the payload says in decimal digits, 1 MiB when it is empty.
(module
  (import "wapc" "__guest_request" (func $guest_request (param i32 i32)))
  (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
  (memory (export "memory") 1)
  (func (export "__guest_call") (param $operation_len i32) (param $payload_len i32) (result i32)
    (local $len i32) (local $digit i32)
    (call $guest_request (i32.const 512) (i32.const 1024))
    (if (i32.eqz (local.get $payload_len))
      (then (local.set $len (i32.const 1048576)))
      (else
        (loop $next
          (local.set $len (i32.add
            (i32.mul (local.get $len) (i32.const 10))
            (i32.sub
              (i32.load8_u (i32.add (i32.const 1024) (local.get $digit))) (i32.const 0x30))))
          (local.set $digit (i32.add (local.get $digit) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $digit) (local.get $payload_len))))))
    ;; Room for the answer, which starts at 0, and to spare.
    (if (i32.lt_u (i32.shl (memory.size) (i32.const 16)) (local.get $len))
      (then (drop (memory.grow (i32.shr_u (local.get $len) (i32.const 16))))))
    (memory.fill (i32.const 0) (i32.const 0x78) (local.get $len))
    (call $guest_response (i32.const 0) (local.get $len))
    (i32.const 1)))
