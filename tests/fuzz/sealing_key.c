/*
 * The contents of a sealing key's file: 32 bytes, or 64 hex digits with at most one end of line.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_setup();
    return 0;
}

/* What the manual says of these files. */
static int read_plainly(const uint8_t *data, size_t size, uint8_t secret[SEALING_KEY_SIZE])
{
    if (size == SEALING_KEY_SIZE) {
        memcpy(secret, data, size);
        return 1;
    }
    if (size == 66 && data[64] == '\r' && data[65] == '\n')
        size = 64;
    if (size == 65 && data[64] == '\n')
        size = 64;
    if (size != 64)
        return 0;
    for (size_t n = 0; n < SEALING_KEY_SIZE; n++) {
        int high = OPENSSL_hexchar2int(data[2 * n]), low = OPENSSL_hexchar2int(data[2 * n + 1]);

        if (high < 0 || low < 0)
            return 0;
        secret[n] = (uint8_t)(16 * high + low);
    }
    return 1;
}

/* A keyring of its own, since one keeps what it has read.  At most what fits into a pipe. */
static int read_by_provider(const uint8_t *data, size_t size, struct sealing_key *key)
{
    struct sealing_keyring *keyring =
        sealing_keyring_new(fuzz.provctx->libctx, fuzz.provctx->fork_guard, fuzz.provctx->errors);
    char source[16];
    int ends[2], ok;

    fuzz_expect(keyring != NULL && pipe(ends) == 0, "a keyring and a pipe");
    fuzz_expect(size == 0 || write(ends[1], data, size) == (ssize_t)size, "all of the input");
    (void)close(ends[1]);
    snprintf(source, sizeof(source), "fd:%d", ends[0]);
    ok = fuzz_outcome(sealing_keyring_get(keyring, source, 0, key));
    (void)close(ends[0]);
    sealing_keyring_free(keyring);
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t secret[SEALING_KEY_SIZE];
    struct sealing_key key;
    const int expected = read_plainly(data, size, secret);

    if (size > PIPE_BUF)
        return 0;
    fuzz_expect(read_by_provider(data, size, &key) == expected, expected ? "a key" : "no key");
    if (expected)
        fuzz_expect(memcmp(key.secret, secret, sizeof(secret)) == 0, "the key in the file");
    return 0;
}
