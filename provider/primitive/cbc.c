/* Resumable CBC over libcrypto's block work: see cbc.h. */
#include "primitive/cbc.h"

#include <string.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

/* EVP counts in int: the largest whole number of blocks it takes at once. */
#define CHUNK_SIZE ((size_t)1 << 30)

void cbc_init(struct cbc_state *state, size_t block_size)
{
    memset(state, 0, sizeof(*state));
    state->block_size = (uint8_t)block_size;
}

void cbc_clear(struct cbc_state *state)
{
    EVP_CIPHER_CTX_free(state->engine);
    OPENSSL_cleanse(state, sizeof(*state));
}

void cbc_forget_key(struct cbc_state *state)
{
    EVP_CIPHER_CTX_free(state->engine);
    state->engine = NULL;
    state->engine_in_step = 0;
}

void cbc_restart(struct cbc_state *state)
{
    memcpy(state->chain, state->iv, sizeof(state->chain));
    OPENSSL_cleanse(state->buffer, sizeof(state->buffer));
    state->buffered = 0;
    state->direction = CBC_NONE;
    state->engine_in_step = 0;
}

void cbc_set_iv(struct cbc_state *state, const uint8_t *iv)
{
    memcpy(state->iv, iv, state->block_size);
    cbc_restart(state);
}

void cbc_copy(struct cbc_state *to, const struct cbc_state *from)
{
    *to = *from;
    to->engine = NULL;
    to->engine_in_step = 0;
}

/* RC2 has keys of many sizes, and effective bits beside them: both come before the key. */
static int start_engine(EVP_CIPHER_CTX *engine, const struct cbc_job *job, const uint8_t *chain,
                        int encrypt)
{
    unsigned bits = job->effective_bits;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint(OSSL_CIPHER_PARAM_RC2_KEYBITS, &bits),
                            OSSL_PARAM_construct_end() };

    if (bits == 0)
        return EVP_CipherInit_ex2(engine, job->cipher, job->key, chain, encrypt, NULL);
    return EVP_CipherInit_ex2(engine, job->cipher, NULL, NULL, encrypt, NULL) &&
           EVP_CIPHER_CTX_set_key_length(engine, (int)job->key_size) > 0 &&
           EVP_CIPHER_CTX_set_params(engine, params) > 0 &&
           EVP_CipherInit_ex2(engine, NULL, job->key, chain, encrypt, NULL);
}

/* Brings the engine to |job|'s direction and to the present chaining value. */
static int prepare_engine(struct cbc_state *state, const struct cbc_job *job)
{
    int encrypt = job->direction == CBC_ENCRYPT;
    int fresh = state->engine == NULL || state->engine_direction != (uint8_t)job->direction;

    if (!fresh && state->engine_in_step)
        return 1;
    if (state->engine == NULL && (state->engine = EVP_CIPHER_CTX_new()) == NULL)
        return 0;
    state->engine_in_step = 0;
    if (!(fresh ? start_engine(state->engine, job, state->chain, encrypt)
                : EVP_CipherInit_ex2(state->engine, NULL, NULL, state->chain, encrypt, NULL)) ||
        !EVP_CIPHER_CTX_set_padding(state->engine, 0)) {
        state->engine_direction = CBC_NONE;
        return 0;
    }
    state->engine_direction = (uint8_t)job->direction;
    state->engine_in_step = 1;
    return 1;
}

/* Runs whole blocks through the engine and keeps |chain| equal to its chaining value. */
static int process_blocks(struct cbc_state *state, const struct cbc_job *job, const uint8_t *in,
                          uint8_t *out, size_t size)
{
    size_t block = state->block_size;
    uint8_t last[CBC_MAX_BLOCK_SIZE];

    if (size == 0)
        return 1;
    if (!prepare_engine(state, job))
        return 0;
    /* |out| may be |in|: the last ciphertext block is taken before it is overwritten. */
    if (job->direction == CBC_DECRYPT)
        memcpy(last, in + size - block, block);
    for (size_t done = 0, chunk; done < size; done += chunk) {
        int written = 0;

        chunk = size - done < CHUNK_SIZE ? size - done : CHUNK_SIZE;
        if (!EVP_CipherUpdate(state->engine, out + done, &written, in + done, (int)chunk) ||
            (size_t)written != chunk) {
            state->engine_in_step = 0;
            return 0;
        }
    }
    if (job->direction == CBC_ENCRYPT)
        memcpy(last, out + size - block, block);
    memcpy(state->chain, last, block);
    return 1;
}

/* A padded decryption holds the last whole block back: it may turn out to be the padding. */
size_t cbc_update_size(const struct cbc_state *state, const struct cbc_job *job, size_t size)
{
    size_t block = state->block_size;
    size_t total = state->buffered + size;

    if (job->direction == CBC_DECRYPT && job->padding)
        return total == 0 ? 0 : (total - 1) / block * block;
    return total / block * block;
}

static void keep(struct cbc_state *state, const struct cbc_job *job, const uint8_t *in, size_t size)
{
    if (size != 0)
        memcpy(state->buffer + state->buffered, in, size);
    state->buffered = (uint8_t)(state->buffered + size);
    state->direction = state->buffered != 0 ? (uint8_t)job->direction : CBC_NONE;
}

