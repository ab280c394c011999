/* SIMPLEBLOB: see simple.h. */
#include "blob/simple.h"

#include <inttypes.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include "blob/blob_header.h"
#include "blob/blob_key.h"
#include "blob/encryption_block.h"
#include "blob/key_argument.h"
#include "blob/rsa_exchange.h"
#include "primitive/constant_time.h"
#include "schannel/names.h"

#define ALG_ID_RSA_KEYX    0x0000a400
#define SIMPLE_HEADER_SIZE (BLOB_HEADER_SIZE + 4)

static const char name[] = "simple blob";

/* The blob has the ciphertext in the reverse order of RSA's own output. */
static void copy_reversed(uint8_t *to, const uint8_t *from, size_t size)
{
    for (size_t n = 0; n < size; n++)
        to[n] = from[size - 1 - n];
}

static int check_fallback(const struct provctx *provctx, const struct key_algorithm *algorithm,
                          const struct blob_options *options)
{
    if (options->ssl2_fallback.value && algorithm->id != KEY_MASTER_OF(KEY_PROTOCOL_SSL2))
        return RAISE(provctx->errors, SCHANNEL_R_WRONG_KIND_OF_KEY,
                     "ssl2-fallback: marks the master key of SSL 2.0, this key is %s",
                     algorithm->name);
    return !options->ssl2_fallback.value || options->pad_mode != PAD_MODE_OAEP ||
           RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                 "ssl2-fallback: is a mark in the padding of pad-mode pkcs1, oaep has none");
}

/* ---- export ---- */

/* |bytes| for one receiver. */
static int write_blob(const struct provctx *provctx, EVP_PKEY *receiver,
                      const struct key_algorithm *algorithm, struct octets bytes,
                      const struct blob_options *options, struct simple_blob *blob)
{
    uint8_t ciphertext[RSA_EXCHANGE_MAX_SIZE];
    struct writer writer;
    size_t size;

    if (!rsa_exchange_encrypt(provctx, receiver, options->pad_mode, options->ssl2_fallback.value,
                              bytes, ciphertext, &size))
        return 0;
    writer_init(&writer, blob->data, sizeof(blob->data));
    blob_header_write(&writer, BTYPE_SIMPLE, algorithm);
    writer_u32_le(&writer, ALG_ID_RSA_KEYX);
    copy_reversed(blob->data + writer.position, ciphertext, size);
    blob->size = writer.position + size;
    return 1;
}

/* What can be wrong with an export is found before it is a use of the key. */
static int check_export(struct key *key, EVP_PKEY **receivers, size_t count,
                        const struct blob_options *options, const struct key_algorithm **algorithm)
{
    const struct provctx *provctx = key->provctx;
    size_t size;

    if (!rsa_exchange_check_keys(provctx, receivers, count) ||
        !blob_key_check(key, name, algorithm, &size) ||
        !check_fallback(provctx, *algorithm, options))
        return 0;
    for (size_t n = 0; n < count; n++) {
        if (!rsa_exchange_check_room(provctx, receivers[n], options->pad_mode, size))
            return 0;
    }
    return 1;
}

int simple_blob_export(struct key *key, const struct blob_options *options,
                       const struct passphrase_source *passphrase, size_t most,
                       struct simple_blob *blobs, size_t *count)
{
    struct provctx *provctx = key->provctx;
    const struct key_algorithm *algorithm;
    EVP_PKEY *receivers[OPTIONS_MAX_RECIPIENTS];
    uint8_t bytes[BLOB_KEY_MAX_SIZE];
    size_t size = 0, opened = 0;
    int ok;

