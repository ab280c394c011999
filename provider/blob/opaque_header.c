/* The clear header of an opaque blob: see opaque_header.h. */
#include "blob/opaque_header.h"

#include <inttypes.h>
#include <string.h>
#include <openssl/evp.h>
#include "blob/blob_header.h"
#include "blob/opaque.h"
#include "blob/passphrase.h"

#define FLAG_EXPORTABLE 1
#define FLAG_PASSPHRASE 2
#define MAX_SEALED_SIZE (OPAQUE_BLOB_MAX_SIZE - OPAQUE_HEADER_MAX_SIZE)

int opaque_blob_is_ours(const uint8_t *data, size_t size)
{
    static const uint8_t start[] = { BTYPE_OPAQUE, BLOB_HEADER_VERSION, 0, 0 };

    return size >= sizeof(start) && memcmp(data, start, sizeof(start)) == 0;
}

size_t opaque_header_size(const struct opaque_header *header)
{
    struct writer counter;

    writer_init_counting(&counter);
    opaque_header_write(&counter, header);
    return counter.position;
}

void opaque_header_write(struct writer *writer, const struct opaque_header *header)
{
    struct octets audience = { header->audience, header->has_audience ? OPAQUE_AUDIENCE_SIZE : 0 };

    blob_header_write(writer, BTYPE_OPAQUE, header->algorithm);
    writer_u8(writer, OPAQUE_FORMAT_VERSION);
    writer_u8(writer, (uint8_t)header->mode);
    writer_u8(writer, (uint8_t)((header->is_exportable ? FLAG_EXPORTABLE : 0) |
                                (header->has_passphrase ? FLAG_PASSPHRASE : 0)));
    writer_u8(writer, (uint8_t)header->algorithm->kind);
    writer_u8(writer, (uint8_t)header->algorithm->id);
    writer_u8(writer, (uint8_t)header->protocol);
    writer_u8(writer, (uint8_t)header->usage);
    writer_u8(writer, 0);
    writer_u64(writer, header->created);
    writer_u64(writer, header->not_after);
    writer_copy(writer, header->sealing_key_id, sizeof(header->sealing_key_id));
    writer_copy(writer, header->blob_id, sizeof(header->blob_id));
    writer_vector8(writer, audience);
    if (header->has_passphrase)
        writer_u32(writer, header->iterations);
    writer_u16(writer, (uint16_t)header->sealed_size);
}

/* ---- reading ---- */

static int malformed(const struct provctx *provctx, const char *what)
{
    return RAISE(provctx->errors, SCHANNEL_R_MALFORMED_BLOB, "opaque blob: %s", what);
}

/* The fields that say what kind of key is inside have to fit each other. */
static int check_algorithm(const struct provctx *provctx, struct opaque_header *header,
                           uint32_t alg_id, const uint8_t fields[4])
{
    uint8_t kind = fields[0], algorithm = fields[1], protocol = fields[2], usage = fields[3];

    header->algorithm = key_algorithm_by_id(algorithm);
    if (header->algorithm == NULL)
        return RAISE(provctx->errors, SCHANNEL_R_UNKNOWN_ALGORITHM,
                     "opaque blob: algorithm %u (ALG_ID 0x%08" PRIx32 ") is not known", algorithm,
                     alg_id);
    if (header->algorithm->alg_id != alg_id)
        return RAISE(provctx->errors, SCHANNEL_R_UNKNOWN_ALGORITHM,
                     "opaque blob: ALG_ID 0x%08" PRIx32 " does not fit a %s key", alg_id,
                     header->algorithm->name);
    if (kind != (uint8_t)header->algorithm->kind)
        return malformed(provctx, "the kind does not fit the algorithm");
    if (protocol > KEY_PROTOCOL_TLS1)
        return malformed(provctx, "the protocol is not known");
    if (usage > KEY_USAGE_SERVER_WRITE_MAC)
        return malformed(provctx, "the usage is not known");
    header->protocol = (enum key_protocol)protocol;
    header->usage = (enum key_usage)usage;
    if (header->algorithm->protocol != KEY_PROTOCOL_NONE &&
        header->algorithm->protocol != header->protocol)
        return malformed(provctx, "the protocol does not fit the algorithm");
    if (header->usage != KEY_USAGE_NONE &&
        (header->algorithm->kind == KEY_KIND_MASTER ||
         key_usage_is_mac(header->usage) != (header->algorithm->kind == KEY_KIND_MAC)))
        return malformed(provctx, "the usage does not fit the algorithm");
    return 1;
}

static int check_mode(const struct provctx *provctx, struct opaque_header *header, uint8_t mode,
                      uint8_t flags)
{
    if (mode > BLOB_MODE_TRANSFER || (flags & ~(FLAG_EXPORTABLE | FLAG_PASSPHRASE)) != 0)
        return malformed(provctx, "unknown mode or flags");
    header->mode = (enum blob_mode)mode;
    header->is_exportable = (flags & FLAG_EXPORTABLE) != 0;
    header->has_passphrase = (flags & FLAG_PASSPHRASE) != 0;
    if ((header->mode == BLOB_MODE_TRANSFER) != (header->not_after != 0))
        return malformed(provctx, "transfers expire and snapshots do not, but this one");
    return header->mode == BLOB_MODE_TRANSFER || !header->has_audience ||
           malformed(provctx, "a snapshot has no audience, but this one");
}

