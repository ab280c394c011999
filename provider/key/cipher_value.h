/*
 * A bulk cipher key together with its running state: RC4 position or CBC chaining value and
 * buffered input.  A value struct: it belongs to a key object, which locks it, or to a cipher
 * context that was given plain key bytes.
 * Called by cipher/, key/key and blob/opaque.
 */
#ifndef SCHANNEL_KEY_CIPHER_VALUE_H
#define SCHANNEL_KEY_CIPHER_VALUE_H

#include "primitive/cbc.h"
#include "primitive/rc4.h"
#include "protocol/bulk_cipher.h"
#include "provctx.h"

/* KP_SALT of the Base provider: keys of exactly 40 bits only. */
#define CIPHER_VALUE_SALT_SIZE 11
/* RFC 2268: keys of 1 to 128 bytes, effective bits from 1 to 1024. */
#define CIPHER_VALUE_MAX_RC2_SIZE       128
#define CIPHER_VALUE_MAX_EFFECTIVE_BITS 1024
/* What the protocols' RC2 ciphers run with, whatever their keys are made of. */
#define CIPHER_VALUE_PROTOCOL_EFFECTIVE_BITS 128

struct cipher_value {
    const struct bulk_cipher *cipher;
    uint64_t position; /* bytes that went through since the key was made */
    /* Key objects hold every key whole.  Plain-key contexts may have longer ones: those of RC2 are
     * in |long_key|, those of RC4 live on in the permutation only, and |key_size| is 0 then. */
    uint8_t key_size;
    uint8_t key[BULK_CIPHER_MAX_KEY_SIZE];
    uint16_t effective_bits; /* of RC2, KP_EFFECTIVE_KEYLEN; else 0 */
    uint8_t salt_size;       /* 0 or CIPHER_VALUE_SALT_SIZE: the cipher runs with key || salt */
    uint8_t salt[CIPHER_VALUE_SALT_SIZE];
    union {
        struct rc4_state rc4;
        struct {
            struct cbc_state cbc;
            uint8_t long_key[CIPHER_VALUE_MAX_RC2_SIZE];
        };
    } u;
};

/* How the calling context uses the value. */
struct cipher_use {
    int encrypt;
    int padding;
};

/*
 * A new key at the start of its stream, with an IV of zeros.  |key| has a size that the cipher
 * takes, |salt| one that cipher_value_salt_is_valid allows.  RC2: as many effective bits as the key
 * has, salt not counted.
 */
void cipher_value_init(struct cipher_value *value, const struct bulk_cipher *cipher,
                       struct octets key, struct octets salt);
/* The same without a stream, which the caller restores.  The |key| of RC4 may be missing. */
void cipher_value_init_stopped(struct cipher_value *value, const struct bulk_cipher *cipher,
                               struct octets key, struct octets salt);
/* No salt, or 11 bytes for an RC4 or RC2 key of 40 bits. */
int cipher_value_salt_is_valid(const struct bulk_cipher *cipher, size_t key_size, size_t salt_size);
void cipher_value_clear(struct cipher_value *value);
/* An independent copy in the same state. */
void cipher_value_copy(struct cipher_value *to, const struct cipher_value *from);
struct octets cipher_value_key(const struct cipher_value *value);
struct octets cipher_value_salt(const struct cipher_value *value);
/* KP_SALT: a new stream with another salt.  |salt| has CIPHER_VALUE_SALT_SIZE bytes. */
void cipher_value_set_salt(struct cipher_value *value, const uint8_t *salt);

/* KP_EFFECTIVE_KEYLEN of RC2: the chain goes on. */
void cipher_value_set_effective_bits(struct cipher_value *value, unsigned bits);

int cipher_value_is_stream(const struct cipher_value *value);
/* KP_IV: |iv| has iv_size bytes.  Drops buffered input.  Nothing for a stream cipher. */
void cipher_value_set_iv(struct cipher_value *value, const uint8_t *iv);
/* Back to the original IV, as EVP does when a context is initialised without one. */
void cipher_value_restart(struct cipher_value *value);
/* Back to the very start: the original IV, RC4 at its first byte again. */
void cipher_value_reset(struct cipher_value *value);
/* The chaining value now: iv_size bytes, borrowed. */
struct octets cipher_value_chain(const struct cipher_value *value);

/*
 * Advances the key.  1 with *written set, or 0 with a reason raised; the state is then untouched,
 * but for a failure of libcrypto itself.
 */
int cipher_value_update(struct provctx *provctx, struct cipher_value *value,
                        const struct cipher_use *use, const uint8_t *in, size_t size, uint8_t *out,
                        size_t out_size, size_t *written);
int cipher_value_final(struct provctx *provctx, struct cipher_value *value,
                       const struct cipher_use *use, uint8_t *out, size_t out_size,
                       size_t *written);

#endif
