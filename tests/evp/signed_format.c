/* Format version 1 of signed blobs: see signed_format.h. */
#include "signed_format.h"

#include <openssl/rsa.h>

#define MAX_SIGNATURE 2048
#define MAX_INNER     65535

static const uint8_t magic[8] = { 0x89, 0x53, 0x43, 0x48, 0x53, 0x49, 0x47, 0x0a };

static const struct {
    const char *type, *digest;
    uint8_t algorithm;
} algorithms[] = {
    { "RSA", "SHA2-256", FORMAT_RSA_PSS },
    { "EC", "SHA2-256", FORMAT_ECDSA },
    { "ED25519", NULL, FORMAT_ED25519 },
    { "ED448", NULL, FORMAT_ED448 },
};

#define ALGORITHMS (sizeof(algorithms) / sizeof(algorithms[0]))

static size_t row_of(const EVP_PKEY *key)
{
    size_t n = 0;

    while (n < ALGORITHMS && !EVP_PKEY_is_a(key, algorithms[n].type))
        n++;
    assert_in_range(n, 0, ALGORITHMS - 1);
    return n;
}

static void signer_id(struct octets spki, uint8_t id[FORMAT_ID_SIZE])
{
    assert_int_equal(EVP_Digest(spki.data, spki.size, id, NULL, EVP_sha256(), NULL), 1);
}

void format_start(struct signed_format *format, const EVP_PKEY *signer, struct octets spki)
{
    memset(format, 0, sizeof(*format));
    format->version = 1;
    format->algorithm = algorithms[row_of(signer)].algorithm;
    signer_id(spki, format->signer_id);
}

/* ---- signatures ---- */

static EVP_MD_CTX *start(EVP_PKEY *key, int verify)
{
    const size_t row = row_of(key);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *operation = NULL;

    assert_int_equal((verify ? EVP_DigestVerifyInit_ex
                             : EVP_DigestSignInit_ex)(context, &operation, algorithms[row].digest,
                                                      libctx, "provider!=schannel", key, NULL),
                     1);
    if (algorithms[row].algorithm == FORMAT_RSA_PSS) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(operation, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(operation, 32), 1);
    }
    return context;
}

static int verifies(EVP_PKEY *signer, struct octets content, struct octets signature)
{
    EVP_MD_CTX *context = start(signer, 1);
    int ok;

    ERR_set_mark();
    ok = EVP_DigestVerify(context, signature.data, signature.size, content.data, content.size) == 1;
    ERR_pop_to_mark();
    EVP_MD_CTX_free(context);
    return ok;
}

/* ---- writing ---- */

static uint8_t *put(uint8_t *out, struct octets value)
{
    if (value.size != 0)
        memcpy(out, value.data, value.size);
    return out + value.size;
}

static uint8_t *put_number(uint8_t *out, uint64_t value, size_t size)
{
    for (size_t n = size; n-- > 0; value >>= 8)
        out[n] = (uint8_t)value;
    return out + size;
}

static uint8_t *put_vector(uint8_t *out, size_t length_size, struct octets value)
{
    return put(put_number(out, value.size, length_size), value);
}

size_t format_write_content(const struct signed_format *format, uint8_t out[FORMAT_MAX_SIZE])
{
    uint8_t *at = put(out, (struct octets){ magic, sizeof(magic) });

    at = put_number(at, format->version, 1);
    at = put_number(at, format->algorithm, 1);
    at = put_number(at, format->created, 8);
    at = put(at, (struct octets){ format->signer_id, sizeof(format->signer_id) });
    at = put_vector(at, 1, format->purpose);
    at = put_vector(at, 1, format->serial);
    at = put_vector(at, 1, format->message_hash);
    at = put_number(at, format->count, 1);
    for (size_t n = 0; n < format->inner_count; n++)
        at = put_vector(at, 2, format->inner[n]);
    return (size_t)(at - out);
}

