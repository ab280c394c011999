/*
 * CBC whose state can be saved at any byte: chaining value plus the input not yet processed.
 *
 * The block work is libcrypto's, without padding and on whole blocks only; what is buffered here is
 * always unprocessed input (plaintext when encrypting, ciphertext when decrypting), so the state of
 * a stream is |chain| and |buffer| and nothing else.  Padding is PKCS #7 and belongs to the
 * caller's context: it is an argument, not state. Called by key/cipher_value.  Cleanse with
 * cbc_clear.
 */
#ifndef SCHANNEL_PRIMITIVE_CBC_H
#define SCHANNEL_PRIMITIVE_CBC_H

#include <openssl/types.h>
#include "primitive/octets.h"

#define CBC_MAX_BLOCK_SIZE 16

enum cbc_direction { CBC_NONE = 0, CBC_ENCRYPT = 1, CBC_DECRYPT = 2 };

struct cbc_state {
    uint8_t iv[CBC_MAX_BLOCK_SIZE];     /* the original IV, KP_IV */
    uint8_t chain[CBC_MAX_BLOCK_SIZE];  /* the chaining value: what the next block is mixed with */
    uint8_t buffer[CBC_MAX_BLOCK_SIZE]; /* input not yet processed */
    uint8_t buffered; /* 0..block_size; block_size only while decrypting with padding */
    uint8_t block_size;
    uint8_t direction; /* of the buffered input; CBC_NONE when nothing is buffered */

    /* Not part of the saved state: libcrypto's context, made on first use. */
    uint8_t engine_direction;
    uint8_t engine_in_step; /* the engine's own chaining value equals |chain| */
    EVP_CIPHER_CTX *engine;
};

/* What a call needs beside the state: all borrowed. */
struct cbc_job {
    const EVP_CIPHER *cipher;
    const uint8_t *key;
    size_t key_size;
    unsigned effective_bits; /* of RC2; 0: the cipher has no such thing, and keys of one size */
    enum cbc_direction direction;
    int padding;
};

enum cbc_result {
    CBC_OK = 0,
    CBC_OUTPUT_TOO_SMALL, /* nothing was changed */
    CBC_PARTIAL_BLOCK, /* no padding, but the data does not end with a block: nothing was changed */
    CBC_BAD_PADDING,   /* nothing was changed */
    CBC_ENGINE_FAILURE /* libcrypto failed; the state is unusable until the next IV */
};

void cbc_init(struct cbc_state *state, size_t block_size);
/* Frees the engine and cleanses the whole state. */
void cbc_clear(struct cbc_state *state);
/* Sets the original IV and starts a chain with it; drops buffered input. */
void cbc_set_iv(struct cbc_state *state, const uint8_t *iv);
/* The key or its effective bits have changed: the engine goes, the chain stays. */
void cbc_forget_key(struct cbc_state *state);
/* Back to the original IV; drops buffered input. */
void cbc_restart(struct cbc_state *state);
/* Copies the saved state; the copy makes an engine of its own when it needs one. */
void cbc_copy(struct cbc_state *to, const struct cbc_state *from);

/* How many bytes cbc_update would write. */
size_t cbc_update_size(const struct cbc_state *state, const struct cbc_job *job, size_t size);
/* |out| may equal |in| when nothing is buffered.  *|written| is set on CBC_OK. */
enum cbc_result cbc_update(struct cbc_state *state, const struct cbc_job *job, const uint8_t *in,
                           size_t size, uint8_t *out, size_t out_size, size_t *written);
/* Ends a message; the chain goes on.  Writes at most a block. */
enum cbc_result cbc_final(struct cbc_state *state, const struct cbc_job *job, uint8_t *out,
                          size_t out_size, size_t *written);

#endif
