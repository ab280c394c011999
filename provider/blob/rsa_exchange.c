/* RSA with keys of any provider: see rsa_exchange.h. */
#include "blob/rsa_exchange.h"

#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include "blob/encryption_block.h"
#include "blob/key_argument.h"
#include "primitive/constant_time.h"

#define MAX_PADDING_TRIES 64 /* of a byte that must not be 0 */

/* EVP_PKEY_get_size is not it: a token may answer with the most that any key of it can have. */
size_t rsa_exchange_size(const EVP_PKEY *key)
{
    const int bits = EVP_PKEY_get_bits(key);

    return bits > 0 ? ((size_t)bits + 7) / 8 : 0;
}

int rsa_exchange_check_keys(const struct provctx *provctx, EVP_PKEY **keys, size_t count)
{
    for (size_t n = 0; n < count; n++) {
        const char *type = EVP_PKEY_get0_type_name(keys[n]);
        const size_t size = rsa_exchange_size(keys[n]);

        if (!EVP_PKEY_is_a(keys[n], "RSA"))
            return RAISE(provctx->errors, SCHANNEL_R_WRONG_KIND_OF_KEY,
                         "exchange-key: expected an RSA key, got %s",
                         type != NULL ? type : "another one");
        if (size <= ENCRYPTION_BLOCK_OVERHEAD || size > RSA_EXCHANGE_MAX_SIZE)
            return RAISE(provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                         "exchange-key: expected an RSA key of at most %d bits, got %d bits",
                         8 * RSA_EXCHANGE_MAX_SIZE, EVP_PKEY_get_bits(keys[n]));
    }
    return 1;
}

static EVP_PKEY_CTX *new_operation(const struct provctx *provctx, EVP_PKEY *key)
{
    char properties[KEY_ARGUMENT_PROPERTIES_SIZE];

    key_argument_properties(key, properties);
    return EVP_PKEY_CTX_new_from_pkey(provctx->keys_libctx, key, properties);
}

/* An operation was not to be had: because nobody offers it, or because of this key; says which.  0 */
static int raise_failed(const struct provctx *provctx, enum schannel_reason reason,
                        const char *sentence)
{
    EVP_ASYM_CIPHER *rsa;

    errors_mark(provctx->errors);
    rsa = EVP_ASYM_CIPHER_fetch(provctx->keys_libctx, "RSA", PROVCTX_INNER_PROPERTIES);
    errors_unmark(provctx->errors, 0);
    EVP_ASYM_CIPHER_free(rsa);
    if (rsa == NULL)
        return errors_raise_unavailable(provctx->errors, provctx->keys_libctx, "RSA");
    return RAISE(provctx->errors, reason, "%s", sentence);
}

/* 1 when the key's provider takes |padding|.  OAEP is that of CryptoAPI, with SHA-1, which not every
 * provider has for its default; one that has no choice of digests is taken at its word. */
static int set_padding(EVP_PKEY_CTX *operation, int padding)
{
    int result = EVP_PKEY_CTX_set_rsa_padding(operation, padding);

    if (result > 0 && padding == RSA_PKCS1_OAEP_PADDING &&
        (result = EVP_PKEY_CTX_set_rsa_oaep_md_name(operation, "SHA1", NULL)) == -2)
        result = 1;
    return result > 0;
}

/* ---- encryption ---- */

static int encrypt_block(const struct provctx *provctx, EVP_PKEY *key, int padding,
                         struct octets in, uint8_t *out, size_t *size)
{
    EVP_PKEY_CTX *operation;
    int ok;

    errors_mark(provctx->errors);
    operation = new_operation(provctx, key);
    *size = RSA_EXCHANGE_MAX_SIZE;
    ok = operation != NULL && EVP_PKEY_encrypt_init(operation) > 0 &&
         set_padding(operation, padding) &&
         EVP_PKEY_encrypt(operation, out, size, in.data, in.size) > 0 &&
         *size == rsa_exchange_size(key);
    EVP_PKEY_CTX_free(operation);
    errors_unmark(provctx->errors, 0);
    return ok || raise_failed(provctx, SCHANNEL_R_LIBCRYPTO_FAILURE,
                              "exchange-key: RSA encryption failed");
}

/* Random bytes, none of which is 0. */
static int random_padding(const struct provctx *provctx, uint8_t *padding, size_t size)
{
    int tries = 0;

    if (RAND_bytes_ex(provctx->libctx, padding, size, 0) != 1)
        return errors_raise_no_random(provctx->errors, provctx->libctx, "a simple blob");
    for (size_t n = 0; n < size; n++) {
        while (padding[n] == 0) {
            if (tries++ == MAX_PADDING_TRIES + (int)size ||
                RAND_bytes_ex(provctx->libctx, padding + n, 1, 0) != 1)
                return errors_raise_no_random(provctx->errors, provctx->libctx, "a simple blob");
        }
    }
    return 1;
}

/* libcrypto's own padding has no mark: this one is made here. */
static int encrypt_marked(const struct provctx *provctx, EVP_PKEY *key, struct octets bytes,
                          size_t modulus_size, uint8_t *out, size_t *size)
{
    uint8_t block[RSA_EXCHANGE_MAX_SIZE], padding[RSA_EXCHANGE_MAX_SIZE];
    int ok = random_padding(provctx, padding, modulus_size - 3 - bytes.size);

    if (ok) {
        encryption_block_write_marked(block, modulus_size, padding, bytes);
        ok = encrypt_block(provctx, key, RSA_NO_PADDING, (struct octets){ block, modulus_size },
                           out, size);
    }
    OPENSSL_cleanse(block, sizeof(block));
    OPENSSL_cleanse(padding, sizeof(padding));
    return ok;
}

