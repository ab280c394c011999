/* Keys from the hash of a password: see cryptderivekey.h. */
#include "protocol/cryptderivekey.h"

#include <string.h>
#include <strings.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include "protocol/des_key.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define BLOCK_SIZE   64

static const struct cryptderivekey_hash hashes[] = {
    { { "MD2" }, 16, 0 },
    { { "MD4" }, 16, 0 },
    { { "MD5" }, 16, 0 },
    { { "SHA1", "SHA-1" }, 20, 0 },
    { { "SHA2-256", "SHA-256", "SHA256" }, 32, 1 },
    { { "SHA2-384", "SHA-384", "SHA384" }, 48, 1 },
    { { "SHA2-512", "SHA-512", "SHA512" }, 64, 1 },
};

const struct cryptderivekey_hash *cryptderivekey_hash_by_name(const char *name)
{
    for (size_t n = 0; n < COUNT(hashes); n++) {
        for (size_t alias = 0; alias < COUNT(hashes[n].name); alias++) {
            if (hashes[n].name[alias] != NULL && strcasecmp(hashes[n].name[alias], name) == 0)
                return &hashes[n];
        }
    }
    return NULL;
}

const struct cryptderivekey_hash *cryptderivekey_hash_of(const EVP_MD *md)
{
    for (size_t n = 0; n < COUNT(hashes); n++) {
        if (EVP_MD_is_a(md, hashes[n].name[0]) && EVP_MD_get_size(md) == (int)hashes[n].size)
            return &hashes[n];
    }
    return NULL;
}

static int is_expanded(const struct cryptderivekey_hash *hash, const struct bulk_cipher *cipher)
{
    static const int expanded[] = {
        [BULK_CIPHER_DES_EDE3] = 1,
        [BULK_CIPHER_AES_128] = 1,
        [BULK_CIPHER_AES_192] = 1,
        [BULK_CIPHER_AES_256] = 1,
    };

    return !hash->is_sha2 && expanded[cipher->id];
}

/* H of a block of |pad| bytes with h in its front. */
static int hash_padded(const EVP_MD *md, const struct cryptderivekey_hash *hash,
                       const uint8_t *value, uint8_t pad, uint8_t *out)
{
    uint8_t block[BLOCK_SIZE];
    int ok;

    memset(block, pad, sizeof(block));
    for (size_t n = 0; n < hash->size; n++)
        block[n] ^= value[n];
    ok = EVP_Digest(block, sizeof(block), out, NULL, md, NULL);
    OPENSSL_cleanse(block, sizeof(block));
    return ok;
}

static int expand(const EVP_MD *md, const struct cryptderivekey_hash *hash, const uint8_t *value,
                  uint8_t *key, size_t size)
{
    uint8_t both[2 * CRYPTDERIVEKEY_MAX_HASH_SIZE];
    int ok = hash_padded(md, hash, value, 0x36, both) &&
             hash_padded(md, hash, value, 0x5c, both + hash->size);

    if (ok)
        memcpy(key, both, size);
    OPENSSL_cleanse(both, sizeof(both));
    return ok;
}

int cryptderivekey_key(const EVP_MD *md, const struct cryptderivekey_hash *hash,
                       const uint8_t *value, const struct bulk_cipher *cipher, uint8_t *key,
                       size_t size)
{
    if (!is_expanded(hash, cipher))
        memcpy(key, value, size);
    else if (!expand(md, hash, value, key, size))
        return 0;
    if (cipher->strength_bits != cipher->default_bits)
        des_key_set_parity(key, size);
    return 1;
}

size_t cryptderivekey_salt_size(const struct bulk_cipher *cipher, size_t size)
{
    if (cipher->id != BULK_CIPHER_RC2 && cipher->id != BULK_CIPHER_RC4)
        return 0;
    return size < CRYPTDERIVEKEY_SALTED_SIZE ? CRYPTDERIVEKEY_SALTED_SIZE - size : 0;
}

void cryptderivekey_salt(const uint8_t *value, const struct bulk_cipher *cipher, size_t size,
                         uint8_t *salt)
{
    memcpy(salt, value + size, cryptderivekey_salt_size(cipher, size));
}
