/* BLOBHEADER of CryptoAPI: see blob_header.h. */
#include "blob/blob_header.h"

#include <inttypes.h>

struct header {
    uint8_t type, version;
    uint16_t reserved;
    uint32_t alg_id;
};

static struct header read_header(struct reader *reader)
{
    struct header header;

    header.type = reader_u8(reader);
    header.version = reader_u8(reader);
    header.reserved = reader_u16_le(reader);
    header.alg_id = reader_u32_le(reader);
    return header;
}

static int type_is_ours(uint8_t type)
{
    return type == BTYPE_SIMPLE || type == BTYPE_PLAINTEXT || type == BTYPE_OPAQUE;
}

int blob_header_is_ours(const uint8_t *data, size_t size)
{
    struct reader reader;
    struct header header;
    int version_is_right, reserved_is_right;

    reader_init(&reader, data, size);
    header = read_header(&reader);
    version_is_right = header.version == BLOB_HEADER_VERSION;
    reserved_is_right = header.reserved == 0;
    if (size >= 4 && type_is_ours(header.type) && version_is_right && reserved_is_right)
        return 1;
    return !reader.failed && key_algorithm_by_alg_id(header.alg_id) != NULL &&
           type_is_ours(header.type) + version_is_right + reserved_is_right >= 2;
}

void blob_header_write(struct writer *writer, uint8_t type, const struct key_algorithm *algorithm)
{
    writer_u8(writer, type);
    writer_u8(writer, BLOB_HEADER_VERSION);
    writer_u16(writer, 0);
    writer_u32_le(writer, algorithm->alg_id);
}

int blob_header_read(const struct provctx *provctx, struct reader *reader, uint8_t type,
                     const char *name, const struct key_algorithm **algorithm)
{
    const struct errors *errors = provctx->errors;
    struct header header = read_header(reader);

    if (reader->failed)
        return RAISE(errors, SCHANNEL_R_MALFORMED_BLOB,
                     "%s: ends inside its BLOBHEADER of %d bytes", name, BLOB_HEADER_SIZE);
    if (header.type != type)
        return RAISE(errors, SCHANNEL_R_UNKNOWN_BLOB_TYPE,
                     "%s: expected type %u in the BLOBHEADER, got %u", name, type, header.type);
    if (header.version != BLOB_HEADER_VERSION)
        return RAISE(errors, SCHANNEL_R_UNSUPPORTED_BLOB_VERSION,
                     "%s: expected version %d in the BLOBHEADER, got %u", name, BLOB_HEADER_VERSION,
                     header.version);
    if (header.reserved != 0)
        return RAISE(errors, SCHANNEL_R_MALFORMED_BLOB,
                     "%s: expected 0 in the reserved field of the BLOBHEADER, got %u", name,
                     header.reserved);
    *algorithm = key_algorithm_by_alg_id(header.alg_id);
    return *algorithm != NULL ||
           RAISE(errors, SCHANNEL_R_UNKNOWN_ALGORITHM,
                 "%s: ALG_ID 0x%08" PRIx32 " is none of a key that such a blob can hold", name,
                 header.alg_id);
}
