/*
 * SSL 3.0 key derivation: see ssl3.h.  Section numbers are those of RFC 6101.
 * Called by kdf/ and key/; pure functions that cleanse what they computed on the way.
 */
#include "protocol/ssl3.h"

#include <string.h>
#include <openssl/crypto.h>
#include "primitive/digest_text.h"
#include "primitive/ssl3_pad.h"
#include "protocol/key_block.h"

#define MD5_SIZE  16
#define SHA1_SIZE 20

static void update(struct digest_state *state, struct octets value)
{
    digest_update(state, value.data, value.size);
}

/* The function of section 6.1; what is worked on, cleansed when it is done. */
struct prf {
    struct octets secret, seed1, seed2;
    uint8_t letters[SSL3_MAX_PRF_SIZE / MD5_SIZE]; /* of the step: "A", "BB", "CCC" ... */
    uint8_t inner[SHA1_SIZE], step[MD5_SIZE];
    struct digest_state state;
    struct digest_midstate sha1_start, md5_start;
    struct digest_text sha1_text, md5_text;
};

/* MD5(secret || SHA-1(letters || secret || seed)) for inputs of any size. */
static void long_step(struct prf *prf, struct octets letters)
{
    digest_init(&prf->state, DIGEST_SHA1);
    update(&prf->state, letters);
    update(&prf->state, prf->secret);
    update(&prf->state, prf->seed1);
    update(&prf->state, prf->seed2);
    digest_final(&prf->state, prf->inner);
    digest_init(&prf->state, DIGEST_MD5);
    update(&prf->state, prf->secret);
    digest_update(&prf->state, prf->inner, sizeof(prf->inner));
    digest_final(&prf->state, prf->step);
}

/* The same with messages that are laid out.  0 when they are too long for that. */
static int short_step(struct prf *prf, struct octets letters)
{
    const struct octets sha1_parts[] = { letters, prf->secret, prf->seed1, prf->seed2 };
    const struct octets md5_parts[] = { prf->secret, { prf->inner, sizeof(prf->inner) } };

    if (!digest_text_init(&prf->sha1_text, DIGEST_SHA1, 0, sha1_parts, 4))
        return 0;
    digest_text_hash(&prf->sha1_text, &prf->sha1_start, &prf->state, prf->inner);
    if (!digest_text_init(&prf->md5_text, DIGEST_MD5, 0, md5_parts, 2))
        return 0;
    digest_text_hash(&prf->md5_text, &prf->md5_start, &prf->state, prf->step);
    return 1;
}

void ssl3_prf(struct octets secret, struct octets seed1, struct octets seed2, uint8_t *out,
              size_t size)
{
    struct prf prf;

    prf.secret = secret;
    prf.seed1 = seed1;
    prf.seed2 = seed2;
    digest_first_midstate(DIGEST_SHA1, &prf.sha1_start);
    digest_first_midstate(DIGEST_MD5, &prf.md5_start);
    for (size_t n = 0; size != 0; n++) {
        const size_t part = size < sizeof(prf.step) ? size : sizeof(prf.step);
        const struct octets letters = { prf.letters, n + 1 };

        memset(prf.letters, (int)('A' + n), n + 1);
        if (!short_step(&prf, letters))
            long_step(&prf, letters);
        memcpy(out, prf.step, part);
        out += part;
        size -= part;
    }
    OPENSSL_cleanse(&prf, sizeof(prf));
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

static void make_block(const uint8_t *master, const struct connection *connection, uint8_t *out,
                       size_t size)
{
    ssl3_key_block(master, connection->client_random, connection->server_random, out, size);
}

void ssl3_mac_secret(const uint8_t master[SSL3_MASTER_SECRET_SIZE],
                     const struct connection *connection, enum connection_side side, uint8_t *out)
{
    key_block_slice(make_block, master, connection, side, 0, out, connection->mac_bits / 8);
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
        key_block_slice(make_block, master, connection, side, keys_start, material, sizes.material);
        export_hash(connection, side, (struct octets){ material, sizes.material }, key, sizes.key);
        OPENSSL_cleanse(material, sizeof(material));
    } else if (key != NULL) {
        key_block_slice(make_block, master, connection, side, keys_start, key, sizes.key);
    }
    if (iv != NULL && connection->is_export)
        export_hash(connection, side, (struct octets){ NULL, 0 }, iv, sizes.iv);
    else if (iv != NULL)
        key_block_slice(make_block, master, connection, side, keys_start + 2 * sizes.material, iv,
                        sizes.iv);
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
