/*
 * The clear header of an opaque blob: layout in opaque.h.  Called by blob/opaque and
 * store/listing.
 */
#ifndef SCHANNEL_BLOB_OPAQUE_HEADER_H
#define SCHANNEL_BLOB_OPAQUE_HEADER_H

#include "blob/cursor.h"
#include "blob/moment.h"
#include "blob/seal.h"
#include "key/algorithm.h"
#include "key/options.h"
#include "provctx.h"

#define OPAQUE_FORMAT_VERSION 1
#define OPAQUE_AUDIENCE_SIZE  32
/* With the length of what is sealed. */
#define OPAQUE_HEADER_MAX_SIZE (58 + 1 + OPAQUE_AUDIENCE_SIZE + 4)

struct opaque_header {
    enum blob_mode mode;
    uint8_t is_exportable, has_passphrase, has_audience;
    const struct key_algorithm *algorithm;
    enum key_protocol protocol;
    enum key_usage usage;
    uint64_t created, not_after; /* seconds since 1970; not_after 0: does not expire */
    uint8_t sealing_key_id[SEALING_KEY_ID_SIZE];
    uint8_t blob_id[SEAL_SALT_SIZE];
    uint8_t audience[OPAQUE_AUDIENCE_SIZE];
    uint32_t iterations;
    size_t sealed_size;
};

/* How long the header is. */
size_t opaque_header_size(const struct opaque_header *header);
void opaque_header_write(struct writer *writer, const struct opaque_header *header);
/*
 * Reads the header of |blob| and checks that what is sealed fills the rest.  1 with *header and
 * *size, the header's own, or 0 with a reason raised.
 */
int opaque_header_read(const struct provctx *provctx, struct octets blob,
                       struct opaque_header *header, size_t *size);

/* SHA-256("schannel audience" || blob_id || audience).  1, or 0 with a reason raised. */
int opaque_header_audience(const struct provctx *provctx, const struct opaque_header *header,
                           const char *audience, uint8_t hash[OPAQUE_AUDIENCE_SIZE]);

#endif
