;; Stores the payload (1 to 127 bytes) in the key-value store and answers what the store then holds:
;; one set and one get by protobuf. A host error becomes the guest's error.
(module
  (import "wapc" "__guest_request" (func $guest_request (param i32 i32)))
  (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
  (import "wapc" "__guest_error" (func $guest_error (param i32 i32)))
  (import "wapc" "__host_call"
    (func $host_call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wapc" "__host_response_len" (func $host_response_len (result i32)))
  (import "wapc" "__host_response" (func $host_response (param i32)))
  (import "wapc" "__host_error_len" (func $host_error_len (result i32)))
  (import "wapc" "__host_error" (func $host_error (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "tarmac" "kvstore" "get" "set")
  ;; KVStoreGet is field 1, the key; KVStoreSet goes on with field 2, the data, whose length is at
  ;; 39.
  (data (i32.const 32) "\0a\04" "test" "\12")

  (func $kvstore (param $operation i32) (param $message_len i32) (result i32)
    (call $host_call
      (i32.const 0) (i32.const 6) (i32.const 6) (i32.const 7) (local.get $operation) (i32.const 3)
      (i32.const 32) (local.get $message_len)))

  (func $fail (result i32)
    (call $host_error (i32.const 1024))
    (call $guest_error (i32.const 1024) (call $host_error_len))
    (i32.const 0))

  (func (export "__guest_call") (param $operation_len i32) (param $payload_len i32) (result i32)
    (call $guest_request (i32.const 512) (i32.const 40))
    (i32.store8 (i32.const 39) (local.get $payload_len))
    (if (i32.eqz
          (call $kvstore (i32.const 16) (i32.add (local.get $payload_len) (i32.const 8))))
      (then (return (call $fail))))
    (if (i32.eqz (call $kvstore (i32.const 13) (i32.const 6)))
      (then (return (call $fail))))
    ;; KVStoreGetResponse: 9 bytes of status {200, "OK"}, the tag of field 2, its length, the data.
    (call $host_response (i32.const 1024))
    (call $guest_response
      (i32.const 1035) (i32.sub (call $host_response_len) (i32.const 11)))
    (i32.const 1)))
