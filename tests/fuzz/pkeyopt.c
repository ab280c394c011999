/*
 * What genpkey takes: lines NAME:VALUE of the input become -pkeyopt, for a new key, or for one that
 * is derived from or copied of another.  A key that comes out is asked for its parameters.
 */
#include <stdlib.h>
#include <string.h>
#include <openssl/bio.h>
#include "fuzz.h"
#include "schannel/names.h"

#define TEMPLATES 6

static EVP_PKEY *templates[TEMPLATES]; /* the first is none */

static EVP_PKEY *import(const char *algorithm, size_t size)
{
    static const uint8_t secret[48] = "a secret of as many bytes as a master has, that";
    OSSL_PARAM params[] = { fuzz_text_param(SCHANNEL_PARAM_ALG, algorithm),
                            fuzz_octets_param(SCHANNEL_PARAM_SECRET, secret, size),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(fuzz.libctx, SCHANNEL_KEY_TYPE, NULL);
    EVP_PKEY *key = NULL;

    fuzz_expect(context != NULL && EVP_PKEY_fromdata_init(context) > 0 &&
                    EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) > 0,
                "a key to derive from");
    EVP_PKEY_CTX_free(context);
    return key;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_setup();
    templates[1] = import(SCHANNEL_ALG_PCT1_MASTER, 16);
    templates[2] = import(SCHANNEL_ALG_SSL2_MASTER, 16);
    templates[3] = import(SCHANNEL_ALG_SSL3_MASTER, 48);
    templates[4] = import(SCHANNEL_ALG_TLS1_MASTER, 48);
    templates[5] = import(SCHANNEL_ALG_RC4, 16);
    return 0;
}

/* libcrypto refuses unknown names and bad hex by itself. */
static void set_options(EVP_PKEY_CTX *context, char *text)
{
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char *value = strchr(line, ':');
        int ok;

        if (value == NULL)
            continue;
        *value++ = '\0';
        ok = EVP_PKEY_CTX_ctrl_str(context, line, value) > 0;
        fuzz_expect(fuzz_reasons() <= !ok, "at most one reason for a failure");
    }
}

static void look(EVP_PKEY *key)
{
    BIO *out = BIO_new(BIO_s_null());
    EVP_PKEY *copy = EVP_PKEY_dup(key);

    fuzz_expect(fuzz_outcome(EVP_PKEY_print_private(out, key, 0, NULL) > 0), "a text");
    fuzz_expect(fuzz_outcome(copy != NULL) && EVP_PKEY_eq(copy, key) == 1, "an equal copy");
    EVP_PKEY_free(copy);
    BIO_free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    EVP_PKEY *template = templates[fuzz_u8(&input) % TEMPLATES], *key = NULL;
    EVP_PKEY_CTX *context = template != NULL
                                ? EVP_PKEY_CTX_new_from_pkey(fuzz.libctx, template, NULL)
                                : EVP_PKEY_CTX_new_from_name(fuzz.libctx, SCHANNEL_KEY_TYPE, NULL);
    char *text = fuzz_text(input.data, input.size);

    fuzz_expect(context != NULL && EVP_PKEY_keygen_init(context) > 0, "a generation context");
    set_options(context, text);
    if (fuzz_outcome(EVP_PKEY_generate(context, &key) > 0))
        look(key);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(context);
    free(text);
    return 0;
}
