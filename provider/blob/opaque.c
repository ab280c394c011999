/*
 * The sealed opaque blob, format version 0: see opaque.h.
 *
 * In TLS presentation language (RFC 2246 section 4), integers big-endian but in the BLOBHEADER:
 *
 *   struct {
 *       uint8  type = 9;                    BLOBHEADER of CryptoAPI: OPAQUEKEYBLOB
 *       uint8  version = 2;                 CUR_BLOB_VERSION
 *       uint16 reserved = 0;
 *       uint32 ai_key_alg;                  ALG_ID, little-endian; fits |algorithm|
 *       uint8  format_version = 0;
 *       uint8  mode;                        0 snapshot; 1 transfer is refused in this version
 *       uint8  flags;                       bit 0: exportable; the others are 0
 *       uint8  kind;                        1 master, 2 cipher, 3 mac
 *       uint8  algorithm;                   enum key_algorithm_id
 *       uint8  protocol;                    enum key_protocol
 *       uint8  usage;                       enum key_usage
 *       uint8  reserved = 0;
 *       uint64 created;                     seconds since 1970
 *       uint64 not_after;                   0: does not expire; nothing else in this version
 *       opaque sealing_key_id[8];
 *       opaque blob_id[16];                 random; also the salt of the seal
 *       opaque sealed<48..2^16-1>;          see blob/seal.h; everything before it, its length
 *   } OpaqueKeyBlob;                        included, is the associated data
 *
 *   What is sealed is the Payload of blob/opaque_payload.c.
 */
#include "blob/opaque.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include "blob/cursor.h"
#include "blob/opaque_payload.h"
#include "blob/seal.h"
#include "blob/sealing_key.h"

#define BLOB_TYPE_OPAQUE 9
#define BLOB_CUR_VERSION 2
#define FORMAT_VERSION   0
#define MODE_SNAPSHOT    0
#define MODE_TRANSFER    1
#define FLAG_EXPORTABLE  1
#define HEADER_SIZE      58 /* with the length of what is sealed */
#define DEFAULT_SEAL_KEY "user"
#define MAX_SEALED_SIZE  (OPAQUE_BLOB_MAX_SIZE - HEADER_SIZE)

struct header {
    uint8_t mode, flags;
    const struct key_algorithm *algorithm;
    enum key_protocol protocol;
    enum key_usage usage;
    uint64_t created;
    uint8_t sealing_key_id[SEALING_KEY_ID_SIZE];
    uint8_t blob_id[SEAL_SALT_SIZE];
    size_t sealed_size;
};

int opaque_blob_is_ours(const uint8_t *data, size_t size)
{
    static const uint8_t start[] = { BLOB_TYPE_OPAQUE, BLOB_CUR_VERSION, 0, 0 };

    return size >= sizeof(start) && memcmp(data, start, sizeof(start)) == 0;
}

/* ---- writing ---- */

static size_t payload_size(const struct key *key)
{
    struct writer counter;

    writer_init_counting(&counter);
    opaque_payload_write(&counter, key);
    return counter.position;
}

size_t opaque_blob_size(struct key *key)
{
    size_t size;

    if (!key_lock(key))
        return 0;
    size = HEADER_SIZE + SEAL_OVERHEAD + payload_size(key);
    key_unlock(key);
    return size;
}

static void write_header(struct writer *writer, const struct header *header)
{
    writer_u8(writer, BLOB_TYPE_OPAQUE);
    writer_u8(writer, BLOB_CUR_VERSION);
    writer_u16(writer, 0);
    writer_u32_le(writer, header->algorithm->alg_id);
    writer_u8(writer, FORMAT_VERSION);
    writer_u8(writer, header->mode);
    writer_u8(writer, header->flags);
    writer_u8(writer, (uint8_t)header->algorithm->kind);
    writer_u8(writer, (uint8_t)header->algorithm->id);
    writer_u8(writer, (uint8_t)header->protocol);
    writer_u8(writer, (uint8_t)header->usage);
    writer_u8(writer, 0);
    writer_u64(writer, header->created);
    writer_u64(writer, 0);
    writer_copy(writer, header->sealing_key_id, sizeof(header->sealing_key_id));
    writer_copy(writer, header->blob_id, sizeof(header->blob_id));
    writer_u16(writer, (uint16_t)header->sealed_size);
}

/*
 * One consistent picture of the key: header fields and payload, taken under one lock.  *payload is
 * secret; the caller frees it with OPENSSL_clear_free.
 */
