/* What the header says of a payload: see payload_head.h. */
#include "payload_head.h"

#define FLAG_TRANSFER   1
#define FLAG_EXPORTABLE 2

static const unsigned algorithms[] = { 1, 2, 3, 4, 17, 18, 19, 20, 21, 22, 23, 24, 33, 34, 35, 36 };

static enum key_usage usage_of(const struct key_algorithm *algorithm, unsigned number)
{
    const enum key_usage usage = (enum key_usage)(number % 5);

    if (algorithm->kind == KEY_KIND_MASTER ||
        key_usage_is_mac(usage) != (algorithm->kind == KEY_KIND_MAC))
        return KEY_USAGE_NONE;
    return usage;
}

void payload_head_take(struct fuzz_input *input, struct opaque_header *header)
{
    const unsigned algorithm = fuzz_u8(input) % (sizeof(algorithms) / sizeof(algorithms[0]));
    const unsigned protocol = fuzz_u8(input), usage = fuzz_u8(input), flags = fuzz_u8(input);

    *header = (struct opaque_header){ .algorithm = key_algorithm_by_id(algorithms[algorithm]) };
    header->protocol = header->algorithm->protocol != KEY_PROTOCOL_NONE
                           ? header->algorithm->protocol
                           : (enum key_protocol)(protocol % 5);
    header->usage = usage_of(header->algorithm, usage);
    header->mode = (flags & FLAG_TRANSFER) != 0 ? BLOB_MODE_TRANSFER : BLOB_MODE_SNAPSHOT;
    header->is_exportable = (flags & FLAG_EXPORTABLE) != 0;
}
