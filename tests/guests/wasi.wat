;; Looks for what a guest must not have, through WASI preview 1, and answers a byte for each: the
;; error code of a write to standard error, the counts of arguments and environment variables, the
;; error code of asking for a preopened directory, of opening `/etc/passwd` below one, and of
;; reading standard input; then whether the clock runs and whether random bytes come, 1 each.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get"
    (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get"
    (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get"
    (func $fd_prestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get"
    (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "from stderr\n" "etc/passwd")
  ;; Two buffers: at 0, 12 bytes; at 512, 16 bytes.
  (data (i32.const 32) "\00\00\00\00" "\0c\00\00\00" "\00\02\00\00" "\10\00\00\00")
  (func (export "__guest_call") (param i32 i32) (result i32)
    (i32.store8 (i32.const 128)
      (call $fd_write (i32.const 2) (i32.const 32) (i32.const 1) (i32.const 64)))
    (drop (call $args_sizes_get (i32.const 64) (i32.const 68)))
    (i32.store8 (i32.const 129) (i32.load (i32.const 64)))
    (drop (call $environ_sizes_get (i32.const 64) (i32.const 68)))
    (i32.store8 (i32.const 130) (i32.load (i32.const 64)))
    (i32.store8 (i32.const 131) (call $fd_prestat_get (i32.const 3) (i32.const 64)))
    (i32.store8 (i32.const 132)
      (call $path_open
        (i32.const 3) (i32.const 0) (i32.const 12) (i32.const 10) (i32.const 0)
        (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 64)))
    (i32.store8 (i32.const 133)
      (call $fd_read (i32.const 0) (i32.const 40) (i32.const 1) (i32.const 64)))
    (drop (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 72)))
    (drop (call $clock_time_get (i32.const 0) (i64.const 1) (i32.const 80)))
    (i32.store8 (i32.const 134) (i64.ne (i64.load (i32.const 80)) (i64.const 0)))
    (drop (call $random_get (i32.const 256) (i32.const 64)))
    (i32.store8 (i32.const 135) (i64.ne (i64.load (i32.const 256)) (i64.load (i32.const 264))))
    (call $guest_response (i32.const 128) (i32.const 8))
    (i32.const 1)))