static int take_snapshot(struct key *key, struct header *header, uint8_t **payload, size_t *size,
                         char *id_text)
{
    struct writer writer;
    int ok;

    if (!key_lock(key))
        return 0;
    header->algorithm = key->algorithm;
    header->protocol = key->protocol;
    header->usage = key->usage;
    header->flags = key->exportable ? FLAG_EXPORTABLE : 0;
    ok = key_id_text(key, id_text);
    if (ok) {
        *size = payload_size(key);
        *payload = OPENSSL_malloc(*size);
        ok = *payload != NULL ||
             RAISE(key->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for an opaque blob");
    }
    if (ok) {
        writer_init(&writer, *payload, *size);
        opaque_payload_write(&writer, key);
    }
    key_unlock(key);
    return ok;
}

/* The export option of the key itself, copied under the lock.  NULL with *ok 1 when it has none. */
static char *option_of(struct key *key, int *ok)
{
    char *seal_key = NULL;

    *ok = key_lock(key);
    if (!*ok)
        return NULL;
    if (key->options.seal_key != NULL) {
        seal_key = OPENSSL_strdup(key->options.seal_key);
        *ok = seal_key != NULL ||
              RAISE(key->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for an opaque blob");
    }
    key_unlock(key);
    return seal_key;
}

/* The first of parameter, configuration and default. */
static const char *seal_key_source(const struct provctx *provctx, const char *seal_key)
{
    if (seal_key != NULL)
        return seal_key;
    if (provctx->config.seal_key != NULL)
        return provctx->config.seal_key;
    return DEFAULT_SEAL_KEY;
}

static int seal_payload(struct provctx *provctx, const struct header *header,
                        const struct sealing_key *sealing_key, struct octets payload, uint8_t *blob)
{
    struct writer writer;

    writer_init(&writer, blob, HEADER_SIZE);
    write_header(&writer, header);
    return seal(provctx->sealer, sealing_key, header->blob_id, (struct octets){ blob, HEADER_SIZE },
                payload, blob + HEADER_SIZE);
}

int opaque_blob_export(struct key *key, const char *seal_key, uint8_t **blob, size_t *size)
{
    struct provctx *provctx = key->provctx;
    struct header header = { .mode = MODE_SNAPSHOT, .created = (uint64_t)time(NULL) };
    struct sealing_key sealing_key = { { 0 }, { 0 } };
    char id_text[KEY_ID_TEXT], *option = NULL;
    uint8_t *payload = NULL, *out = NULL;
    size_t payload_bytes = 0;
    int ok;

    option = option_of(key, &ok);
    ok = ok &&
         sealing_keyring_get(provctx->keyring,
                             seal_key_source(provctx, seal_key != NULL ? seal_key : option), 1,
                             &sealing_key) &&
         take_snapshot(key, &header, &payload, &payload_bytes, id_text);
    if (!ok)
        goto end;
    ok = 0;
    header.sealed_size = payload_bytes + SEAL_OVERHEAD;
    memcpy(header.sealing_key_id, sealing_key.id, sizeof(header.sealing_key_id));
    if (RAND_bytes_ex(provctx->libctx, header.blob_id, sizeof(header.blob_id), 0) != 1) {
        RAISE(provctx->errors, SCHANNEL_R_LIBCRYPTO_FAILURE, "no random bytes for an opaque blob");
        goto end;
    }
    if ((out = OPENSSL_malloc(HEADER_SIZE + header.sealed_size)) == NULL) {
        RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for an opaque blob");
        goto end;
    }
    if (!seal_payload(provctx, &header, &sealing_key, (struct octets){ payload, payload_bytes },
                      out))
        goto end;
    *blob = out;
    *size = HEADER_SIZE + header.sealed_size;
    out = NULL;
    ok = 1;
end:
    OPENSSL_cleanse(&sealing_key, sizeof(sealing_key));
    OPENSSL_clear_free(payload, payload_bytes);
    OPENSSL_free(out);
    OPENSSL_free(option);
    return ok;
}

/* ---- reading the clear header ---- */

static int malformed(const struct provctx *provctx, const char *what)
{
    return RAISE(provctx->errors, SCHANNEL_R_MALFORMED_BLOB, "opaque blob: %s", what);
}

/* The fields that say what kind of key is inside have to fit each other. */
static int read_algorithm(const struct provctx *provctx, struct reader *reader,
                          struct header *header, uint32_t alg_id)
{
    uint8_t kind = reader_u8(reader), algorithm = reader_u8(reader);
    uint8_t protocol = reader_u8(reader), usage = reader_u8(reader);

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
    if (protocol != KEY_PROTOCOL_NONE && protocol != KEY_PROTOCOL_TLS1)
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

static int read_header(const struct provctx *provctx, struct octets blob, struct header *header)
{
    struct reader reader;
    uint32_t alg_id;
    uint8_t version;

    if (blob.size < HEADER_SIZE + SEAL_OVERHEAD)
        return RAISE(provctx->errors, SCHANNEL_R_MALFORMED_BLOB,
                     "opaque blob: expected at least %d bytes, got %zu",
                     HEADER_SIZE + SEAL_OVERHEAD, blob.size);
    reader_init(&reader, blob.data, blob.size);
    (void)reader_u32(&reader); /* opaque_blob_is_ours has looked at these */
    alg_id = reader_u32_le(&reader);
    version = reader_u8(&reader);
    if (version != FORMAT_VERSION)
        return RAISE(provctx->errors, SCHANNEL_R_UNSUPPORTED_BLOB_VERSION,
                     "opaque blob: format version %u was written by another release; this one "
                     "reads version %d",
                     version, FORMAT_VERSION);
    header->mode = reader_u8(&reader);
    header->flags = reader_u8(&reader);
    if (header->mode == MODE_TRANSFER)
        return RAISE(provctx->errors, SCHANNEL_R_NOT_SUPPORTED,
                     "opaque blob: blob-mode transfer is not supported by this release");
    if (header->mode != MODE_SNAPSHOT || (header->flags & ~FLAG_EXPORTABLE) != 0)
        return malformed(provctx, "unknown mode or flags");
    if (!read_algorithm(provctx, &reader, header, alg_id))
        return 0;
    if (reader_u8(&reader) != 0)
        return malformed(provctx, "a reserved field is not 0");
    header->created = reader_u64(&reader);
    if (reader_u64(&reader) != 0)
        return malformed(provctx, "a snapshot does not expire, but this one has an expiry");
    reader_copy(&reader, header->sealing_key_id, sizeof(header->sealing_key_id));
    reader_copy(&reader, header->blob_id, sizeof(header->blob_id));
    header->sealed_size = reader_u16(&reader);
    if (header->sealed_size != reader_left(&reader))
        return RAISE(provctx->errors, SCHANNEL_R_MALFORMED_BLOB,
                     "opaque blob: the header says %zu bytes are sealed, but %zu follow",
                     header->sealed_size, reader_left(&reader));
    if (header->sealed_size < SEAL_OVERHEAD || header->sealed_size > MAX_SEALED_SIZE)
        return malformed(provctx, "the sealed part has an impossible size");
    return 1;
}

static int check_sealing_key(const struct provctx *provctx, const struct header *header,
                             const struct sealing_key *sealing_key, const char *source)
{
    char want[2 * SEALING_KEY_ID_SIZE + 1], have[2 * SEALING_KEY_ID_SIZE + 1];

    if (memcmp(header->sealing_key_id, sealing_key->id, SEALING_KEY_ID_SIZE) == 0)
        return 1;
    for (size_t n = 0; n < SEALING_KEY_ID_SIZE; n++) {
        snprintf(want + 2 * n, 3, "%02x", header->sealing_key_id[n]);
        snprintf(have + 2 * n, 3, "%02x", sealing_key->id[n]);
    }
    return RAISE(provctx->errors, SCHANNEL_R_SEALED_WITH_ANOTHER_KEY,
                 "opaque blob: sealed with key %s, have %s (%s)", want, have, source);
}

/* Gives the empty object what the header says it is; then the payload may be read into it. */
static int open_into(struct key *key, struct octets blob, const struct header *header,
                     const struct sealing_key *sealing_key)
{
    struct octets clear = { blob.data, HEADER_SIZE };
    struct octets sealed = { blob.data + HEADER_SIZE, header->sealed_size };
    size_t size = sealed.size - SEAL_OVERHEAD;
    uint8_t *payload = OPENSSL_malloc(size + 1);
    int ok;

    if (payload == NULL)
        return RAISE(key->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY,
                     "no memory to open an opaque blob");
    ok = unseal(key->provctx->sealer, sealing_key, header->blob_id, clear, sealed, payload);
    if (ok) {
        key->algorithm = header->algorithm;
        key->protocol = header->protocol;
        key->usage = header->usage;
        key->exportable = header->flags & FLAG_EXPORTABLE;
        ok = opaque_payload_read(key, (struct octets){ payload, size }) ||
             malformed(key->provctx, "the seal is good, but what is inside does not parse");
        if (!ok)
            key_reset(key);
    }
    OPENSSL_clear_free(payload, size + 1);
    return ok;
}

int opaque_blob_import_into(struct key *key, struct octets blob, const char *seal_key)
{
    struct provctx *provctx = key->provctx;
    const char *source = seal_key_source(provctx, seal_key);
    struct sealing_key sealing_key = { { 0 }, { 0 } };
    struct header header;
    int ok;

    if (!opaque_blob_is_ours(blob.data, blob.size))
        return malformed(provctx, "the BLOBHEADER is not that of an opaque blob");
    ok = read_header(provctx, blob, &header) &&
         sealing_keyring_get(provctx->keyring, source, 0, &sealing_key) &&
         check_sealing_key(provctx, &header, &sealing_key, source) &&
         open_into(key, blob, &header, &sealing_key);
    OPENSSL_cleanse(&sealing_key, sizeof(sealing_key));
    return ok;
}

struct key *opaque_blob_import(struct provctx *provctx, struct octets blob, const char *seal_key)
{
    struct key *key = key_new(provctx);

    if (key != NULL && !opaque_blob_import_into(key, blob, seal_key)) {
        key_free(key);
        key = NULL;
    }
    return key;
}
