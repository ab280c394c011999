/*
 * TLS 1.0 and 1.1 key derivation: see tls1.h.  Section numbers are those of RFC 2246.
 * Called by kdf/ and key/; pure functions that cleanse what they computed on the way.
 */
#include "protocol/tls1.h"

#include <string.h>
#include <openssl/crypto.h>
#include "protocol/key_block.h"

/* What the PRF calls seed is never joined in memory: label, then the two randoms. */
#define SEED_PARTS 3

static const char *const write_key_labels[] = {
    [SIDE_CLIENT] = "client write key", [SIDE_SERVER] = "server write key"
};
static const char *const finished_labels[] = {
    [SIDE_CLIENT] = "client finished", [SIDE_SERVER] = "server finished"
};

static struct octets text(const char *string)
{
    return (struct octets){ (const uint8_t *)string, strlen(string) };
}

static struct octets master_octets(const uint8_t master[TLS1_MASTER_SECRET_SIZE])
{
    return (struct octets){ master, TLS1_MASTER_SECRET_SIZE };
}

static void xor_into(uint8_t *out, const uint8_t *block, size_t size)
{
    for (size_t n = 0; n < size; n++)
        out[n] ^= block[n];
}

/*
 * P_hash (section 5): A(1) = HMAC(secret, seed), A(i+1) = HMAC(secret, A(i)); block i is
 * HMAC(secret, A(i) || seed).  What is worked on, cleansed when it is done.
 */
struct p_hash {
    const struct hmac_key *key;
    uint8_t a[DIGEST_MAX_SIZE], block[DIGEST_MAX_SIZE];
    struct hmac_scratch scratch;
    struct digest_text first, second; /* seed, then A; A || seed */
};

/* HMAC(key, |first| || seed) with |first_size| bytes at |first|, which may be where |out| is. */
static void hmac_seed(struct p_hash *work, const uint8_t *first, size_t first_size,
                      const struct octets *seed, uint8_t *out)
{
    hmac_start(work->key, &work->scratch.state);
    digest_update(&work->scratch.state, first, first_size);
    for (size_t n = 0; seed != NULL && n < SEED_PARTS; n++)
        digest_update(&work->scratch.state, seed[n].data, seed[n].size);
    hmac_finish(work->key, &work->scratch.state, out);
}

/* For seeds of any size. */
static void xor_p_hash_long(struct p_hash *work, const struct octets seed[SEED_PARTS], uint8_t *out,
                            size_t size)
{
    const size_t hash_size = digest_size(work->key->id);

    hmac_seed(work, NULL, 0, seed, work->a);
    for (size_t done = 0; done < size; done += hash_size) {
        if (done > 0)
            hmac_seed(work, work->a, hash_size, NULL, work->a);
        hmac_seed(work, work->a, hash_size, seed, work->block);
        xor_into(out + done, work->block, size - done < hash_size ? size - done : hash_size);
    }
}

/* Lays out the messages, which differ in A only.  0 when the seed is too long for that. */
static int lay_out(struct p_hash *work, const struct octets seed[SEED_PARTS])
{
    const enum digest_id id = work->key->id;
    const struct octets a_seed[] = { { work->a, digest_size(id) }, seed[0], seed[1], seed[2] };

    memset(work->a, 0, sizeof(work->a));
    return digest_text_init(&work->first, id, DIGEST_BLOCK_SIZE, seed, SEED_PARTS) &&
           digest_text_init(&work->second, id, DIGEST_BLOCK_SIZE, a_seed, 1 + SEED_PARTS);
}

/* The same with messages that are laid out. */
static void xor_p_hash_short(struct p_hash *work, uint8_t *out, size_t size)
{
    const size_t hash_size = digest_size(work->key->id);
    const struct octets a = { work->a, hash_size };
    uint8_t *const a_in_second = work->second.bytes;

    hmac_text(work->key, &work->first, &work->scratch, a_in_second);
    (void)digest_text_init(&work->first, work->key->id, DIGEST_BLOCK_SIZE, &a, 1);
    for (size_t done = 0; done < size; done += hash_size) {
        if (done > 0) {
            memcpy(work->first.bytes, a_in_second, hash_size);
            hmac_text(work->key, &work->first, &work->scratch, a_in_second);
        }
        hmac_text(work->key, &work->second, &work->scratch, work->block);
        xor_into(out + done, work->block, size - done < hash_size ? size - done : hash_size);
    }
}

/* XORs |size| bytes of P_hash into |out|. */
static void xor_p_hash(const struct hmac_key *key, const struct octets seed[SEED_PARTS],
                       uint8_t *out, size_t size)
{
    struct p_hash work;

    work.key = key;
    if (lay_out(&work, seed))
        xor_p_hash_short(&work, out, size);
    else
        xor_p_hash_long(&work, seed, out, size);
    OPENSSL_cleanse(&work, sizeof(work));
}

/* Section 5: P_MD5 takes the first half of the secret, P_SHA-1 the last; an odd middle is in both. */
void tls1_secret_init(struct tls1_secret *secret, struct octets bytes)
{
    const size_t half = bytes.size - bytes.size / 2;
    const uint8_t *last = bytes.size > 0 ? bytes.data + (bytes.size - half) : NULL;

    hmac_key_init(&secret->md5, DIGEST_MD5, bytes.data, half);
    hmac_key_init(&secret->sha1, DIGEST_SHA1, last, half);
}

void tls1_secret_prf(const struct tls1_secret *secret, struct octets label, struct octets seed1,
                     struct octets seed2, uint8_t *out, size_t size)
{
    const struct octets seed[SEED_PARTS] = { label, seed1, seed2 };