int rsa_exchange_check_room(const struct provctx *provctx, EVP_PKEY *key, enum pad_mode pad_mode,
                            size_t size)
{
    const size_t overhead =
        pad_mode == PAD_MODE_OAEP ? 2 * 20 + 2 : (size_t)ENCRYPTION_BLOCK_OVERHEAD;

    return size + overhead <= rsa_exchange_size(key) ||
           RAISE(provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                 "exchange-key: a key of %zu bytes and its padding of %zu do not fit into RSA of "
                 "%d bits",
                 size, overhead, EVP_PKEY_get_bits(key));
}

int rsa_exchange_encrypt(const struct provctx *provctx, EVP_PKEY *key, enum pad_mode pad_mode,
                         int is_marked, struct octets bytes, uint8_t *out, size_t *size)
{
    if (is_marked)
        return encrypt_marked(provctx, key, bytes, rsa_exchange_size(key), out, size);
    return encrypt_block(provctx, key,
                         pad_mode == PAD_MODE_OAEP ? RSA_PKCS1_OAEP_PADDING : RSA_PKCS1_PADDING,
                         bytes, out, size);
}

/* ---- decryption ---- */

enum decrypted { DECRYPTED, REFUSED, NOT_OFFERED };

/* NOT_OFFERED: the key's provider does not decrypt, or not with this padding. */
static enum decrypted decrypt(const struct provctx *provctx, EVP_PKEY *key, int padding,
                              struct octets ciphertext, uint8_t *out, size_t *size)
{
    EVP_PKEY_CTX *operation;
    enum decrypted result = NOT_OFFERED;

    errors_mark(provctx->errors);
    operation = new_operation(provctx, key);
    if (operation != NULL && EVP_PKEY_decrypt_init(operation) > 0 &&
        key_argument_stays(key, operation) && set_padding(operation, padding)) {
        *size = RSA_EXCHANGE_MAX_SIZE;
        result = EVP_PKEY_decrypt(operation, out, size, ciphertext.data, ciphertext.size) > 0
                     ? DECRYPTED
                     : REFUSED;
    }
    EVP_PKEY_CTX_free(operation);
    errors_unmark(provctx->errors, 0);
    return result;
}

/* Puts what a provider unpadded, |size| bytes, into the form of a block again. */
static void make_block(struct rsa_exchange_block *block, const uint8_t *bytes, size_t size,
                       size_t modulus_size)
{
    block->good = size + ENCRYPTION_BLOCK_OVERHEAD <= modulus_size ? ~(size_t)0 : 0;
    if (size + ENCRYPTION_BLOCK_OVERHEAD > modulus_size)
        size = 0;
    block->size = modulus_size;
    memset(block->data, 0xff, modulus_size);
    block->data[0] = 0;
    block->data[1] = 2;
    block->data[modulus_size - 1 - size] = 0;
    if (size != 0)
        memcpy(block->data + modulus_size - size, bytes, size);
}

/* The key's provider removes the padding and says whether it was right. */
static enum decrypted decrypt_padded(const struct provctx *provctx, EVP_PKEY *key, int padding,
                                     struct octets ciphertext, struct rsa_exchange_block *block)
{
    uint8_t bytes[RSA_EXCHANGE_MAX_SIZE] = { 0 };
    size_t size = 0;
    enum decrypted result = decrypt(provctx, key, padding, ciphertext, bytes, &size);

    make_block(block, bytes, result == DECRYPTED ? size : 0, ciphertext.size);
    block->good &= 0 - (size_t)(result == DECRYPTED);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return result;
}

/*
 * Whether the key's provider has the bare operation.  Some find out that they have not when they are
 * to decrypt; then what they decrypt makes no difference, and this is a number that any key can.
 */
static int has_bare_operation(const struct provctx *provctx, EVP_PKEY *key, size_t modulus_size)
{
    uint8_t number[RSA_EXCHANGE_MAX_SIZE] = { 0 }, out[RSA_EXCHANGE_MAX_SIZE];
    size_t size;

    number[modulus_size - 1] = 2;
    return decrypt(provctx, key, RSA_NO_PADDING, (struct octets){ number, modulus_size }, out,
                   &size) == DECRYPTED;
}

int rsa_exchange_decrypt(const struct provctx *provctx, EVP_PKEY *key, enum pad_mode pad_mode,
                         int needs_padding, struct octets ciphertext,
                         struct rsa_exchange_block *block)
{
    const int padding = pad_mode == PAD_MODE_OAEP ? RSA_PKCS1_OAEP_PADDING : RSA_PKCS1_PADDING;
    enum decrypted bare = NOT_OFFERED, padded;

    if (pad_mode != PAD_MODE_OAEP)
        bare = decrypt(provctx, key, RSA_NO_PADDING, ciphertext, block->data, &block->size);
    block->good = ~(size_t)0;
    if (bare == DECRYPTED && block->size == ciphertext.size)
        return 1;
    /* A bare operation refuses what is not less than the modulus, which everybody can see. */
    if (bare == REFUSED && has_bare_operation(provctx, key, ciphertext.size)) {
        make_block(block, NULL, 0, ciphertext.size);
        block->good = 0;
        return 1;
    }
    if (needs_padding)
        return RAISE(provctx->errors, SCHANNEL_R_WRONG_KIND_OF_KEY,
                     "ssl2-fallback: the exchange key's provider does not show the padding, so the "
                     "mark cannot be looked for");
    padded = decrypt_padded(provctx, key, padding, ciphertext, block);
    return padded != NOT_OFFERED ||
           raise_failed(
               provctx, SCHANNEL_R_WRONG_KIND_OF_KEY,
               "exchange-key: its provider does not offer RSA decryption with this pad-mode");
}
