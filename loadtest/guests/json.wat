;; A transform of JSON: answers with its payload, a JSON text of up to 64 KiB, without white space between tokens and with
;; the ASCII letters of all strings, names of members too, in upper case. Each byte is looked at once.
;; Memory: the payload at 0, the answer from 65536; the request's operation, which nobody reads, at 131072.
(module
  (import "wapc" "__guest_request" (func $guest_request (param i32 i32)))
  (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
  (memory (export "memory") 3)
  (func (export "__guest_call") (param $operation_len i32) (param $payload_len i32) (result i32)
    (local $in i32) (local $out i32) (local $byte i32) (local $in_string i32) (local $escaped i32)
    (call $guest_request (i32.const 131072) (i32.const 0))
    (local.set $out (i32.const 65536))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $in) (local.get $payload_len)))
        (local.set $byte (i32.load8_u (local.get $in)))
        (local.set $in (i32.add (local.get $in) (i32.const 1)))
        (if (local.get $in_string)
          (then
            (if (local.get $escaped)
              (then (local.set $escaped (i32.const 0)))
              (else
                (if (i32.eq (local.get $byte) (i32.const 92)) (then (local.set $escaped (i32.const 1))))
                (if (i32.eq (local.get $byte) (i32.const 34)) (then (local.set $in_string (i32.const 0))))
                (if
                  (i32.lt_u (i32.sub (local.get $byte) (i32.const 97)) (i32.const 26))
                  (then (local.set $byte (i32.sub (local.get $byte) (i32.const 32))))))))
          (else
            (br_if $next (i32.le_u (local.get $byte) (i32.const 32)))
            (local.set $in_string (i32.eq (local.get $byte) (i32.const 34)))))
        (i32.store8 (local.get $out) (local.get $byte))
        (local.set $out (i32.add (local.get $out) (i32.const 1)))
        (br $next)))
    (call $guest_response
      (i32.const 65536) (i32.sub (local.get $out) (i32.const 65536)))
    (i32.const 1)))
