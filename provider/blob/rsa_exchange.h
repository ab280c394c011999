/*
 * RSA as SIMPLEBLOB uses it, with keys of any provider.
 *
 * Decryption asks the key's provider for the bare RSA operation, so that the padding is examined
 * here, in time that does not depend on it; a provider that has no bare operation, as a token may,
 * removes the padding itself.  Called by blob/simple.
 */
#ifndef SCHANNEL_BLOB_RSA_EXCHANGE_H
#define SCHANNEL_BLOB_RSA_EXCHANGE_H

#include <openssl/types.h>
#include "key/options.h"
#include "primitive/octets.h"
#include "provctx.h"

#define RSA_EXCHANGE_MAX_SIZE 2048 /* bytes of a modulus: 16384 bits */

/* Bytes of the modulus; 0 when the key does not tell. */
size_t rsa_exchange_size(const EVP_PKEY *key);

/* 1 when all are RSA keys of a size that fits; else 0 with a reason raised. */
int rsa_exchange_check_keys(const struct provctx *provctx, EVP_PKEY **keys, size_t count);

/* 1 when |size| bytes and their padding fit under |key|; else 0 with a reason raised. */
int rsa_exchange_check_room(const struct provctx *provctx, EVP_PKEY *key, enum pad_mode pad_mode,
                            size_t size);

/*
 * |bytes|, for which there is room, under |key|: as many bytes as the modulus at |out|,
 * RSA_EXCHANGE_MAX_SIZE there, in RSA's own order.  |is_marked|: with the mark of
 * CRYPT_SSL2_FALLBACK.  1, or 0 with a reason raised.
 */
int rsa_exchange_encrypt(const struct provctx *provctx, EVP_PKEY *key, enum pad_mode pad_mode,
                         int is_marked, struct octets bytes, uint8_t *out, size_t *size);

/* A decrypted block, always in the form of RSAES-PKCS1-v1_5, whichever padding it had. */
struct rsa_exchange_block {
    uint8_t data[RSA_EXCHANGE_MAX_SIZE];
    size_t size, good; /* |good| is a mask: 0 when RSA refused */
};

/*
 * Decrypts |ciphertext|, as long as the modulus.  |needs_padding|: the caller looks at the padding
 * itself.  What comes of a wrong ciphertext is no error here; 0 with a reason raised when the key
 * cannot be used at all.  The caller cleanses |block|.
 */
int rsa_exchange_decrypt(const struct provctx *provctx, EVP_PKEY *key, enum pad_mode pad_mode,
                         int needs_padding, struct octets ciphertext,
                         struct rsa_exchange_block *block);

#endif
