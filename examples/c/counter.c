/* Counts its calls in the key-value store and answers with the number of this one, whatever the
 * operation.
 *
 * Reading, adding one and writing back are three steps: calls at the same time can read the same
 * number, and then one increment is lost. */
#include "wapc.h"

/* A message's fields are a tag (number << 3 | 2), a length and that many bytes. No length here
 * reaches 128, so each takes one byte. */
enum { TAG_KEY = 0x0a, TAG_DATA = 0x12 };

static const uint8_t get_request[] = {TAG_KEY, 7, 'c', 'o', 'u', 'n', 't', 'e', 'r'};

/* How the host's error ends when the key has no value: its text is all that a guest gets of it. */
static const char absent[] = "nil value returned from database";

static int32_t kvstore(const char *operation, const void *request, size_t request_len)
{
    return wapc_host_call("tarmac", 6, "kvstore", 7, operation, 3, request, request_len);
}

static int32_t fail(const char *text, size_t len)
{
    wapc_guest_error(text, len);
    return 0;
}

static int ends_with_absent(const uint8_t *text, size_t len)
{
    const size_t absent_len = sizeof absent - 1;
    if (len < absent_len)
        return 0;
    for (size_t i = 0; i < absent_len; i++)
        if (text[len - absent_len + i] != (uint8_t)absent[i])
            return 0;
    return 1;
}

/* Reads the digits of field 2 of the host's answer into `number`, and returns whether there are any
 * and nothing else. */
static int parse_answer(const uint8_t *answer, size_t len, uint64_t *number)
{
    const uint8_t *at = answer, *end = answer + len;
    while (end - at >= 2 && at[0] != TAG_DATA)
        at += at[1] < end - at - 2 ? 2 + at[1] : end - at;
    if (end - at < 3 || at[1] != end - at - 2 || at[1] > 19)
        return 0;
    *number = 0;
    for (at += 2; at < end; at++) {
        if (*at < '0' || *at > '9')
            return 0;
        *number = *number * 10 + (*at - '0');
    }
    return 1;
}

/* Writes `number` in decimal so that it ends before `end`, and returns where it begins. */
static uint8_t *format(uint64_t number, uint8_t *end)
{
    do {
        *--end = '0' + number % 10;
        number /= 10;
    } while (number != 0);
    return end;
}

/* Stores the digits from `digits` to `end` and answers with them. */
static int32_t store(const uint8_t *digits, const uint8_t *end)
{
    uint8_t request[sizeof get_request + 2 + 20];
    size_t len = 0;
    for (; len < sizeof get_request; len++)
        request[len] = get_request[len];
    request[len++] = TAG_DATA;
    request[len++] = (uint8_t)(end - digits);
    for (const uint8_t *at = digits; at < end; at++)
        request[len++] = *at;
    if (!kvstore("set", request, len)) {
        uint8_t *text = wapc_buffer(wapc_host_error_len());
        wapc_host_error(text);
        return fail((const char *)text, wapc_host_error_len());
    }
    wapc_guest_response(digits, (size_t)(end - digits));
    return 1;
}

WAPC_EXPORT("__guest_call") int32_t guest_call(size_t operation_len, size_t payload_len)
{
    static const char not_a_number[] = "the stored value is not a number";
    uint64_t number = 0;
    (void)operation_len;
    (void)payload_len;
    if (kvstore("get", get_request, sizeof get_request)) {
        size_t len = wapc_host_response_len();
        uint8_t *answer = wapc_buffer(len);
        wapc_host_response(answer);
        if (!parse_answer(answer, len, &number))
            return fail(not_a_number, sizeof not_a_number - 1);
    } else {
        size_t len = wapc_host_error_len();
        uint8_t *text = wapc_buffer(len);
        wapc_host_error(text);
        if (!ends_with_absent(text, len))
            return fail((const char *)text, len);
    }
    uint8_t digits[20], *end = digits + sizeof digits;
    return store(format(number + 1, end), end);
}
