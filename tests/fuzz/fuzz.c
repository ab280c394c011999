/* What the fuzz targets share: see fuzz.h. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <openssl/core.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include "errors.h"

OSSL_provider_init_fn OSSL_provider_init;

struct fuzz fuzz;

/* The number that libcrypto gave the provider's reasons. */
static int library;

static const uint8_t known_secret[SEALING_KEY_SIZE] = {
    0x76, 0xa4, 0xe3, 0x85, 0x73, 0x87, 0x65, 0xd0, 0xa0, 0x08, 0x90, 0xe9, 0x4e, 0xbc, 0x12, 0xb0,
    0xaf, 0xed, 0x3c, 0x20, 0x22, 0xa8, 0x59, 0x84, 0x6a, 0xce, 0xc6, 0x9b, 0x09, 0x70, 0x06, 0x0e,
};

void fuzz_expect(int condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "expected: %s\n", what);
    ERR_print_errors_fp(stderr);
    abort();
}

void fuzz_expect_same(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                      const char *what)
{
    fuzz_expect(a_size == b_size && (a_size == 0 || memcmp(a, b, a_size) == 0), what);
}

unsigned fuzz_reasons(void)
{
    unsigned long error;
    unsigned count = 0;

    while ((error = ERR_get_error()) != 0)
        count += ERR_GET_LIB(error) == library;
    return count;
}

int fuzz_outcome(int ok)
{
    fuzz_expect(fuzz_reasons() == !ok, ok ? "no reason for a success" : "one reason for a failure");
    return ok;
}

/* Through a pipe: the provider reads the key once and keeps it. */
static void offer_known_key(void)
{
    int ends[2];

    fuzz_expect(pipe(ends) == 0 && write(ends[1], known_secret, sizeof(known_secret)) ==
                                       (ssize_t)sizeof(known_secret),
                "a pipe with the sealing key");
    close(ends[1]);
    snprintf(fuzz.seal_key, sizeof(fuzz.seal_key), "fd:%d", ends[0]);
    fuzz_expect(sealing_keyring_get(fuzz.provctx->keyring, fuzz.seal_key, 0, &fuzz.known_key),
                "the sealing key");
}

void fuzz_setup(void)
{
    OSSL_PROVIDER *provider = NULL;

    /* no diagnostics, whatever a configuration says: they would be written to a file that it names */
    fuzz_expect(setenv("SCHANNEL_TRACE", "", 1) == 0, "an environment");
    fuzz.libctx = OSSL_LIB_CTX_new();
    fuzz_expect(fuzz.libctx != NULL &&
                    OSSL_PROVIDER_add_builtin(fuzz.libctx, "schannel", OSSL_provider_init) == 1 &&
                    OSSL_PROVIDER_load(fuzz.libctx, "default") != NULL &&
                    OSSL_PROVIDER_load(fuzz.libctx, "legacy") != NULL &&
                    (provider = OSSL_PROVIDER_load(fuzz.libctx, "schannel")) != NULL,
                "the providers");
    fuzz.provctx = OSSL_PROVIDER_get0_provider_ctx(provider);
    RAISE(fuzz.provctx->errors, SCHANNEL_R_NO_KEY, "to learn the number");
    library = ERR_GET_LIB(ERR_get_error());
    offer_known_key();
}

uint8_t fuzz_u8(struct fuzz_input *input)
{
    if (input->size == 0)
        return 0;
    input->size--;
    return *input->data++;
}

struct octets fuzz_take(struct fuzz_input *input, size_t most)
{
    struct octets taken = { input->data, input->size < most ? input->size : most };

    input->data += taken.size;
    input->size -= taken.size;
    return taken;
}

char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    fuzz_expect(text != NULL, "memory");
    if (size != 0)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

OSSL_PARAM fuzz_text_param(const char *name, const char *value)
{
    return OSSL_PARAM_construct_utf8_string(name, (char *)(uintptr_t)value, 0);
}

OSSL_PARAM fuzz_octets_param(const char *name, const void *data, size_t size)
{
    return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)data, size);
}

void fuzz_file_replace(int fd, const void *data, size_t size)
{
    fuzz_expect(ftruncate(fd, 0) == 0 && (size == 0 || pwrite(fd, data, size, 0) == (ssize_t)size),
                "a temporary file written");
}

int fuzz_file(const void *data, size_t size, char path[32])
{
    FILE *file = tmpfile();
    int fd = file == NULL ? -1 : dup(fileno(file));

    fuzz_expect(fd >= 0, "a temporary file");
    (void)fclose(file);
    fuzz_file_replace(fd, data, size);
    snprintf(path, 32, "/proc/self/fd/%d", fd);
    return fd;
}
