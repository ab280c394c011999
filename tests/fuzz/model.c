/* What a key should be and do: see model.h.  Ciphers are here, MACs and masters in model_mac.c. */
#include "model.h"

#include <string.h>
#include <openssl/evp.h>
#include "fuzz.h"

/* clang-format off */
const struct model_algorithm model_algorithms[MODEL_ALGORITHMS] = {
    { "RC4",          MODEL_CIPHER, 16, 0, 1, 0, NULL },
    { "RC4",          MODEL_CIPHER, 5, 0, 1, 0, NULL },
    { "RC4",          MODEL_CIPHER, 5, MODEL_SALT_SIZE, 1, 0, NULL },
    { "RC2-CBC",      MODEL_CIPHER, 16, 0, 8, 0, NULL },
    { "DES-CBC",      MODEL_CIPHER, 8, 0, 8, 0, NULL },
    { "DES-EDE-CBC",  MODEL_CIPHER, 16, 0, 8, 0, NULL },
    { "DES-EDE3-CBC", MODEL_CIPHER, 24, 0, 8, 0, NULL },
    { "AES-128-CBC",  MODEL_CIPHER, 16, 0, 16, 0, NULL },
    { "AES-192-CBC",  MODEL_CIPHER, 24, 0, 16, 0, NULL },
    { "AES-256-CBC",  MODEL_CIPHER, 32, 0, 16, 0, NULL },
    { "PCT1-MAC",     MODEL_MAC, 16, 0, 0, MODEL_PCT1, "MD5" },
    { "PCT1-MAC",     MODEL_MAC, 20, 0, 0, MODEL_PCT1, "SHA1" },
    { "SSL2-MAC",     MODEL_MAC, 16, 0, 0, MODEL_SSL2, "MD5" },
    { "SSL3-MAC",     MODEL_MAC, 16, 0, 0, MODEL_SSL3, "MD5" },
    { "SSL3-MAC",     MODEL_MAC, 20, 0, 0, MODEL_SSL3, "SHA1" },
    { "TLS1-MAC",     MODEL_MAC, 16, 0, 0, MODEL_TLS1, "MD5" },
    { "TLS1-MAC",     MODEL_MAC, 20, 0, 0, MODEL_TLS1, "SHA1" },
    { "SSL3-MASTER",  MODEL_MASTER, 48, 0, 0, MODEL_SSL3, NULL },
    { "TLS1-MASTER",  MODEL_MASTER, 48, 0, 0, MODEL_TLS1, NULL },
};
/* clang-format on */

/* OpenSSL's cipher for each row, and one context for all that is done with it. */
static EVP_CIPHER *ciphers[MODEL_CIPHERS];
static EVP_CIPHER_CTX *contexts[MODEL_CIPHERS];

void model_mac_setup(void);

void model_setup(void)
{
    for (size_t n = 0; n < MODEL_CIPHERS; n++) {
        ciphers[n] = EVP_CIPHER_fetch(fuzz.libctx, model_algorithms[n].name, "provider!=schannel");
        contexts[n] = EVP_CIPHER_CTX_new();
        fuzz_expect(ciphers[n] != NULL && contexts[n] != NULL, "OpenSSL's ciphers");
    }
    model_mac_setup();
}

/* Starts OpenSSL's cipher under the key at |chain|. */
static EVP_CIPHER_CTX *start(const struct model_key *key, int encrypt, const uint8_t *chain)
{
    const size_t row = (size_t)(key->algorithm - model_algorithms);
    const int size = (int)(key->secret_size + key->algorithm->salt_size);
    EVP_CIPHER_CTX *context = contexts[row];

    fuzz_expect(EVP_CipherInit_ex2(context, ciphers[row], NULL, NULL, encrypt, NULL) &&
                    EVP_CIPHER_CTX_set_key_length(context, size) &&
                    EVP_CipherInit_ex2(context, NULL, key->secret, chain, encrypt, NULL) &&
                    EVP_CIPHER_CTX_set_padding(context, 0),
                "OpenSSL's cipher");
    return context;
}

static void run(EVP_CIPHER_CTX *context, const uint8_t *in, size_t size, uint8_t *out)
{
    int written = 0;

    fuzz_expect(EVP_CipherUpdate(context, out, &written, in, (int)size) && (size_t)written == size,
                "OpenSSL's cipher");
}

/* The keystream from the start, of which only the end is wanted. */
static void run_stream(struct model_key *key, const uint8_t *in, size_t size, uint8_t *out)
{
    static const uint8_t zeros[256];
    uint8_t skipped[sizeof(zeros)];
    EVP_CIPHER_CTX *context = start(key, 1, NULL);

    for (uint64_t left = key->position, part; left != 0; left -= part) {
        part = left < sizeof(zeros) ? left : sizeof(zeros);
        run(context, zeros, (size_t)part, skipped);
    }
    run(context, in, size, out);
    key->position += size;
}

