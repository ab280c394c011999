/*
 * PCT 1.0 key derivation: see pct1.h.
 * Called by kdf/ and key/; pure functions that cleanse what they computed on the way.
 */
#include "protocol/pct1.h"

#include <string.h>
#include <openssl/crypto.h>
#include "protocol/des_key.h"

#define MAX_BITS_SIZE PCT1_MAX_MAC_SIZE /* more than any cipher key */

static void update(struct digest_state *state, struct octets value)
{
    digest_update(state, value.data, value.size);
}

static void update_tag(struct digest_state *state, const char *tag, unsigned count)
{
    for (; count > 0; count--)
        digest_update(state, tag, strlen(tag));
}

/* One hash output, or the part of it that is still wanted. */
static void take(struct digest_state *state, enum digest_id id, uint8_t *out, size_t size,
                 size_t *done)
{
    uint8_t hash[DIGEST_MAX_SIZE];
    size_t part = digest_size(id);

    digest_final(state, hash);
    if (part > size - *done)
        part = size - *done;
    memcpy(out + *done, hash, part);
    *done += part;
    OPENSSL_cleanse(hash, sizeof(hash));
}

/* The bits behind |bits| in the last byte are 0. */
static void cut_to_bits(uint8_t *out, size_t bits)
{
    if (bits % 8 != 0)
        out[bits / 8] &= (uint8_t)(0xff << (8 - bits % 8));
}

/*
 * Sections 5.3.1 and 5.3.3.  Step i hashes i, then for a write key the tag once, then the master
 * key, connection id and challenge, each followed by the tag i times; the client's keys have the
 * certificate and the tag before the challenge.
 */
static void derive(const uint8_t *master, const struct connection *connection,
                   enum connection_side side, const char *tag, int is_write_key, uint8_t *out,
                   size_t bits)
{
    const size_t size = (bits + 7) / 8;
    struct digest_state state;
    size_t done = 0;

    for (uint8_t i = 1; done < size; i++) {
        digest_init(&state, connection->digest);
        digest_update(&state, &i, 1);
        if (is_write_key)
            update_tag(&state, tag, 1);
        digest_update(&state, master, PCT1_MASTER_SIZE);
        update_tag(&state, tag, i);
        update(&state, connection->server_random);
        update_tag(&state, tag, i);
        if (side == SIDE_CLIENT) {
            update(&state, connection->certificate);
            update_tag(&state, tag, i);
        }
        update(&state, connection->client_random);
        update_tag(&state, tag, i);
        take(&state, connection->digest, out, size, &done);
    }
    cut_to_bits(out, bits);
}

/* Section 5.3.2: STD_i = H(i || "sl"^i || key || "sl"^i || part i of the clear key). */
static void expand(const struct connection *connection, const struct pct1_sizes *sizes,
                   const uint8_t *key, uint8_t *out)
{
    const size_t size = sizes->standard / 8;
    const size_t part = connection->clear_key.size / sizes->parts;
    struct digest_state state;
    size_t done = 0;

    for (uint8_t i = 1; done < size; i++) {
        digest_init(&state, connection->digest);
        digest_update(&state, &i, 1);
        update_tag(&state, "sl", i);
        digest_update(&state, key, (sizes->bits + 7) / 8);
        update_tag(&state, "sl", i);
        digest_update(&state, connection->clear_key.data + (i - 1u) * part, part);
        take(&state, connection->digest, out, size, &done);
    }
}

static int is_des(const struct bulk_cipher *cipher)
{
    return cipher->strength_bits != cipher->default_bits;
}

int pct1_key_sizes(const struct connection *connection, struct pct1_sizes *sizes)
{
    const struct bulk_cipher *cipher = connection->cipher;
    const size_t hash_bits = 8 * digest_size(connection->digest);
    unsigned bits = connection->cipher_bits;

    if (cipher->iv_size > 8) /* AES came later */
        return 0;
    sizes->key = cipher->default_bits / 8;
    sizes->standard =
        is_des(cipher) && !connection->pct_raw_des ? cipher->strength_bits : cipher->default_bits;
    if (bits == 0 || bits == cipher->default_bits || bits == cipher->strength_bits)
        bits = (unsigned)sizes->standard;
    if (bits < 40 || bits > sizes->standard)
        return 0;
    sizes->bits = bits;
    sizes->parts = bits < sizes->standard ? (sizes->standard + hash_bits - 1) / hash_bits : 0;
    return 1;
}

void pct1_write_key(const uint8_t master[PCT1_MASTER_SIZE], const struct connection *connection,
                    enum connection_side side, uint8_t *key)
{
    uint8_t bits[MAX_BITS_SIZE], standard[MAX_BITS_SIZE];
    const uint8_t *from = bits;
    struct pct1_sizes sizes;

    if (!pct1_key_sizes(connection, &sizes))
        return;
    derive(master, connection, side, side == SIDE_CLIENT ? "cw" : "svw", 1, bits, sizes.bits);
    if (sizes.parts != 0) {
        expand(connection, &sizes, bits, standard);
        from = standard;
    }
    if (is_des(connection->cipher) && !connection->pct_raw_des)
        des_key_from_bits(from, key, sizes.key);
    else
        memcpy(key, from, sizes.key);
    OPENSSL_cleanse(bits, sizeof(bits));
    OPENSSL_cleanse(standard, sizeof(standard));
}

void pct1_mac_key(const uint8_t master[PCT1_MASTER_SIZE], const struct connection *connection,
                  enum connection_side side, uint8_t *out)
{
    derive(master, connection, side, side == SIDE_CLIENT ? "cmac" : "svmac", 0, out,
           connection->mac_bits);
}