    if (size == 0)
        return;
    memset(out, 0, size);
    xor_p_hash(&secret->md5, seed, out, size);
    xor_p_hash(&secret->sha1, seed, out, size);
}

void tls1_prf(struct octets secret, struct octets label, struct octets seed1, struct octets seed2,
              uint8_t *out, size_t size)
{
    struct tls1_secret halves;

    tls1_secret_init(&halves, secret);
    tls1_secret_prf(&halves, label, seed1, seed2, out, size);
    OPENSSL_cleanse(&halves, sizeof(halves));
}

/* Section 8.1 */
void tls1_master_secret(struct octets premaster, struct octets client_random,
                        struct octets server_random, uint8_t master[TLS1_MASTER_SECRET_SIZE])
{
    tls1_prf(premaster, text("master secret"), client_random, server_random, master,
             TLS1_MASTER_SECRET_SIZE);
}

/* Section 6.3: the server's random comes first here. */
void tls1_secret_key_block(const struct tls1_secret *master, struct octets client_random,
                           struct octets server_random, uint8_t *out, size_t size)
{
    tls1_secret_prf(master, text("key expansion"), server_random, client_random, out, size);
}

void tls1_key_block(const uint8_t master[TLS1_MASTER_SECRET_SIZE], struct octets client_random,
                    struct octets server_random, uint8_t *out, size_t size)
{
    tls1_prf(master_octets(master), text("key expansion"), server_random, client_random, out, size);
}

static void make_block(const uint8_t *master, const struct connection *connection, uint8_t *out,
                       size_t size)
{
    struct key_block *kept = connection->kept;

    if (kept == NULL) {
        tls1_key_block(master, connection->client_random, connection->server_random, out, size);
        return;
    }
    if (!kept->has_secret)
        tls1_secret_init(&kept->secret, master_octets(master));
    kept->has_secret = 1;
    tls1_secret_key_block(&kept->secret, connection->client_random, connection->server_random, out,
                          size);
}

void tls1_mac_secret(const uint8_t master[TLS1_MASTER_SECRET_SIZE],
                     const struct connection *connection, enum connection_side side, uint8_t *out)
{
    key_block_slice(make_block, master, connection, side, 0, out, connection->mac_bits / 8);
}

/* Section 6.3.1: the final key of an export cipher; both directions take the client random first. */
static void export_write_key(const uint8_t master[TLS1_MASTER_SECRET_SIZE],
                             const struct connection *connection, enum connection_side side,
                             const struct bulk_cipher_sizes *sizes, uint8_t *key)
{
    uint8_t material[BULK_CIPHER_MAX_KEY_SIZE];

    key_block_slice(make_block, master, connection, side, 2 * (connection->mac_bits / 8), material,
                    sizes->material);
    tls1_prf((struct octets){ material, sizes->material }, text(write_key_labels[side]),
             connection->client_random, connection->server_random, key, sizes->key);
    OPENSSL_cleanse(material, sizeof(material));
}

/* Section 6.3.1: the IVs of an export cipher hang on no secret; the key block has none. */
static void export_write_iv(const struct connection *connection, enum connection_side side,
                            size_t size, uint8_t *iv)
{
    uint8_t iv_block[2 * BULK_CIPHER_MAX_BLOCK_SIZE];

    tls1_prf((struct octets){ NULL, 0 }, text("IV block"), connection->client_random,
             connection->server_random, iv_block, 2 * size);
    memcpy(iv, iv_block + (side == SIDE_SERVER ? size : 0), size);
}

int tls1_write_key(const uint8_t master[TLS1_MASTER_SECRET_SIZE],
                   const struct connection *connection, enum connection_side side, uint8_t *key,
                   uint8_t *iv)
{
    const size_t keys_start = 2 * (connection->mac_bits / 8);
    struct bulk_cipher_sizes sizes;

    if (!bulk_cipher_key_block_sizes(connection->cipher, connection->cipher_bits,
                                     connection->is_export, &sizes))
        return 0;
    if (key != NULL && connection->is_export)
        export_write_key(master, connection, side, &sizes, key);
    else if (key != NULL)
        key_block_slice(make_block, master, connection, side, keys_start, key, sizes.key);
    if (iv != NULL && connection->has_explicit_iv)
        memset(iv, 0, sizes.iv);
    else if (iv != NULL && connection->is_export)
        export_write_iv(connection, side, sizes.iv, iv);
    else if (iv != NULL)
        key_block_slice(make_block, master, connection, side, keys_start + 2 * sizes.material, iv,
                        sizes.iv);
    return 1;
}

void tls1_handshake_hash(struct octets handshake, uint8_t out[TLS1_HANDSHAKE_HASH_SIZE])
{
    static const enum digest_id ids[] = { DIGEST_MD5, DIGEST_SHA1 };
    struct digest_state state;

    for (size_t n = 0; n < sizeof(ids) / sizeof(ids[0]); n++) {
        digest_init(&state, ids[n]);
        digest_update(&state, handshake.data, handshake.size);
        digest_final(&state, out);
        out += digest_size(ids[n]);
    }
}

/* Section 7.4.9 */
void tls1_finished(const uint8_t master[TLS1_MASTER_SECRET_SIZE], enum connection_side side,
                   const uint8_t handshake_hash[TLS1_HANDSHAKE_HASH_SIZE], uint8_t *out,
                   size_t size)
{
    tls1_prf(master_octets(master), text(finished_labels[side]),
             (struct octets){ handshake_hash, TLS1_HANDSHAKE_HASH_SIZE },
             (struct octets){ NULL, 0 }, out, size);
}
