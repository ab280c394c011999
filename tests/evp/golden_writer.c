/* A second implementation of opaque blobs: see golden_writer.h. */
#include "golden_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#define AEAD_KEY_SIZE   32
#define AEAD_NONCE_SIZE 12
#define COMMITMENT_SIZE 32
#define TAG_SIZE        16

/* What HKDF gives for the seal of one blob, in this order. */
struct seal_keys {
    uint8_t key[AEAD_KEY_SIZE], nonce[AEAD_NONCE_SIZE], commitment[COMMITMENT_SIZE];
};

/* ---- bytes ---- */

void golden_clear(struct golden_bytes *bytes)
{
    bytes->size = 0;
    bytes->field_count = 0;
}

void golden_append(struct golden_bytes *bytes, const void *data, size_t size)
{
    assert_true(size <= sizeof(bytes->data) - bytes->size);
    if (size != 0)
        memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

static void mark(struct golden_bytes *bytes, const char *name, size_t size)
{
    assert_true(bytes->field_count < GOLDEN_MAX_FIELDS);
    bytes->fields[bytes->field_count++] = (struct golden_field){ name, bytes->size, size };
}

static void store(uint8_t *out, uint64_t value, size_t size)
{
    for (size_t n = size; n-- > 0; value >>= 8)
        out[n] = (uint8_t)value;
}

void golden_put_number(struct golden_bytes *bytes, const char *name, uint64_t value, size_t size)
{
    uint8_t out[8];

    store(out, value, size);
    golden_put(bytes, name, out, size);
}

void golden_put(struct golden_bytes *bytes, const char *name, const void *data, size_t size)
{
    mark(bytes, name, size);
    golden_append(bytes, data, size);
}

void golden_put_vector(struct golden_bytes *bytes, const char *name, size_t length_size,
                       const void *data, size_t size)
{
    golden_put_number(bytes, name, size, length_size);
    golden_append(bytes, data, size);
}

static const struct golden_field *look_up(const struct golden_bytes *bytes, const char *name)
{
    for (size_t n = 0; n < bytes->field_count; n++) {
        if (strcmp(bytes->fields[n].name, name) == 0)
            return &bytes->fields[n];
    }
    return NULL;
}

int golden_has(const struct golden_bytes *bytes, const char *name)
{
    return look_up(bytes, name) != NULL;
}

const struct golden_field *golden_find(const struct golden_bytes *bytes, const char *name)
{
    const struct golden_field *field = look_up(bytes, name);

    if (field == NULL)
        fail_msg("there is no field %s", name);
    return field;
}

void golden_set_number(struct golden_bytes *bytes, const char *name, uint64_t value)
{
    const struct golden_field *field = golden_find(bytes, name);

    store(bytes->data + field->offset, value, field->size);
}

void golden_resize(struct golden_bytes *bytes, const char *name, size_t size)
{
    const struct golden_field *field = golden_find(bytes, name);
    size_t start = field->offset + field->size, old = 0, rest;

    for (size_t n = field->offset; n < start; n++)
        old = old << 8 | bytes->data[n];
    rest = bytes->size - start - old;
    assert_true(start + size + rest <= sizeof(bytes->data));
    memmove(bytes->data + start + size, bytes->data + start + old, rest);
    if (size > old)
        memset(bytes->data + start + old, 0x5a, size - old);
    bytes->size = start + size + rest;
    golden_set_number(bytes, name, size);
    bytes->field_count = (size_t)(field - bytes->fields) + 1;
}

/* ---- digests and keys ---- */

static void sha256(const char *prefix, const void *first, size_t first_size, const void *second,
                   size_t second_size, uint8_t out[32])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    assert_int_equal(EVP_DigestInit_ex(context, EVP_sha256(), NULL), 1);
    assert_int_equal(EVP_DigestUpdate(context, prefix, strlen(prefix)), 1);
    assert_int_equal(EVP_DigestUpdate(context, first, first_size), 1);
    assert_int_equal(EVP_DigestUpdate(context, second, second_size), 1);
    assert_int_equal(EVP_DigestFinal_ex(context, out, NULL), 1);
    EVP_MD_CTX_free(context);
}

void golden_audience(const uint8_t blob_id[GOLDEN_BLOB_ID_SIZE], const char *audience,
                     uint8_t hash[GOLDEN_AUDIENCE_SIZE])
{
    sha256("schannel audience", blob_id, GOLDEN_BLOB_ID_SIZE, audience, strlen(audience), hash);
}

