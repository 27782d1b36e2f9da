;; Exits with code 0 in the middle of an invocation: that invocation has no answer.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (func (export "__guest_call") (param i32 i32) (result i32)
    (call $proc_exit (i32.const 0))
    unreachable))
