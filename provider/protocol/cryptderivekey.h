/*
 * CryptDeriveKey on a hash of plain data, which is how CryptoAPI makes keys from passwords.
 *
 * There is no iteration, and no salt in the hash: for reading old data only.  With H the hash
 * function, h = H(data) and n the bytes of the key:
 *
 *                       DES     two-key 3DES  3DES      RC2, RC4  AES-128, -192, -256
 *     MD2 to SHA-1      direct  direct        expanded  direct    expanded
 *     SHA-256 to -512   direct  direct        direct    direct    direct
 *
 *     direct      key = the first n bytes of h
 *     expanded    key = the first n bytes of H(a) || H(b), where a is 64 bytes of 0x36 and b is 64
 *                 bytes of 0x5C, each with its first bytes XORed with h
 *
 * Source: the documentation of CryptDeriveKey ("Remarks").  It leaves open whether "3DES" means
 * two-key triple DES as well: the recorded answers in tests/vectors/rsaenh-derive.txt say no.
 *
 * Pure functions; called by key/password.
 */
#ifndef SCHANNEL_PROTOCOL_CRYPTDERIVEKEY_H
#define SCHANNEL_PROTOCOL_CRYPTDERIVEKEY_H

#include <openssl/types.h>
#include "protocol/bulk_cipher.h"

#define CRYPTDERIVEKEY_MIN_HASH_SIZE 16
#define CRYPTDERIVEKEY_MAX_HASH_SIZE 64
/* What an RC2 or RC4 key has together with its salt of CRYPT_CREATE_SALT, in bytes. */
#define CRYPTDERIVEKEY_SALTED_SIZE 16

/* The hash functions that CryptDeriveKey takes, for error messages. */
#define CRYPTDERIVEKEY_HASH_NAMES "MD2, MD4, MD5, SHA1, SHA2-256, SHA2-384 or SHA2-512"

struct cryptderivekey_hash {
    const char *name[3]; /* of EVP, the first one is ours; NULL behind the last */
    size_t size;         /* bytes: CRYPTDERIVEKEY_MIN_HASH_SIZE to CRYPTDERIVEKEY_MAX_HASH_SIZE */
    int is_sha2;
};

/* NULL when CryptDeriveKey has no such hash.  Names are compared without case. */
const struct cryptderivekey_hash *cryptderivekey_hash_by_name(const char *name);
/* The same for an implementation, under whatever name it was found. */
const struct cryptderivekey_hash *cryptderivekey_hash_of(const EVP_MD *md);

/*
 * The key: |size| bytes, one of the sizes of |cipher|, at |key|.  DES keys get odd parity, which is
 * how Windows exports them.  |md| implements |hash|; |value| is h, hash->size bytes.  1, or 0 when
 * |md| fails; |key| is to be cleansed in either case.
 */
int cryptderivekey_key(const EVP_MD *md, const struct cryptderivekey_hash *hash,
                       const uint8_t *value, const struct bulk_cipher *cipher, uint8_t *key,
                       size_t size);

/*
 * How many bytes of salt CRYPT_CREATE_SALT gives a key of |size| bytes: for RC2 and RC4 what is
 * left up to CRYPTDERIVEKEY_SALTED_SIZE, 11 for a key of 40 bits; 0 for other ciphers.
 */
size_t cryptderivekey_salt_size(const struct bulk_cipher *cipher, size_t size);
/* That salt: the bytes of h behind the key. */
void cryptderivekey_salt(const uint8_t *value, const struct bulk_cipher *cipher, size_t size,
                         uint8_t *salt);

#endif
