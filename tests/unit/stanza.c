/* What the tests of the derivations share: see stanza.h. */
#include "stanza.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include "key/mac_value.h"

#define MAX_NAME     64
#define NAMES        8
#define MAX_CIPHERED 32

static OSSL_LIB_CTX *libctx;
static OSSL_PROVIDER *standard, *legacy;

int stanza_setup(void **state)
{
    (void)state;
    libctx = OSSL_LIB_CTX_new();
    standard = OSSL_PROVIDER_load(libctx, "default");
    legacy = OSSL_PROVIDER_load(libctx, "legacy");
    return standard == NULL || legacy == NULL;
}

int stanza_teardown(void **state)
{
    (void)state;
    OSSL_PROVIDER_unload(legacy);
    OSSL_PROVIDER_unload(standard);
    OSSL_LIB_CTX_free(libctx);
    return 0;
}

/* ---- stanzas ---- */

int stanza_next(struct vectors *vectors, struct tally *tally)
{
    if (!vectors_next(vectors))
        return 0;
    tally->stanzas++;
    return 1;
}

void stanza_allow(const struct vectors *vectors, const char *const *names, size_t count)
{
    const char *field;

    for (size_t n = 0; (field = vectors_field_name(vectors, n)) != NULL; n++) {
        size_t known = 0;

        while (known < count && strcmp(names[known], field) != 0)
            known++;
        if (known == count)
            vectors_fail(vectors, "unknown field %s", field);
    }
}

void stanza_require(const struct vectors *vectors, const char *field, const char *wanted)
{
    if (strcmp(vectors_string(vectors, field), wanted) != 0)
        vectors_fail(vectors, "%s: expected %s, got %s", field, wanted,
                     vectors_string(vectors, field));
}

void stanza_compare(struct vectors *vectors, struct tally *tally, const char *field,
                    struct octets actual)
{
    vectors_expect(vectors, field, actual);
    tally->values++;
}

void stanza_report(const struct tally *tally, unsigned values, unsigned stanzas)
{
    print_message("%s: %u values of %u stanzas\n", tally->file, tally->values, tally->stanzas);
    assert_int_equal(tally->stanzas, stanzas);
    assert_int_equal(tally->values, values);
}

const char *joined(const char *first, const char *second, const char *third)
{
    static char names[NAMES][MAX_NAME];
    static size_t next;
    char *name = names[next++ % NAMES];
    const int size = snprintf(name, MAX_NAME, "%s%s%s", first, second, third);

    assert_in_range(size, 1, MAX_NAME - 1);
    return name;
}

const struct bulk_cipher *stanza_cipher(const struct vectors *vectors, const char *field)
{
    static const struct {
        const char *name;
        enum bulk_cipher_id id;
    } names[] = {
        { "RC4", BULK_CIPHER_RC4 },         { "RC2", BULK_CIPHER_RC2 },
        { "RC2-CBC", BULK_CIPHER_RC2 },     { "DES", BULK_CIPHER_DES },
        { "DES-CBC", BULK_CIPHER_DES },     { "3DES-112", BULK_CIPHER_DES_EDE },
        { "3DES", BULK_CIPHER_DES_EDE3 },   { "AES-128", BULK_CIPHER_AES_128 },
        { "AES-192", BULK_CIPHER_AES_192 }, { "AES-256", BULK_CIPHER_AES_256 },
    };
    const char *name = vectors_string(vectors, field);

    for (size_t n = 0; n < COUNT(names); n++) {
        if (strcmp(names[n].name, name) == 0)
            return bulk_cipher_by_id((unsigned)names[n].id);
    }
    vectors_fail(vectors, "%s: unknown cipher %s", field, name);
}

enum digest_id stanza_digest(const struct vectors *vectors, const char *field)
{
    const enum digest_id id = digest_from_name(vectors_string(vectors, field));

    if (id == DIGEST_NONE)
        vectors_fail(vectors, "%s: unknown digest %s", field, vectors_string(vectors, field));
    return id;
}

/* ---- libcrypto's ciphers ---- */

struct stream {
    EVP_CIPHER_CTX *context;
};