static int check_iterations(const struct provctx *provctx, const struct opaque_header *header)
{
    static const uint8_t none[SEALING_KEY_ID_SIZE];

    if (header->has_passphrase && memcmp(header->sealing_key_id, none, sizeof(none)) != 0)
        return malformed(provctx, "under a passphrase there is no sealing key, but this one");
    if (!header->has_passphrase || (header->iterations >= PASSPHRASE_MIN_ITERATIONS &&
                                    header->iterations <= PASSPHRASE_MAX_ITERATIONS))
        return 1;
    return RAISE(provctx->errors, SCHANNEL_R_MALFORMED_BLOB,
                 "opaque blob: expected %d to %d iterations for the passphrase, got %" PRIu32,
                 PASSPHRASE_MIN_ITERATIONS, PASSPHRASE_MAX_ITERATIONS, header->iterations);
}

static int check_sizes(const struct provctx *provctx, const struct opaque_header *header,
                       const struct reader *reader)
{
    if (reader->failed)
        return malformed(provctx, "ends inside its header");
    if (header->sealed_size != reader_left(reader))
        return RAISE(provctx->errors, SCHANNEL_R_MALFORMED_BLOB,
                     "opaque blob: the header says %zu bytes are sealed, but %zu follow",
                     header->sealed_size, reader_left(reader));
    return (header->sealed_size >= SEAL_OVERHEAD && header->sealed_size <= MAX_SEALED_SIZE) ||
           malformed(provctx, "the sealed part has an impossible size");
}

int opaque_header_read(const struct provctx *provctx, struct octets blob,
                       struct opaque_header *header, size_t *size)
{
    struct reader reader;
    struct octets audience;
    uint32_t alg_id;
    uint8_t version, mode, flags, fields[4], reserved;

    if (!opaque_blob_is_ours(blob.data, blob.size))
        return malformed(provctx, "the BLOBHEADER is not that of an opaque blob");
    memset(header, 0, sizeof(*header));
    reader_init(&reader, blob.data, blob.size);
    (void)reader_u32(&reader);
    alg_id = reader_u32_le(&reader);
    version = reader_u8(&reader);
    if (!reader.failed && version != OPAQUE_FORMAT_VERSION)
        return RAISE(provctx->errors, SCHANNEL_R_UNSUPPORTED_BLOB_VERSION,
                     "opaque blob: format version %u was written by another release; this one "
                     "reads version %d",
                     version, OPAQUE_FORMAT_VERSION);
    mode = reader_u8(&reader);
    flags = reader_u8(&reader);
    reader_copy(&reader, fields, sizeof(fields));
    reserved = reader_u8(&reader);
    header->created = reader_u64(&reader);
    header->not_after = reader_u64(&reader);
    reader_copy(&reader, header->sealing_key_id, sizeof(header->sealing_key_id));
    reader_copy(&reader, header->blob_id, sizeof(header->blob_id));
    audience = reader_vector8(&reader, sizeof(header->audience));
    header->has_audience = audience.size != 0;
    if (audience.size == sizeof(header->audience))
        memcpy(header->audience, audience.data, audience.size);
    if ((flags & FLAG_PASSPHRASE) != 0)
        header->iterations = reader_u32(&reader);
    header->sealed_size = reader_u16(&reader);
    *size = reader.position;
    if (!check_sizes(provctx, header, &reader) || !check_mode(provctx, header, mode, flags) ||
        !check_algorithm(provctx, header, alg_id, fields) || !check_iterations(provctx, header))
        return 0;
    if (audience.size != 0 && audience.size != sizeof(header->audience))
        return malformed(provctx, "the hash of the audience has an impossible size");
    return reserved == 0 || malformed(provctx, "a reserved field is not 0");
}

int opaque_header_audience(const struct provctx *provctx, const struct opaque_header *header,
                           const char *audience, uint8_t hash[OPAQUE_AUDIENCE_SIZE])
{
    static const char prefix[] = "schannel audience";
    uint8_t text[sizeof(prefix) + SEAL_SALT_SIZE + OPTIONS_MAX_AUDIENCE];
    struct writer writer;
    int ok;

    writer_init(&writer, text, sizeof(text));
    writer_copy(&writer, prefix, sizeof(prefix) - 1);
    writer_copy(&writer, header->blob_id, sizeof(header->blob_id));
    writer_copy(&writer, audience, strlen(audience));
    errors_mark(provctx->errors);
    ok = !writer.failed && EVP_Q_digest(provctx->libctx, "SHA256", PROVCTX_INNER_PROPERTIES, text,
                                        writer.position, hash, NULL);
    errors_unmark(provctx->errors, 0);
    return ok || errors_raise_unavailable(provctx->errors, provctx->libctx, "SHA-256");
}