    if (!key_arguments_open(provctx, &options->exchange_key, SCHANNEL_PARAM_EXCHANGE_KEY,
                            KEY_HALF_PUBLIC, passphrase, most, receivers, &opened))
        return 0;
    if (opened == 0)
        return RAISE(provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                     "exchange-key: is not set: a %s is written to the RSA key of its receiver",
                     name);
    ok = check_export(key, receivers, opened, options, &algorithm) &&
         blob_key_take(key, name, bytes, &size);
    for (size_t n = 0; ok && n < opened; n++)
        ok = write_blob(provctx, receivers[n], algorithm, (struct octets){ bytes, size }, options,
                        &blobs[n]);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    key_arguments_free(receivers, opened);
    *count = opened;
    return ok;
}

/* ---- import ---- */

/* What is read of all blobs before any is decrypted. */
struct envelope {
    const struct key_algorithm *algorithm;
    struct blob_key_sizes sizes;
    int may_be_random; /* a wrong one is replaced silently */
};

static int read_header(const struct provctx *provctx, struct octets blob,
                       const struct key_algorithm **algorithm)
{
    struct reader reader;
    uint32_t exchange;

    reader_init(&reader, blob.data, blob.size);
    if (!blob_header_read(provctx, &reader, BTYPE_SIMPLE, name, algorithm))
        return 0;
    exchange = reader_u32_le(&reader);
    if (reader.failed)
        return RAISE(provctx->errors, SCHANNEL_R_MALFORMED_BLOB,
                     "%s: ends before the ALG_ID of the exchange key", name);
    if (exchange != ALG_ID_RSA_KEYX)
        return RAISE(provctx->errors, SCHANNEL_R_UNKNOWN_ALGORITHM,
                     "%s: expected the exchange key's ALG_ID 0x%08x (CALG_RSA_KEYX), got "
                     "0x%08" PRIx32,
                     name, ALG_ID_RSA_KEYX, exchange);
    return reader_left(&reader) != 0 || RAISE(provctx->errors, SCHANNEL_R_MALFORMED_BLOB,
                                              "%s: nothing is encrypted in it", name);
}

static int read_envelope(const struct provctx *provctx, const struct octets *blobs, size_t count,
                         const struct blob_options *options, struct envelope *envelope)
{
    if (!read_header(provctx, blobs[0], &envelope->algorithm))
        return 0;
    for (size_t n = 1; n < count; n++) {
        const struct key_algorithm *algorithm;

        if (!read_header(provctx, blobs[n], &algorithm))
            return 0;
        if (algorithm != envelope->algorithm)
            return RAISE(provctx->errors, SCHANNEL_R_MALFORMED_BLOB,
                         "%s: the blobs of several receivers hold keys of two algorithms", name);
    }
    envelope->sizes = blob_key_sizes(envelope->algorithm);
    envelope->may_be_random = envelope->algorithm->kind == KEY_KIND_MASTER &&
                              envelope->algorithm->protocol != KEY_PROTOCOL_SSL2;
    return check_fallback(provctx, envelope->algorithm, options) &&
           blob_key_check_options(provctx, envelope->algorithm, options, name);
}

/* A key found so far, or a random one; |good| is a mask. */
struct candidate {
    uint8_t bytes[BLOB_KEY_MAX_SIZE]; /* at the end of sizes.most */
    size_t size, good;
};

/* Keeps the first good one, in the same time whether this is one. */
static int try_blob(const struct provctx *provctx, EVP_PKEY *key, struct octets blob,
                    const struct blob_options *options, const struct envelope *envelope,
                    struct candidate *candidate)
{
    uint8_t ciphertext[RSA_EXCHANGE_MAX_SIZE], bytes[BLOB_KEY_MAX_SIZE];
    const size_t size = blob.size - SIMPLE_HEADER_SIZE;
    struct rsa_exchange_block block;
    size_t found_size, is_marked, take;
    int ok;