size_t format_sign(EVP_PKEY *signer, uint8_t blob[FORMAT_MAX_SIZE], size_t content_size)
{
    EVP_MD_CTX *context = start(signer, 0);
    uint8_t signature[MAX_SIGNATURE];
    size_t size = sizeof(signature);

    assert_int_equal(EVP_DigestSign(context, signature, &size, blob, content_size), 1);
    EVP_MD_CTX_free(context);
    put_vector(blob + content_size, 2, (struct octets){ signature, size });
    return content_size + 2 + size;
}

size_t format_write(const struct signed_format *format, EVP_PKEY *signer,
                    uint8_t blob[FORMAT_MAX_SIZE])
{
    return format_sign(signer, blob, format_write_content(format, blob));
}

/* ---- reading ---- */

/* What is left; |is_short| once something was missing. */
struct rest {
    const uint8_t *data;
    size_t size;
    int is_short;
};

static struct octets take(struct rest *rest, size_t size)
{
    struct octets taken = { rest->data, size };

    if (size > rest->size) {
        rest->is_short = 1;
        return (struct octets){ NULL, 0 };
    }
    rest->data += size;
    rest->size -= size;
    return taken;
}

static uint64_t take_number(struct rest *rest, size_t size)
{
    const struct octets bytes = take(rest, size);
    uint64_t value = 0;

    for (size_t n = 0; n < bytes.size; n++)
        value = value << 8 | bytes.data[n];
    return value;
}

static struct octets take_vector(struct rest *rest, size_t length_size, size_t least, size_t most)
{
    const size_t size = (size_t)take_number(rest, length_size);

    rest->is_short |= size < least || size > most;
    return take(rest, size);
}

enum format_fault format_read(struct octets blob, struct signed_format *format)
{
    struct rest rest = { blob.data, blob.size, 0 };
    struct octets id;

    memset(format, 0, sizeof(*format));
    if (blob.size < sizeof(magic) || memcmp(blob.data, magic, sizeof(magic)) != 0)
        return FORMAT_NO_MAGIC;
    take(&rest, sizeof(magic));
    format->version = (uint8_t)take_number(&rest, 1);
    if (!rest.is_short && format->version != 1)
        return FORMAT_OTHER_VERSION;
    format->algorithm = (uint8_t)take_number(&rest, 1);
    format->created = take_number(&rest, 8);
    id = take(&rest, FORMAT_ID_SIZE);
    if (id.size != 0)
        memcpy(format->signer_id, id.data, id.size);
    format->purpose = take_vector(&rest, 1, 1, 64);
    format->serial = take_vector(&rest, 1, 0, 32);
    format->message_hash = take_vector(&rest, 1, 0, 64);
    format->count = (uint8_t)take_number(&rest, 1);
    rest.is_short |= format->count < 1 || format->count > 16;
    for (; format->inner_count < format->count && !rest.is_short; format->inner_count++)
        format->inner[format->inner_count] = take_vector(&rest, 2, 1, MAX_INNER);
    format->signed_size = blob.size - rest.size;
    format->signature = take_vector(&rest, 2, 1, MAX_SIGNATURE);
    if (rest.is_short || rest.size != 0)
        return FORMAT_MALFORMED;
    return format->algorithm >= FORMAT_RSA_PSS && format->algorithm <= FORMAT_ED448
               ? FORMAT_SOUND
               : FORMAT_UNKNOWN_ALGORITHM;
}

enum format_fault format_verify(struct octets blob, EVP_PKEY *signer, struct octets spki,
                                struct signed_format *format)
{
    const enum format_fault fault = format_read(blob, format);
    uint8_t id[FORMAT_ID_SIZE];

    if (fault != FORMAT_SOUND)
        return fault;
    signer_id(spki, id);
    if (memcmp(id, format->signer_id, sizeof(id)) != 0)
        return FORMAT_OTHER_SIGNER;
    return format->algorithm == algorithms[row_of(signer)].algorithm &&
                   verifies(signer, (struct octets){ blob.data, format->signed_size },
                            format->signature)
               ? FORMAT_SOUND
               : FORMAT_FORGED;
}
