/*
 * SSL 3.0 key derivation: see ssl3.h.  Section numbers are those of RFC 6101.
 * Called by kdf/ and key/; pure functions that cleanse what they computed on the way.
 */
#include "protocol/ssl3.h"

#include <string.h>
#include <openssl/crypto.h>
#include "primitive/ssl3_pad.h"

#define MD5_SIZE  16
#define SHA1_SIZE 20
#define MAX_BLOCK_SIZE                                                                             \
    (2 * (DIGEST_MAX_SIZE + BULK_CIPHER_MAX_KEY_SIZE + BULK_CIPHER_MAX_BLOCK_SIZE))

static void update(struct digest_state *state, struct octets value)
{
    digest_update(state, value.data, value.size);
}

/* Step n of the function: |n| + 1 times the letter 'A' + n. */
static void prf_step(struct octets secret, struct octets seed1, struct octets seed2, unsigned n,
                     uint8_t out[MD5_SIZE])
{
    const uint8_t letter = (uint8_t)('A' + n);
    uint8_t inner[SHA1_SIZE];
    struct digest_state state;

    digest_init(&state, DIGEST_SHA1);
    for (unsigned count = 0; count <= n; count++)
        digest_update(&state, &letter, 1);
    update(&state, secret);
    update(&state, seed1);
    update(&state, seed2);
    digest_final(&state, inner);
    digest_init(&state, DIGEST_MD5);
    update(&state, secret);
    digest_update(&state, inner, sizeof(inner));
    digest_final(&state, out);
    OPENSSL_cleanse(inner, sizeof(inner));
}

void ssl3_prf(struct octets secret, struct octets seed1, struct octets seed2, uint8_t *out,
              size_t size)
{
    uint8_t step[MD5_SIZE];

    for (unsigned n = 0; size != 0; n++) {
        const size_t part = size < sizeof(step) ? size : sizeof(step);

        prf_step(secret, seed1, seed2, n, step);
        memcpy(out, step, part);
        out += part;
        size -= part;
    }
    OPENSSL_cleanse(step, sizeof(step));
}

/* Section 6.1 */
void ssl3_master_secret(struct octets premaster, struct octets client_random,
                        struct octets server_random, uint8_t master[SSL3_MASTER_SECRET_SIZE])
{
    ssl3_prf(premaster, client_random, server_random, master, SSL3_MASTER_SECRET_SIZE);
}

/* Section 6.2.2: the server's random comes first here. */
void ssl3_key_block(const uint8_t master[SSL3_MASTER_SECRET_SIZE], struct octets client_random,
                    struct octets server_random, uint8_t *out, size_t size)
{
    ssl3_prf((struct octets){ master, SSL3_MASTER_SECRET_SIZE }, server_random, client_random, out,
             size);
}

/* One slice of the key block: |before| bytes of other kinds, then the client's and the server's. */
static void key_block_slice(const uint8_t *master, const struct connection *connection,
                            enum connection_side side, size_t before, uint8_t *out, size_t size)
{
    uint8_t block[MAX_BLOCK_SIZE];
    const size_t start = before + (side == SIDE_SERVER ? size : 0);

    ssl3_key_block(master, connection->client_random, connection->server_random, block,
                   start + size);
    memcpy(out, block + start, size);
    OPENSSL_cleanse(block, sizeof(block));
}

void ssl3_mac_secret(const uint8_t master[SSL3_MASTER_SECRET_SIZE],
                     const struct connection *connection, enum connection_side side, uint8_t *out)
{
    key_block_slice(master, connection, side, 0, out, connection->mac_bits / 8);
}

/* Section 6.2.2, exportable encryption algorithms: MD5(first || the side's random || the other). */
static void export_hash(const struct connection *connection, enum connection_side side,
                        struct octets first, uint8_t *out, size_t size)
{
    uint8_t hash[MD5_SIZE];
    struct digest_state state;
    int is_client = side == SIDE_CLIENT;

    digest_init(&state, DIGEST_MD5);
    update(&state, first);
    update(&state, is_client ? connection->client_random : connection->server_random);
    update(&state, is_client ? connection->server_random : connection->client_random);
    digest_final(&state, hash);
    memcpy(out, hash, size);
    OPENSSL_cleanse(hash, sizeof(hash));
}

int ssl3_write_key(const uint8_t master[SSL3_MASTER_SECRET_SIZE],
                   const struct connection *connection, enum connection_side side, uint8_t *key,
                   uint8_t *iv)
{
    const size_t keys_start = 2 * (connection->mac_bits / 8);
    uint8_t material[BULK_CIPHER_MAX_KEY_SIZE];
    struct bulk_cipher_sizes sizes;

    if (!bulk_cipher_key_block_sizes(connection->cipher, connection->cipher_bits,
                                     connection->is_export, &sizes))
        return 0;
    if (key != NULL && connection->is_export) {
        key_block_slice(master, connection, side, keys_start, material, sizes.material);
        export_hash(connection, side, (struct octets){ material, sizes.material }, key, sizes.key);
        OPENSSL_cleanse(material, sizeof(material));
    } else if (key != NULL) {
        key_block_slice(master, connection, side, keys_start, key, sizes.key);
    }
    if (iv != NULL && connection->is_export)
        export_hash(connection, side, (struct octets){ NULL, 0 }, iv, sizes.iv);
    else if (iv != NULL)
        key_block_slice(master, connection, side, keys_start + 2 * sizes.material, iv, sizes.iv);
    return 1;
}

/* hash(master || pad2 || hash(messages || sender || master || pad1)) */
static void handshake_hash(const uint8_t *master, const char *sender,
                           const struct digest_state *messages, uint8_t *out)
{
    const enum digest_id id = messages->id;
    struct digest_state state = *messages;
    uint8_t inner[DIGEST_MAX_SIZE];

    digest_update(&state, sender, strlen(sender));
    digest_update(&state, master, SSL3_MASTER_SECRET_SIZE);
    ssl3_pad_update(&state, SSL3_PAD1);
    digest_final(&state, inner);
    digest_init(&state, id);
    digest_update(&state, master, SSL3_MASTER_SECRET_SIZE);
    ssl3_pad_update(&state, SSL3_PAD2);
    digest_update(&state, inner, digest_size(id));
    digest_final(&state, out);
    OPENSSL_cleanse(inner, sizeof(inner));
}

void ssl3_finished(const uint8_t master[SSL3_MASTER_SECRET_SIZE], enum connection_side side,
                   const struct digest_state *md5, const struct digest_state *sha1,
                   uint8_t out[SSL3_FINISHED_SIZE])
{
    static const char *const senders[] = { [SIDE_CLIENT] = "CLNT", [SIDE_SERVER] = "SRVR" };

    handshake_hash(master, senders[side], md5, out);
    handshake_hash(master, senders[side], sha1, out + MD5_SIZE);
}

void ssl3_certificate_verify(const uint8_t master[SSL3_MASTER_SECRET_SIZE],
                             const struct digest_state *md5, const struct digest_state *sha1,
                             uint8_t out[SSL3_FINISHED_SIZE])
{
    handshake_hash(master, "", md5, out);
    handshake_hash(master, "", sha1, out + MD5_SIZE);
}
