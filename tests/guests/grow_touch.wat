;; Grows its memory a page at a time and writes to all of it; traps when it gets no more, as
;; allocators do.
(module
  (memory (export "memory") 1)
  (func (export "__guest_call") (param i32 i32) (result i32)
    (local $page i32)
    (loop $more
      (local.set $page (memory.grow (i32.const 1)))
      (if (i32.ne (local.get $page) (i32.const -1))
        (then
          (memory.fill
            (i32.shl (local.get $page) (i32.const 16)) (i32.const 0x78) (i32.const 65536))
          (br $more))))
    unreachable))
