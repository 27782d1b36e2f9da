;; Grows its memory by 1 MiB at a time and writes to all of it; traps when it gets no more, as
;; the allocators of guest languages do.
(module
  (memory (export "memory") 1)
  (func (export "__guest_call") (param $operation_len i32) (param $payload_len i32) (result i32)
    (local $first_page i32)
    (loop $again
      (local.set $first_page (memory.grow (i32.const 16)))
      (if (i32.eq (local.get $first_page) (i32.const -1)) (then (unreachable)))
      (memory.fill
        (i32.shl (local.get $first_page) (i32.const 16))
        (i32.const 1)
        (i32.const 1048576))
      (br $again))
    (unreachable)))
