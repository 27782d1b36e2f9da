;; Answers which of its start functions ran, in their order: the start section `0`, `_initialize`
;; `1`, `_start` `2`, `wapc_init` `3`.
(module
  (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
  (memory (export "memory") 1)
  (global $count (mut i32) (i32.const 0))
  (func $note (param $digit i32)
    (i32.store8 (global.get $count) (local.get $digit))
    (global.set $count (i32.add (global.get $count) (i32.const 1))))
  (func $start (call $note (i32.const 0x30)))
  (start $start)
  (func (export "wapc_init") (call $note (i32.const 0x33)))
  (func (export "_start") (call $note (i32.const 0x32)))
  (func (export "_initialize") (call $note (i32.const 0x31)))
  (func (export "__guest_call") (param i32 i32) (result i32)
    (call $guest_response (i32.const 0) (global.get $count))
    (i32.const 1)))
