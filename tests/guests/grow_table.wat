;; Grows a table a thousand elements at a time; traps when it gets no more.
(module
  (memory (export "memory") 1)
  (table $table 0 funcref)
  (func (export "__guest_call") (param i32 i32) (result i32)
    (loop $more
      (br_if $more
        (i32.ne (table.grow $table (ref.null func) (i32.const 1000)) (i32.const -1))))
    unreachable))
