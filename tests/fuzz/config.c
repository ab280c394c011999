/*
 * What the provider reads of its section of openssl.cnf.  The input is such a file, which libcrypto's
 * own parser takes apart; the provider asks for its values as it asks the core, and keeps what the
 * section says.  Whether a value can be used is told where it is used, in one way for all places.
 */
#include <string.h>
#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/core_dispatch.h>
#include "config.h"
#include "fuzz.h"
#include "schannel/names.h"

#define SECTION "schannel_sect"

static OSSL_FUNC_core_get_params_fn get_params;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_setup();
    return 0;
}

/* The core: |handle| is the file. */
static int get_params(const OSSL_CORE_HANDLE *handle, OSSL_PARAM params[])
{
    const CONF *conf = (const CONF *)(const void *)handle;

    for (; params->key != NULL; params++) {
        char *value = NCONF_get_string(conf, SECTION, params->key);

        if (value != NULL && !OSSL_PARAM_set_utf8_ptr(params, value))
            return 0;
    }
    return 1;
}

static int same(const char *a, const char *b)
{
    return (a == NULL && b == NULL) || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* As an option the value is accepted when it is one of the four forms, and kept as it is. */
static void check_seal_key(const char *value)
{
    const OSSL_PARAM params[] = { fuzz_text_param(SCHANNEL_PARAM_SEAL_KEY, value),
                                  OSSL_PARAM_construct_end() };
    struct blob_options options = { 0 };
    const int ok = fuzz_outcome(blob_options_set(fuzz.provctx, &options, OPTIONS_EXPORT, params));

    fuzz_expect(ok == fuzz_outcome(sealing_key_source_is_valid(fuzz.provctx->errors, value)) ||
                    strlen(value) > 4096,
                "one opinion of a sealing key");
    fuzz_expect(!ok || same(options.seal_key, value), "the value that was set");
    blob_options_clear(&options);
}

static int is_conf(const uint8_t *data, size_t size)
{
    /* other files are not to be read */
    for (size_t n = 0; n + 8 <= size; n++) {
        if (memcmp(data + n, "include", 7) == 0)
            return 0;
    }
    return size < 8 || memcmp(data + size - 7, "include", 7) != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const OSSL_DISPATCH core[] = { { OSSL_FUNC_CORE_GET_PARAMS, (void (*)(void))get_params },
                                   { 0, NULL } };
    CONF *conf = NCONF_new_ex(fuzz.libctx, NULL);
    BIO *in = BIO_new_mem_buf(data, (int)size);
    struct config config = { NULL, NULL, NULL };
    long line = 0;

    fuzz_expect(conf != NULL && in != NULL, "memory");
    if (is_conf(data, size) && NCONF_load_bio(conf, in, &line) > 0) {
        (void)fuzz_reasons();
        fuzz_expect(config_read(&config, (const OSSL_CORE_HANDLE *)(const void *)conf, core),
                    "a configuration");
        fuzz_expect(same(config.seal_key, NCONF_get_string(conf, SECTION, "seal-key")) &&
                        same(config.claim_dir, NCONF_get_string(conf, SECTION, "claim-dir")) &&
                        same(config.trace, NCONF_get_string(conf, SECTION, "trace")),
                    "what the file says");
        (void)fuzz_reasons();
        if (config.seal_key != NULL)
            check_seal_key(config.seal_key);
        config_clear(&config);
    }
    (void)fuzz_reasons();
    NCONF_free(conf);
    BIO_free(in);
    return 0;
}
