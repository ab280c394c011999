/*
 * A second implementation of format version 1 of the opaque blob, from its description alone: it
 * includes nothing of provider/ and knows no algorithm but those of EVP in the default context.
 *
 * The writer writes whatever it is told, right or wrong, and remembers where each field went, so
 * that tests can put something else there.  The reader fails the running CMocka test.
 */
#ifndef SCHANNEL_TESTS_EVP_GOLDEN_WRITER_H
#define SCHANNEL_TESTS_EVP_GOLDEN_WRITER_H

#include <stddef.h>
#include <stdint.h>

#define GOLDEN_MAX_SIZE      66000
#define GOLDEN_MAX_FIELDS    48
#define GOLDEN_SECRET_SIZE   32
#define GOLDEN_KEY_ID_SIZE   8
#define GOLDEN_BLOB_ID_SIZE  16
#define GOLDEN_AUDIENCE_SIZE 32
#define GOLDEN_CLAIM_SIZE    16
/* What a seal adds to a payload: key commitment and GCM tag. */
#define GOLDEN_SEAL_SIZE  (32 + 16)

#define GOLDEN_EXPORTABLE 1 /* bits of |flags| */
#define GOLDEN_PASSPHRASE 2

/* ---- bytes, and where the fields in them are ---- */

struct golden_field {
    const char *name;
    size_t offset, size; /* of a vector: its length */
};

struct golden_bytes {
    size_t size, field_count;
    struct golden_field fields[GOLDEN_MAX_FIELDS];
    uint8_t data[GOLDEN_MAX_SIZE];
};

void golden_clear(struct golden_bytes *bytes);
/* |size| bytes, most significant first. */
void golden_put_number(struct golden_bytes *bytes, const char *name, uint64_t value, size_t size);
void golden_put(struct golden_bytes *bytes, const char *name, const void *data, size_t size);
/* A length of |length_size| bytes, then the data. */
void golden_put_vector(struct golden_bytes *bytes, const char *name, size_t length_size,
                       const void *data, size_t size);
/* Bytes that belong to no field. */
void golden_append(struct golden_bytes *bytes, const void *data, size_t size);
/* Gives a vector another length, and as many bytes; later fields are not found any more. */
void golden_resize(struct golden_bytes *bytes, const char *name, size_t size);
/* Fails the test when there is no such field; golden_has tells. */
const struct golden_field *golden_find(const struct golden_bytes *bytes, const char *name);
int golden_has(const struct golden_bytes *bytes, const char *name);
/* Overwrites an integer, or the length of a vector. */
void golden_set_number(struct golden_bytes *bytes, const char *name, uint64_t value);

/* ---- the header ---- */

struct golden_header {
    uint8_t type, version;
    uint16_t reserved;
    uint32_t alg_id; /* the one little-endian field */
    uint8_t format_version, mode, flags, kind, algorithm, protocol, usage, reserved_after_usage;
    uint64_t created, not_after;
    uint8_t sealing_key_id[GOLDEN_KEY_ID_SIZE];
    uint8_t blob_id[GOLDEN_BLOB_ID_SIZE];
    uint8_t audience_size, audience[255];
    uint32_t iterations; /* there when the flag is set */
};

/* SHA-256("schannel audience" || blob_id || audience) */
void golden_audience(const uint8_t blob_id[GOLDEN_BLOB_ID_SIZE], const char *audience,
                     uint8_t hash[GOLDEN_AUDIENCE_SIZE]);

/* ---- sealing ---- */

/* First bytes of SHA-256("schannel sealing key id" || secret). */
void golden_sealing_key_id(const uint8_t secret[GOLDEN_SECRET_SIZE],
                           uint8_t id[GOLDEN_KEY_ID_SIZE]);
/* PBKDF2-HMAC-SHA256 with the blob id as salt. */
void golden_passphrase_secret(const char *passphrase, const uint8_t blob_id[GOLDEN_BLOB_ID_SIZE],
                              uint32_t iterations, uint8_t secret[GOLDEN_SECRET_SIZE]);
/* What names a transfer in the claim journal. */
void golden_claim(const uint8_t secret[GOLDEN_SECRET_SIZE],
                  const uint8_t blob_id[GOLDEN_BLOB_ID_SIZE], uint8_t claim[GOLDEN_CLAIM_SIZE]);

/* The header alone: what follows it would have |sealed_size| bytes. */
void golden_write_header(struct golden_bytes *blob, const struct golden_header *header,
                         size_t sealed_size);
/* Header and sealed payload go to |blob|, whose fields are those of the header. */
void golden_seal(const struct golden_header *header, const uint8_t secret[GOLDEN_SECRET_SIZE],
                 const struct golden_bytes *payload, struct golden_bytes *blob);

/* The header of a blob; its size. */
size_t golden_read_header(const uint8_t *blob, size_t size, struct golden_header *header);
/* Opens a blob whose header has been read; fails the test when the seal does not verify. */
void golden_open(const uint8_t *blob, size_t size, size_t header_size,
                 const struct golden_header *header, const uint8_t secret[GOLDEN_SECRET_SIZE],
                 struct golden_bytes *payload);

#endif