struct stream *stream_new(const struct bulk_cipher *cipher, unsigned effective_bits,
                          struct octets key, struct octets iv, int encrypt)
{
    struct stream *stream = malloc(sizeof(*stream));
    EVP_CIPHER *fetched = EVP_CIPHER_fetch(libctx, cipher->fetch_name, NULL);
    unsigned key_bits = effective_bits;
    size_t key_size = key.size;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_size_t(OSSL_CIPHER_PARAM_KEYLEN, &key_size),
                            OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end() };

    assert_non_null(stream);
    assert_non_null(fetched);
    stream->context = EVP_CIPHER_CTX_new();
    assert_non_null(stream->context);
    if (cipher->id == BULK_CIPHER_RC2)
        params[1] = OSSL_PARAM_construct_uint(OSSL_CIPHER_PARAM_RC2_KEYBITS, &key_bits);
    assert_int_equal(iv.size, cipher->iv_size);
    assert_int_equal(EVP_CipherInit_ex2(stream->context, fetched, NULL, NULL, encrypt, NULL), 1);
    assert_int_equal(EVP_CIPHER_CTX_set_params(stream->context, params), 1);
    assert_int_equal(EVP_CipherInit_ex2(stream->context, NULL, key.data,
                                        iv.size == 0 ? NULL : iv.data, encrypt, NULL),
                     1);
    assert_int_equal(EVP_CIPHER_CTX_set_padding(stream->context, 0), 1);
    EVP_CIPHER_free(fetched);
    return stream;
}

void stream_free(struct stream *stream)
{
    EVP_CIPHER_CTX_free(stream->context);
    free(stream);
}

void stream_update(struct stream *stream, struct octets in, uint8_t *out)
{
    int size = 0;

    assert_int_equal(EVP_CipherUpdate(stream->context, out, &size, in.data, (int)in.size), 1);
    assert_int_equal(size, in.size);
}

size_t encrypt_message(const struct bulk_cipher *cipher, unsigned effective_bits, struct octets key,
                       struct octets iv, struct octets plain, uint8_t out[STANZA_MAX_DATA])
{
    struct stream *stream = stream_new(cipher, effective_bits, key, iv, 1);
    int size = 0, more = 0;

    assert_in_range(plain.size, 1, STANZA_MAX_DATA - MAX_CIPHERED);
    assert_int_equal(EVP_CIPHER_CTX_set_padding(stream->context, 1), 1);
    assert_int_equal(EVP_CipherUpdate(stream->context, out, &size, plain.data, (int)plain.size), 1);
    assert_int_equal(EVP_CipherFinal_ex(stream->context, out + size, &more), 1);
    stream_free(stream);
    return (size_t)(size + more);
}

/* ---- MACs and digests ---- */

void record_mac(enum key_protocol protocol, enum digest_id digest, struct octets key,
                uint64_t sequence, unsigned type, unsigned version, struct octets data,
                uint8_t *out)
{
    static const struct provctx provctx; /* nothing is raised with it */
    struct mac_record record = {
        .enabled = 1,
        .has_type = 1,
        .has_version = 1,
        .has_length = 1,
        .type = (uint8_t)type,
        .version = (uint16_t)version,
        .length = (uint16_t)data.size,
    };
    struct mac_value value;

    mac_value_init(&value, protocol, digest, key);
    value.sequence = sequence;
    assert_int_equal(mac_value_update(&provctx, &value, &record, data.data, data.size), 1);
    assert_int_equal(mac_value_final(&provctx, &value, &record, out), 1);
    mac_value_clear(&value);
}

void hash_pieces(enum digest_id digest, const struct octets *pieces, uint8_t *out)
{
    EVP_MD *md = EVP_MD_fetch(libctx, digest_name(digest), NULL);
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    assert_non_null(md);
    assert_int_equal(EVP_DigestInit_ex2(context, md, NULL), 1);
    for (; pieces->size != SIZE_MAX; pieces++)
        assert_int_equal(EVP_DigestUpdate(context, pieces->data, pieces->size), 1);
    assert_int_equal(EVP_DigestFinal_ex(context, out, NULL), 1);
    EVP_MD_CTX_free(context);
    EVP_MD_free(md);
}

/* ---- bytes ---- */

struct bytes from_hex(const char *hex)
{
    struct bytes bytes = { { 0 }, 0 };

    bytes.size = hex_decode(hex, bytes.data, sizeof(bytes.data));
    return bytes;
}

struct bytes counting(uint8_t first, size_t size)
{
    struct bytes bytes = { { 0 }, size };

    assert_in_range(size, 0, sizeof(bytes.data));
    for (size_t n = 0; n < size; n++)
        bytes.data[n] = (uint8_t)(first + n);
    return bytes;
}

struct octets octets_of(const struct bytes *bytes)
{
    return (struct octets){ bytes->data, bytes->size };
}

struct octets text(const char *string)
{
    return (struct octets){ (const uint8_t *)string, strlen(string) };
}
