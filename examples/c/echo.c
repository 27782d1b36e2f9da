/* Answers with what it was given, whatever the operation. */
#include "wapc.h"

WAPC_EXPORT("__guest_call") int32_t guest_call(size_t operation_len, size_t payload_len)
{
    uint8_t *payload = wapc_buffer(payload_len + operation_len);
    wapc_guest_request(payload + payload_len, payload);
    wapc_guest_response(payload, payload_len);
    return 1;
}