enum cbc_result cbc_update(struct cbc_state *state, const struct cbc_job *job, const uint8_t *in,
                           size_t size, uint8_t *out, size_t out_size, size_t *written)
{
    size_t block = state->block_size;
    size_t ready = cbc_update_size(state, job, size);
    size_t first = 0;
    uint8_t joined[CBC_MAX_BLOCK_SIZE], chain[CBC_MAX_BLOCK_SIZE];

    if (ready > out_size)
        return CBC_OUTPUT_TOO_SMALL;
    *written = ready;
    if (ready == 0) {
        keep(state, job, in, size);
        return CBC_OK;
    }
    /* Until all has gone well nothing that is held is touched. */
    memcpy(chain, state->chain, block);
    if (state->buffered != 0) {
        size_t missing = block - state->buffered;
        int ok;

        memcpy(joined, state->buffer, state->buffered);
        if (missing != 0)
            memcpy(joined + state->buffered, in, missing);
        ok = process_blocks(state, job, joined, out, block);
        OPENSSL_cleanse(joined, sizeof(joined));
        if (!ok) {
            OPENSSL_cleanse(chain, sizeof(chain));
            return CBC_ENGINE_FAILURE;
        }
        size -= missing;
        if (size != 0)
            in += missing;
        first = block;
    }
    if (!process_blocks(state, job, in, out + first, ready - first)) {
        memcpy(state->chain, chain, block);
        OPENSSL_cleanse(chain, sizeof(chain));
        return CBC_ENGINE_FAILURE;
    }
    OPENSSL_cleanse(chain, sizeof(chain)); /* at first a derived IV */
    if (first != 0) {
        OPENSSL_cleanse(state->buffer, sizeof(state->buffer));
        state->buffered = 0;
    }
    size -= ready - first;
    keep(state, job, size != 0 ? in + (ready - first) : NULL, size);
    return CBC_OK;
}

/* Without padding a block that a padded decryption held back is a block like any other. */
static enum cbc_result release_block(struct cbc_state *state, const struct cbc_job *job,
                                     uint8_t *out, size_t out_size, size_t *written)
{
    size_t block = state->block_size;

    if (state->buffered == 0)
        return CBC_OK;
    if (state->buffered != block)
        return CBC_PARTIAL_BLOCK;
    if (out_size < block)
        return CBC_OUTPUT_TOO_SMALL;
    if (!process_blocks(state, job, state->buffer, out, block))
        return CBC_ENGINE_FAILURE;
    *written = block;
    return CBC_OK;
}

/* Pads the buffered input to a block and encrypts it. */
static enum cbc_result finish_encryption(struct cbc_state *state, const struct cbc_job *job,
                                         uint8_t *out, size_t out_size, size_t *written)
{
    size_t block = state->block_size;
    size_t pad = block - state->buffered;

    if (out_size < block)
        return CBC_OUTPUT_TOO_SMALL;
    memset(state->buffer + state->buffered, (int)pad, pad);
    if (!process_blocks(state, job, state->buffer, out, block))
        return CBC_ENGINE_FAILURE;
    *written = block;
    return CBC_OK;
}

/* 0xff when a < b, else 0, for a and b up to 255: no branch on either. */
static uint8_t mask_less(unsigned a, unsigned b)
{
    return (uint8_t)((a - b) >> 8);
}

/*
 * The length of PKCS #7 padding at the end of |block|, 0 when it is malformed.  Runs over the whole
 * block whatever the padding is.
 */
static size_t padding_length(const uint8_t *block, size_t size)
{
    unsigned pad = block[size - 1];
    /* pad - 1 wraps for 0, which is malformed like everything above the block size. */
    uint8_t good = mask_less((pad - 1) & 0xff, (unsigned)size);

    for (size_t n = 0; n < size; n++) {
        uint8_t inside = mask_less((unsigned)n, pad);
        uint8_t differs = (uint8_t)(block[size - 1 - n] ^ pad);

        /* 0xff when the byte differs, else 0 */
        differs = (uint8_t)((0u - (unsigned)differs) >> 8);
        good &= (uint8_t) ~(inside & differs);
    }
    return pad & good;
}

/* Decrypts the block held back and takes the padding off. */
static enum cbc_result finish_decryption(struct cbc_state *state, const struct cbc_job *job,
                                         uint8_t *out, size_t out_size, size_t *written)
{
    size_t block = state->block_size;
    uint8_t plain[CBC_MAX_BLOCK_SIZE], chain[CBC_MAX_BLOCK_SIZE];
    size_t pad;
    enum cbc_result result = CBC_BAD_PADDING;

    if (state->buffered != block)
        return CBC_PARTIAL_BLOCK;
    memcpy(chain, state->chain, block);
    if (!process_blocks(state, job, state->buffer, plain, block)) {
        result = CBC_ENGINE_FAILURE;
        goto end;
    }
    pad = padding_length(plain, block);
    if (pad != 0 && out_size >= block - pad) {
        memcpy(out, plain, block - pad);
        *written = block - pad;
        result = CBC_OK;
        goto end;
    }
    /* Nothing may have changed: undo the step. */
    memcpy(state->chain, chain, block);
    state->engine_in_step = 0;
    if (pad != 0)
        result = CBC_OUTPUT_TOO_SMALL;
end:
    OPENSSL_cleanse(plain, sizeof(plain));
    return result;
}

enum cbc_result cbc_final(struct cbc_state *state, const struct cbc_job *job, uint8_t *out,
                          size_t out_size, size_t *written)
{
    enum cbc_result result = CBC_OK;

    *written = 0;
    if (job->padding)
        result = job->direction == CBC_ENCRYPT
                     ? finish_encryption(state, job, out, out_size, written)
                     : finish_decryption(state, job, out, out_size, written);
    else
        result = release_block(state, job, out, out_size, written);
    if (result == CBC_OK) {
        OPENSSL_cleanse(state->buffer, sizeof(state->buffer));
        state->buffered = 0;
        state->direction = CBC_NONE;
    }
    return result;
}