void golden_sealing_key_id(const uint8_t secret[GOLDEN_SECRET_SIZE], uint8_t id[GOLDEN_KEY_ID_SIZE])
{
    uint8_t hash[32];

    sha256("schannel sealing key id", secret, GOLDEN_SECRET_SIZE, "", 0, hash);
    memcpy(id, hash, GOLDEN_KEY_ID_SIZE);
}

void golden_passphrase_secret(const char *passphrase, const uint8_t blob_id[GOLDEN_BLOB_ID_SIZE],
                              uint32_t iterations, uint8_t secret[GOLDEN_SECRET_SIZE])
{
    assert_int_equal(PKCS5_PBKDF2_HMAC(passphrase, (int)strlen(passphrase), blob_id,
                                       GOLDEN_BLOB_ID_SIZE, (int)iterations, EVP_sha256(),
                                       GOLDEN_SECRET_SIZE, secret),
                     1);
}

static void hkdf(const uint8_t *secret, const uint8_t *salt, const char *info, uint8_t *out,
                 size_t size)
{
    static char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret,
                                          GOLDEN_SECRET_SIZE),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt,
                                          GOLDEN_BLOB_ID_SIZE),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info,
                                          strlen(info)),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);

    assert_int_equal(EVP_KDF_derive(context, out, size, params), 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

void golden_claim(const uint8_t secret[GOLDEN_SECRET_SIZE],
                  const uint8_t blob_id[GOLDEN_BLOB_ID_SIZE], uint8_t claim[GOLDEN_CLAIM_SIZE])
{
    hkdf(secret, blob_id, "schannel opaque key blob claim 1", claim, GOLDEN_CLAIM_SIZE);
}

static void derive_seal_keys(const uint8_t *secret, const uint8_t *salt, struct seal_keys *keys)
{
    uint8_t out[AEAD_KEY_SIZE + AEAD_NONCE_SIZE + COMMITMENT_SIZE];

    hkdf(secret, salt, "schannel opaque key blob seal 1", out, sizeof(out));
    memcpy(keys->key, out, AEAD_KEY_SIZE);
    memcpy(keys->nonce, out + AEAD_KEY_SIZE, AEAD_NONCE_SIZE);
    memcpy(keys->commitment, out + AEAD_KEY_SIZE + AEAD_NONCE_SIZE, COMMITMENT_SIZE);
}

/* ---- writing ---- */

void golden_write_header(struct golden_bytes *blob, const struct golden_header *header,
                         size_t sealed_size)
{
    uint32_t id = header->alg_id;
    uint8_t alg_id[] = { (uint8_t)id, (uint8_t)(id >> 8), (uint8_t)(id >> 16),
                         (uint8_t)(id >> 24) };

    golden_clear(blob);
    golden_put_number(blob, "type", header->type, 1);
    golden_put_number(blob, "version", header->version, 1);
    golden_put_number(blob, "reserved", header->reserved, 2);
    golden_put(blob, "ai_key_alg", alg_id, sizeof(alg_id));
    golden_put_number(blob, "format_version", header->format_version, 1);
    golden_put_number(blob, "mode", header->mode, 1);
    golden_put_number(blob, "flags", header->flags, 1);
    golden_put_number(blob, "kind", header->kind, 1);
    golden_put_number(blob, "algorithm", header->algorithm, 1);
    golden_put_number(blob, "protocol", header->protocol, 1);
    golden_put_number(blob, "usage", header->usage, 1);
    golden_put_number(blob, "reserved_after_usage", header->reserved_after_usage, 1);
    golden_put_number(blob, "created", header->created, 8);
    golden_put_number(blob, "not_after", header->not_after, 8);
    golden_put(blob, "sealing_key_id", header->sealing_key_id, sizeof(header->sealing_key_id));
    golden_put(blob, "blob_id", header->blob_id, sizeof(header->blob_id));
    golden_put_vector(blob, "audience_hash", 1, header->audience, header->audience_size);
    if ((header->flags & GOLDEN_PASSPHRASE) != 0)
        golden_put_number(blob, "iterations", header->iterations, 4);
    golden_put_number(blob, "sealed", sealed_size, 2);
}

/* AES-256-GCM with the header as associated data. */
static int run_aead(const struct seal_keys *keys, int encrypt, const uint8_t *header,
                    size_t header_size, const uint8_t *in, size_t size, uint8_t *out, uint8_t *tag)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int length = 0, ok;

    assert_int_equal(
        EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, keys->key, keys->nonce, encrypt), 1);
    assert_int_equal(EVP_CipherUpdate(context, NULL, &length, header, (int)header_size), 1);
    if (size != 0)
        assert_int_equal(EVP_CipherUpdate(context, out, &length, in, (int)size), 1);
    if (!encrypt)
        assert_int_equal(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag), 1);
    ok = EVP_CipherFinal_ex(context, out + size, &length);
    if (encrypt)
        assert_int_equal(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, tag), 1);
    EVP_CIPHER_CTX_free(context);
    return ok;
}

