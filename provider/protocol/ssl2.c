/*
 * SSL 2.0 key derivation: see ssl2.h.
 * Called by kdf/ and key/; pure functions that cleanse what they computed on the way.
 */
#include "protocol/ssl2.h"

#include <string.h>
#include <openssl/crypto.h>

#define MD5_SIZE 16

size_t ssl2_join_master(struct octets clear_key, struct octets secret, uint8_t *out)
{
    if (secret.size == SSL2_FULL_MASTER_SIZE && clear_key.size <= SSL2_MAX_CLEAR_SIZE) {
        secret.data += clear_key.size;
        secret.size -= clear_key.size;
    }
    if (clear_key.size > SSL2_MAX_MASTER_SIZE ||
        secret.size > SSL2_MAX_MASTER_SIZE - clear_key.size)
        return 0;
    if (clear_key.size != 0)
        memcpy(out, clear_key.data, clear_key.size);
    memcpy(out + clear_key.size, secret.data, secret.size);
    return clear_key.size + secret.size;
}

static int is_des_without_digit(const struct connection *connection)
{
    return connection->cipher != NULL && connection->cipher->id == BULK_CIPHER_DES &&
           !connection->ssl2_des_digit;
}

/* KM_n = MD5(master || digit || challenge || connection id), digit in ASCII; none for n < 0. */
static void key_material(struct octets master, const struct connection *connection, int n,
                         uint8_t out[MD5_SIZE])
{
    const uint8_t digit = (uint8_t)('0' + n);
    struct digest_state state;

    digest_init(&state, DIGEST_MD5);
    digest_update(&state, master.data, master.size);
    if (n >= 0)
        digest_update(&state, &digit, 1);
    digest_update(&state, connection->client_random.data, connection->client_random.size);
    digest_update(&state, connection->server_random.data, connection->server_random.size);
    digest_final(&state, out);
}

size_t ssl2_key_material_size(const struct connection *connection)
{
    return is_des_without_digit(connection) ? SSL2_DES_KEY_MATERIAL : SSL2_KEY_MATERIAL;
}

void ssl2_key_material(struct octets master, const struct connection *connection, uint8_t *out,
                       size_t size)
{
    uint8_t part[MD5_SIZE];

    for (int n = is_des_without_digit(connection) ? -1 : 0; size != 0; n++) {
        const size_t used = size < sizeof(part) ? size : sizeof(part);

        key_material(master, connection, n, part);
        memcpy(out, part, used);
        out += used;
        size -= used;
    }
    OPENSSL_cleanse(part, sizeof(part));
}

size_t ssl2_key_size(const struct connection *connection)
{
    const struct bulk_cipher *cipher = connection->cipher;
    unsigned bits = connection->cipher_bits;

    switch (cipher->id) {
    case BULK_CIPHER_RC4:
    case BULK_CIPHER_RC2:
        return bits == 0 || bits == 40 || bits == 128 ? 16 : 0;
    case BULK_CIPHER_DES:
    case BULK_CIPHER_DES_EDE3:
        return bits == 0 || bits == cipher->default_bits || bits == cipher->strength_bits
                   ? cipher->default_bits / 8
                   : 0;
    default:
        return 0;
    }
}

/* CLIENT-READ-KEY, which is the server's write key, comes first. */
void ssl2_write_key(struct octets master, const struct connection *connection,
                    enum connection_side side, uint8_t *key)
{
    const size_t size = ssl2_key_size(connection);
    const size_t start = side == SIDE_CLIENT ? size : 0;
    uint8_t material[SSL2_KEY_MATERIAL];

    ssl2_key_material(master, connection, material, start + size);
    memcpy(key, material + start, size);
    OPENSSL_cleanse(material, sizeof(material));
}
