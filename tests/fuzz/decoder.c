/*
 * Every decoder, through OSSL_DECODER: the first byte of the input says which the chain begins with.
 * The sealing key is the one of the golden blobs, so some open.
 */
#include <openssl/decoder.h>
#include "fuzz.h"
#include "schannel/names.h"

/* As libcrypto calls their inputs; NULL: it finds out by itself. */
static const char *const inputs[] = { NULL,
                                      "pem",
                                      "der",
                                      SCHANNEL_BLOB_OPAQUE,
                                      SCHANNEL_BLOB_SIMPLE,
                                      SCHANNEL_BLOB_PLAINTEXT,
                                      SCHANNEL_BLOB_SIGNED };

#define INPUTS (sizeof(inputs) / sizeof(inputs[0]))

static OSSL_DECODER_CTX *decoders[INPUTS];
static EVP_PKEY *key;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    OSSL_PARAM params[2];

    (void)argc;
    (void)argv;
    fuzz_setup();
    params[0] = fuzz_text_param(SCHANNEL_PARAM_SEAL_KEY, fuzz.seal_key);
    params[1] = OSSL_PARAM_construct_end();
    for (size_t n = 0; n < INPUTS; n++) {
        decoders[n] = OSSL_DECODER_CTX_new_for_pkey(&key, inputs[n], NULL, SCHANNEL_KEY_TYPE,
                                                    EVP_PKEY_KEYPAIR, fuzz.libctx, NULL);
        fuzz_expect(decoders[n] != NULL && OSSL_DECODER_CTX_get_num_decoders(decoders[n]) != 0 &&
                        OSSL_DECODER_CTX_set_params(decoders[n], params),
                    "decoders");
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    OSSL_DECODER_CTX *decoder = decoders[fuzz_u8(&input) % INPUTS];
    const unsigned char *at = input.data;
    size_t left = input.size;
    int ok = OSSL_DECODER_from_data(decoder, &at, &left);

    fuzz_expect(!ok || (key != NULL && EVP_PKEY_is_a(key, SCHANNEL_KEY_TYPE)), "a key");
    /* what is not ours fails for libcrypto's reasons alone */
    fuzz_expect(fuzz_reasons() <= !ok, "at most one reason for a failure");
    EVP_PKEY_free(key);
    key = NULL;
    return 0;
}
