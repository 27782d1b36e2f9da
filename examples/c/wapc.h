/* The guest's side of the waPC protocol: what a function imports, and a buffer for what the host
 * writes. All of it fits a function without libc. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define WAPC_IMPORT(name) __attribute__((import_module("wapc"), import_name(name)))
#define WAPC_EXPORT(name) __attribute__((export_name(name)))

WAPC_IMPORT("__guest_request") void wapc_guest_request(void *operation, void *payload);
WAPC_IMPORT("__guest_response") void wapc_guest_response(const void *answer, size_t len);
WAPC_IMPORT("__guest_error") void wapc_guest_error(const void *text, size_t len);
/* 1 when the host answered, 0 when it failed. */
WAPC_IMPORT("__host_call")
int32_t wapc_host_call(const char *binding, size_t binding_len, const char *name_space,
                       size_t name_space_len, const char *operation, size_t operation_len,
                       const void *payload, size_t payload_len);
WAPC_IMPORT("__host_response_len") size_t wapc_host_response_len(void);
WAPC_IMPORT("__host_response") void wapc_host_response(void *answer);
WAPC_IMPORT("__host_error_len") size_t wapc_host_error_len(void);
WAPC_IMPORT("__host_error") void wapc_host_error(void *text);

/* Where the linker's own data ends and free memory begins. */
extern uint8_t __heap_base[];

/* The one buffer, at least `len` bytes long: the memory grows when it has to, or else it traps. */
static inline uint8_t *wapc_buffer(size_t len)
{
    const uint64_t page = 65536;
    uint64_t end = (uint64_t)(uintptr_t)__heap_base + len;
    uint64_t have = (uint64_t)__builtin_wasm_memory_size(0) * page;
    if (end > have) {
        size_t more = (size_t)((end - have + page - 1) / page);
        if (__builtin_wasm_memory_grow(0, more) == SIZE_MAX)
            __builtin_trap();
    }
    return __heap_base;
}
