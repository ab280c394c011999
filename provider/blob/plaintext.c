/* PLAINTEXTKEYBLOB: see plaintext.h. */
#include "blob/plaintext.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include "blob/blob_header.h"

static const char name[] = "plaintext blob";

int plaintext_blob_export(struct key *key, const struct blob_options *options, uint8_t *blob,
                          size_t *size)
{
    const struct key_algorithm *algorithm;
    uint8_t bytes[BLOB_KEY_MAX_SIZE];
    struct writer writer;
    size_t key_size;
    int ok;

    if (!options->allow_plaintext.value)
        return RAISE(key->provctx->errors, SCHANNEL_R_PLAINTEXT_NOT_ALLOWED,
                     "allow-plaintext: is not set to 1: a %s shows the key to everybody", name);
    ok = blob_key_check(key, name, &algorithm, &key_size) &&
         blob_key_take(key, name, bytes, &key_size);
    if (ok) {
        writer_init(&writer, blob, PLAINTEXT_BLOB_MAX_SIZE);
        blob_header_write(&writer, BTYPE_PLAINTEXT, algorithm);
        writer_u32_le(&writer, (uint32_t)key_size);
        writer_copy(&writer, bytes, key_size);
        *size = writer.position;
    }
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return ok;
}

struct key *plaintext_blob_import(struct provctx *provctx, struct octets blob,
                                  const struct blob_options *options)
{
    const struct key_algorithm *algorithm;
    struct reader reader;
    uint32_t stated;

    reader_init(&reader, blob.data, blob.size);
    if (!blob_header_read(provctx, &reader, BTYPE_PLAINTEXT, name, &algorithm))
        return NULL;
    stated = reader_u32_le(&reader);
    if (reader.failed) {
        RAISE(provctx->errors, SCHANNEL_R_MALFORMED_BLOB, "%s: ends before the size of the key",
              name);
        return NULL;
    }
    if (stated != reader_left(&reader)) {
        RAISE(provctx->errors, SCHANNEL_R_MALFORMED_BLOB,
              "%s: states a key of %" PRIu32 " bytes, but %zu follow", name, stated,
              reader_left(&reader));
        return NULL;
    }
    if (!blob_key_check_size(provctx, algorithm, stated, name) ||
        !blob_key_check_options(provctx, algorithm, options, name))
        return NULL;
    return blob_key_make(provctx, algorithm, reader_take(&reader, stated), options,
                         KEY_ORIGIN_PLAINTEXT);
}
