/*
 * Rows: moving the four keys of a connection through OSSL_ENCODER and OSSL_DECODER, compared with
 * the core's own path: an Ed25519 key as PKCS #8, four times.
 *
 * An encoder context belongs to a key and is kept with it.  A decoder context is made for each key,
 * since libcrypto promises no more; in a second row one is kept.
 */
#include <openssl/crypto.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <string.h>
#include "material.h"
#include "rows.h"
#include "timing.h"

#define KEY_SELECTION EVP_PKEY_KEYPAIR

struct coder {
    EVP_PKEY *keys[KEY_COUNT];
    OSSL_ENCODER_CTX *encoders[KEY_COUNT];
    OSSL_DECODER_CTX *decoder; /* NULL: one for each key */
    EVP_PKEY *decoded;         /* where a decoder context puts it */
    const char *type, *input;
};

static OSSL_DECODER_CTX *new_decoder(struct coder *coder)
{
    OSSL_DECODER_CTX *decoder = OSSL_DECODER_CTX_new_for_pkey(
        &coder->decoded, coder->input, NULL, coder->type, KEY_SELECTION, NULL, NULL);

    if (decoder == NULL)
        die(coder->type);
    return decoder;
}

static void make_keys(struct coder *coder, int is_ours)
{
    if (is_ours) {
        make_connection(coder->keys);
        return;
    }
    for (size_t n = 0; n < KEY_COUNT; n++) {
        coder->keys[n] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        if (coder->keys[n] == NULL)
            die("ED25519");
    }
}

/* |algorithm| is the type of key, |size| 1 when one decoder context is kept. */
static void *open_coder(const struct job *job)
{
    struct coder *coder = OPENSSL_zalloc(sizeof(*coder));
    const int is_ours = strcmp(job->algorithm, SCHANNEL_KEY_TYPE) == 0;

    if (coder == NULL)
        die(job->name);
    make_keys(coder, is_ours);
    for (size_t n = 0; n < KEY_COUNT; n++) {
        coder->encoders[n] = OSSL_ENCODER_CTX_new_for_pkey(coder->keys[n], KEY_SELECTION,
                                                           is_ours ? SCHANNEL_BLOB_OPAQUE : "DER",
                                                           is_ours ? NULL : "PrivateKeyInfo", NULL);
        if (coder->encoders[n] == NULL)
            die(job->name);
    }
    coder->type = job->algorithm;
    coder->input = is_ours ? SCHANNEL_BLOB_OPAQUE : "DER";
    coder->decoder = job->size != 0 ? new_decoder(coder) : NULL;
    return coder;
}

/* The sealing key of a kept context stays; a new one is told. */
static void decode(struct coder *coder, const unsigned char *blob, size_t size)
{
    const OSSL_PARAM params[] = { text(SCHANNEL_PARAM_SEAL_KEY, "runtime"),
                                  OSSL_PARAM_construct_end() };
    OSSL_DECODER_CTX *decoder = coder->decoder != NULL ? coder->decoder : new_decoder(coder);

    if (!OSSL_DECODER_CTX_set_params(decoder, params) ||
        !OSSL_DECODER_from_data(decoder, &blob, &size) || coder->decoded == NULL)
        die("OSSL_DECODER_from_data");
    EVP_PKEY_free(coder->decoded);
    coder->decoded = NULL;
    if (decoder != coder->decoder)
        OSSL_DECODER_CTX_free(decoder);
}

static void run_coder(void *state, size_t count)
{
    struct coder *coder = state;

    for (; count != 0; count--) {
        for (size_t n = 0; n < KEY_COUNT; n++) {
            unsigned char *blob = NULL;
            size_t size = 0;

            if (!OSSL_ENCODER_to_data(coder->encoders[n], &blob, &size))
                die("OSSL_ENCODER_to_data");
            decode(coder, blob, size);
            OPENSSL_free(blob);
        }
    }
}

static void close_coder(void *state)
{
    struct coder *coder = state;

    for (size_t n = 0; n < KEY_COUNT; n++)
        OSSL_ENCODER_CTX_free(coder->encoders[n]);
    OSSL_DECODER_CTX_free(coder->decoder);
    free_connection(coder->keys);
    OPENSSL_free(coder);
}

#define CODER_JOB(name, type, keeps_decoder)                                                       \
    {                                                                                              \
        name, open_coder, run_coder, close_coder, type, NULL, keeps_decoder, 0                     \
    }

void coder_rows(void)
{
    static const struct row rows[] = {
        { "four keys by encoder, decoder", CODER_JOB("SCHANNEL", SCHANNEL_KEY_TYPE, 0),
          CODER_JOB("ED25519", "ED25519", 0), TIMES_THE_TIME, 1.2 },
        { "  with one decoder context", CODER_JOB("SCHANNEL", SCHANNEL_KEY_TYPE, 1),
          CODER_JOB("ED25519", "ED25519", 1), NO_GOAL, 0 },
    };

    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++)
        compare(&rows[n]);
}