    copy_reversed(ciphertext, blob.data + SIMPLE_HEADER_SIZE, size);
    ok = rsa_exchange_decrypt(provctx, key, options->pad_mode, options->ssl2_fallback.value,
                              (struct octets){ ciphertext, size }, &block);
    if (ok) {
        take = block.good & encryption_block_read((struct octets){ block.data, block.size },
                                                  envelope->sizes.least, envelope->sizes.most,
                                                  bytes, &found_size, &is_marked);
        if (options->ssl2_fallback.value)
            take &= ~is_marked;
        take &= ~candidate->good;
        ct_select_bytes(take, candidate->bytes, bytes, candidate->bytes, envelope->sizes.most);
        candidate->size = ct_select(take, found_size, candidate->size);
        candidate->good |= take;
    }
    OPENSSL_cleanse(&block, sizeof(block));
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return ok;
}

/* All keys on all blobs that fit in size, which is public. */
static int try_all(const struct provctx *provctx, EVP_PKEY **keys, size_t opened,
                   const struct octets *blobs, size_t count, const struct blob_options *options,
                   const struct envelope *envelope, struct candidate *candidate)
{
    int tried = 0;

    for (size_t k = 0; k < opened; k++) {
        const size_t size = rsa_exchange_size(keys[k]);

        for (size_t n = 0; n < count; n++) {
            if (blobs[n].size != SIMPLE_HEADER_SIZE + size)
                continue;
            tried = 1;
            if (!try_blob(provctx, keys[k], blobs[n], options, envelope, candidate))
                return 0;
        }
    }
    return tried ||
           RAISE(provctx->errors, SCHANNEL_R_MALFORMED_BLOB,
                 "%s: %zu bytes are encrypted in it, which is not the size of the exchange key: "
                 "%zu",
                 name, blobs[0].size - SIMPLE_HEADER_SIZE, rsa_exchange_size(keys[0]));
}

static struct key *make_key(struct provctx *provctx, const struct envelope *envelope,
                            const struct candidate *candidate, const struct blob_options *options)
{
    const size_t size = envelope->may_be_random ? envelope->sizes.most : candidate->size;

    if (!envelope->may_be_random && candidate->good == 0) {
        RAISE(provctx->errors, SCHANNEL_R_BLOB_DOES_NOT_OPEN,
              "%s: the exchange key finds no %s key inside: it is for another key or of another "
              "pad-mode, or was altered",
              name, envelope->algorithm->name);
        return NULL;
    }
    return blob_key_make(provctx, envelope->algorithm,
                         (struct octets){ candidate->bytes + envelope->sizes.most - size, size },
                         options, KEY_ORIGIN_SIMPLE);
}

struct key *simple_blob_import(struct provctx *provctx, const struct octets *blobs, size_t count,
                               const struct blob_options *options,
                               const struct passphrase_source *passphrase)
{
    EVP_PKEY *keys[OPTIONS_MAX_RECIPIENTS];
    struct candidate candidate = { .size = 0 };
    struct envelope envelope = { .algorithm = NULL };
    struct key *key = NULL;
    size_t opened = 0;

    if (!read_envelope(provctx, blobs, count, options, &envelope) ||
        !key_arguments_open(provctx, &options->exchange_key, SCHANNEL_PARAM_EXCHANGE_KEY,
                            KEY_HALF_PRIVATE, passphrase, OPTIONS_MAX_RECIPIENTS, keys, &opened))
        return NULL;
    if (opened == 0) {
        RAISE(provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
              "exchange-key: is not set: a %s is opened with the private RSA key of its receiver, "
              "as in schannel:FILE?exchange-key=KEY",
              name);
        return NULL;
    }
    if (RAND_priv_bytes_ex(provctx->libctx, candidate.bytes, sizeof(candidate.bytes), 0) != 1)
        errors_raise_no_random(provctx->errors, provctx->libctx, "a simple blob");
    else if (rsa_exchange_check_keys(provctx, keys, opened) &&
             try_all(provctx, keys, opened, blobs, count, options, &envelope, &candidate))
        key = make_key(provctx, &envelope, &candidate, options);
    OPENSSL_cleanse(&candidate, sizeof(candidate));
    key_arguments_free(keys, opened);
    return key;
}