static void run_blocks(struct model_key *key, int encrypt, const uint8_t *in, size_t size,
                       uint8_t *out)
{
    const size_t block = key->algorithm->block;

    if (size == 0)
        return;
    run(start(key, encrypt, key->chain), in, size, out);
    memcpy(key->chain, (encrypt ? out : in) + size - block, block);
}

void model_set_iv(struct model_key *key, const uint8_t *iv)
{
    if (key->algorithm->block == 1)
        return;
    memcpy(key->iv, iv, key->algorithm->block);
    memcpy(key->chain, iv, key->algorithm->block);
    key->buffered = 0;
    key->direction = MODEL_NONE;
}

static enum model_direction direction_of(int encrypt)
{
    return encrypt ? MODEL_ENCRYPT : MODEL_DECRYPT;
}

static int is_other_way(const struct model_key *key, int encrypt)
{
    return key->buffered != 0 && key->direction != direction_of(encrypt);
}

int model_update(struct model_key *key, int encrypt, int padding, const uint8_t *in, size_t size,
                 uint8_t *out, size_t *written)
{
    const size_t block = key->algorithm->block, total = key->buffered + size;
    /* a padded decryption holds a whole block back */
    const size_t held = !encrypt && padding && total != 0 ? 1 : 0;
    const size_t ready = (total - held) / block * block;
    uint8_t all[MODEL_MAX_BLOCK + 256];

    *written = 0;
    if (block == 1) {
        run_stream(key, in, size, out);
        *written = size;
        return 1;
    }
    if (total == 0)
        return 1;
    if (is_other_way(key, encrypt))
        return 0;
    memcpy(all, key->buffer, key->buffered);
    memcpy(all + key->buffered, in, size);
    run_blocks(key, encrypt, all, ready, out);
    key->buffered = total - ready;
    memcpy(key->buffer, all + ready, key->buffered);
    key->direction = key->buffered != 0 ? direction_of(encrypt) : MODEL_NONE;
    key->position += size;
    *written = ready;
    return 1;
}

/* The size of PKCS #7 padding at the end of |block|; 0: it is malformed. */
static size_t padding_of(const uint8_t *block, size_t size)
{
    const size_t padding = size != 0 ? block[size - 1] : 0;

    if (padding == 0 || padding > size)
        return 0;
    for (size_t n = size - padding; n < size; n++) {
        if (block[n] != padding)
            return 0;
    }
    return padding;
}

static int finish_decryption(struct model_key *key, uint8_t *out, size_t *written)
{
    const size_t block = key->algorithm->block;
    uint8_t plain[MODEL_MAX_BLOCK], chain[MODEL_MAX_BLOCK];
    size_t padding;

    if (key->buffered != block)
        return 0;
    memcpy(chain, key->chain, block);
    run_blocks(key, 0, key->buffer, block, plain);
    if ((padding = padding_of(plain, block)) == 0) {
        memcpy(key->chain, chain, block);
        return 0;
    }
    *written = block - padding;
    memcpy(out, plain, *written);
    return 1;
}

int model_final(struct model_key *key, int encrypt, int padding, uint8_t *out, size_t *written)
{
    const size_t block = key->algorithm->block;

    *written = 0;
    if (block == 1)
        return 1;
    if (is_other_way(key, encrypt))
        return 0;
    if (padding && encrypt) {
        memset(key->buffer + key->buffered, (int)(block - key->buffered), block - key->buffered);
        run_blocks(key, 1, key->buffer, block, out);
        *written = block;
    } else if (padding) {
        if (!finish_decryption(key, out, written))
            return 0;
    } else if (key->buffered == block) {
        run_blocks(key, encrypt, key->buffer, block, out);
        *written = block;
    } else if (key->buffered != 0) {
        return 0;
    }
    key->buffered = 0;
    key->direction = MODEL_NONE;
    return 1;
}

int model_message(struct model_key *key, int encrypt, const uint8_t *in, size_t size, uint8_t *out,
                  size_t *written)
{
    uint8_t chain[MODEL_MAX_BLOCK];
    size_t first, last;

    if (key->algorithm->block == 1)
        return model_update(key, encrypt, 1, in, size, out, written);
    if (key->buffered != 0)
        return 0;
    memcpy(chain, key->chain, sizeof(chain));
    if (!model_update(key, encrypt, 1, in, size, out, &first) ||
        !model_final(key, encrypt, 1, out + first, &last)) {
        key->position -= size;
        memcpy(key->chain, chain, sizeof(chain));
        key->buffered = 0;
        key->direction = MODEL_NONE;
        return 0;
    }
    *written = first + last;
    memcpy(key->chain, key->iv, sizeof(key->chain));
    return 1;
}

int model_is_running(const struct model_key *key)
{
    if (key->algorithm->kind == MODEL_CIPHER)
        return key->algorithm->block == 1 ? key->position != 0 : key->buffered != 0;
    return key->algorithm->kind == MODEL_MAC && key->is_absorbing;
}
