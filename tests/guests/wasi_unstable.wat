;; Writes a line to standard output through the older name of WASI and answers `0`, the error code,
;; and the number of bytes written, 0x0c.
(module
  (import "wasi_unstable" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "from stdout\n")
  ;; One buffer: at 0, 12 bytes.
  (data (i32.const 16) "\00\00\00\00" "\0c\00\00\00")
  (func (export "__guest_call") (param i32 i32) (result i32)
    (i32.store8 (i32.const 35) (i32.add (i32.const 0x30)
      (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 36))))
    (call $guest_response (i32.const 35) (i32.const 2))
    (i32.const 1)))