void golden_seal(const struct golden_header *header, const uint8_t secret[GOLDEN_SECRET_SIZE],
                 const struct golden_bytes *payload, struct golden_bytes *blob)
{
    struct seal_keys keys;
    uint8_t tag[TAG_SIZE];
    size_t header_size;

    golden_write_header(blob, header, payload->size + GOLDEN_SEAL_SIZE);
    header_size = blob->size;
    derive_seal_keys(secret, header->blob_id, &keys);
    golden_append(blob, keys.commitment, sizeof(keys.commitment));
    assert_true(payload->size + TAG_SIZE <= sizeof(blob->data) - blob->size);
    assert_int_equal(run_aead(&keys, 1, blob->data, header_size, payload->data, payload->size,
                              blob->data + blob->size, tag),
                     1);
    blob->size += payload->size;
    golden_append(blob, tag, sizeof(tag));
}

/* ---- reading ---- */

static uint64_t take_number(const uint8_t *blob, size_t size, size_t *at, size_t width)
{
    uint64_t value = 0;

    assert_true(width <= size - *at);
    for (size_t n = 0; n < width; n++)
        value = value << 8 | blob[*at + n];
    *at += width;
    return value;
}

static void take(const uint8_t *blob, size_t size, size_t *at, uint8_t *out, size_t width)
{
    assert_true(width <= size - *at);
    memcpy(out, blob + *at, width);
    *at += width;
}

size_t golden_read_header(const uint8_t *blob, size_t size, struct golden_header *header)
{
    size_t at = 0, sealed;

    memset(header, 0, sizeof(*header));
    header->type = (uint8_t)take_number(blob, size, &at, 1);
    header->version = (uint8_t)take_number(blob, size, &at, 1);
    header->reserved = (uint16_t)take_number(blob, size, &at, 2);
    for (unsigned n = 0; n < 4; n++)
        header->alg_id |= (uint32_t)take_number(blob, size, &at, 1) << (8 * n);
    header->format_version = (uint8_t)take_number(blob, size, &at, 1);
    header->mode = (uint8_t)take_number(blob, size, &at, 1);
    header->flags = (uint8_t)take_number(blob, size, &at, 1);
    header->kind = (uint8_t)take_number(blob, size, &at, 1);
    header->algorithm = (uint8_t)take_number(blob, size, &at, 1);
    header->protocol = (uint8_t)take_number(blob, size, &at, 1);
    header->usage = (uint8_t)take_number(blob, size, &at, 1);
    header->reserved_after_usage = (uint8_t)take_number(blob, size, &at, 1);
    header->created = take_number(blob, size, &at, 8);
    header->not_after = take_number(blob, size, &at, 8);
    take(blob, size, &at, header->sealing_key_id, sizeof(header->sealing_key_id));
    take(blob, size, &at, header->blob_id, sizeof(header->blob_id));
    header->audience_size = (uint8_t)take_number(blob, size, &at, 1);
    take(blob, size, &at, header->audience, header->audience_size);
    if ((header->flags & GOLDEN_PASSPHRASE) != 0)
        header->iterations = (uint32_t)take_number(blob, size, &at, 4);
    sealed = (size_t)take_number(blob, size, &at, 2);
    assert_int_equal(sealed, size - at);
    assert_true(size - at >= GOLDEN_SEAL_SIZE);
    return at;
}

void golden_open(const uint8_t *blob, size_t size, size_t header_size,
                 const struct golden_header *header, const uint8_t secret[GOLDEN_SECRET_SIZE],
                 struct golden_bytes *payload)
{
    struct seal_keys keys;
    uint8_t tag[TAG_SIZE];

    golden_clear(payload);
    payload->size = size - header_size - GOLDEN_SEAL_SIZE;
    assert_true(payload->size <= sizeof(payload->data));
    derive_seal_keys(secret, header->blob_id, &keys);
    assert_memory_equal(blob + header_size, keys.commitment, sizeof(keys.commitment));
    memcpy(tag, blob + size - TAG_SIZE, TAG_SIZE);
    assert_int_equal(run_aead(&keys, 0, blob, header_size, blob + header_size + COMMITMENT_SIZE,
                              payload->size, payload->data, tag),
                     1);
}
