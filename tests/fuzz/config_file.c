/*
 * The provider's section of openssl.cnf all the way: a file is made of the input, read by libcrypto, and the
 * provider of a library context of its own is activated with it.  Then the configuration is used.
 *
 * Lines that would make libcrypto read other files, modules or sections, and sealing keys that are
 * files or descriptors of this process, are left out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <openssl/core.h>
#include <openssl/provider.h>
#include "config.h"
#include "fuzz.h"
#include "schannel/names.h"

OSSL_provider_init_fn OSSL_provider_init;

static char path[32];
static int file;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_setup();
    file = fuzz_file(NULL, 0, path);
    return 0;
}

static int is_allowed(const char *line)
{
    static const char *const names[] = { "module", "include", "file:", "fd:", "$", "[" };

    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        for (const char *at = line; *at != '\0'; at++) {
            if (strncasecmp(at, names[n], strlen(names[n])) == 0)
                return 0;
        }
    }
    return strchr(line, '\\') == NULL; /* which could break such a word */
}

/* The lines of |text| that are allowed go to |out|. */
static size_t write_lines(char *text, char *out)
{
    size_t size = 0;

    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (is_allowed(line))
            size += (size_t)sprintf(out + size, "%s\n", line);
    }
    return size;
}

static void write_file(const uint8_t *data, size_t size)
{
    static const char head[] = "openssl_conf = a\n[a]\nproviders = b\n[b]\nschannel = c\n[c]\n";
    char *text = fuzz_text(data, size), *all = malloc(sizeof(head) + size + 2);
    size_t length = sizeof(head) - 1;

    fuzz_expect(all != NULL, "memory");
    memcpy(all, head, length);
    length += write_lines(text, all + length);
    fuzz_file_replace(file, all, length);
    free(all);
    free(text);
}

/* What was read is what is used: a sealing key that is none is refused where it is needed. */
static void use(struct provctx *provctx)
{
    const char *seal_key = provctx->config.seal_key;
    struct sealing_key key;

    if (seal_key == NULL || strcmp(seal_key, "user") == 0 || strcmp(seal_key, "runtime") == 0)
        return;
    fuzz_expect(!sealing_keyring_get(provctx->keyring, seal_key, 1, &key), "no sealing key");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OSSL_LIB_CTX *libctx = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *provider;

    write_file(data, size);
    fuzz_expect(libctx != NULL &&
                    OSSL_PROVIDER_add_builtin(libctx, "schannel", OSSL_provider_init) == 1,
                "a library context");
    (void)OSSL_LIB_CTX_load_config(libctx, path);
    /* with the parameters of the file, whether the file activates it or not */
    if ((provider = OSSL_PROVIDER_load(libctx, SCHANNEL_PROVIDER_NAME)) != NULL) {
        use(OSSL_PROVIDER_get0_provider_ctx(provider));
        OSSL_PROVIDER_unload(provider);
    }
    OSSL_LIB_CTX_free(libctx);
    (void)fuzz_reasons();
    return 0;
}
