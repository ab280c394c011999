/* Slices of the key block: see key_block.h. */
#include "protocol/key_block.h"

#include <string.h>
#include <openssl/crypto.h>

static int is_same(const uint8_t *kept, size_t kept_size, struct octets random)
{
    return kept_size == random.size && memcmp(kept, random.data, random.size) == 0;
}

/* Has |block| the first |size| bytes of the connection's? */
static int has(const struct key_block *block, const struct connection *connection, size_t size)
{
    return size <= block->size &&
           is_same(block->client_random, block->client_random_size, connection->client_random) &&
           is_same(block->server_random, block->server_random_size, connection->server_random);
}

/* All that the connection takes from its block; at least |least|. */
static size_t whole_size(const struct connection *connection, size_t least)
{
    const int has_ivs = !connection->is_export && !connection->has_explicit_iv;
    struct bulk_cipher_sizes sizes;
    size_t size;

    if (connection->cipher == NULL ||
        !bulk_cipher_key_block_sizes(connection->cipher, connection->cipher_bits,
                                     connection->is_export, &sizes))
        return least;
    size = 2 * (connection->mac_bits / 8 + sizes.material + (has_ivs ? sizes.iv : 0));
    return size > least ? size : least;
}

static void fill(struct key_block *block, key_block_fn *make, const uint8_t *master,
                 const struct connection *connection, size_t size)
{
    const struct octets client = connection->client_random, server = connection->server_random;

    make(master, connection, block->bytes, size);
    memcpy(block->client_random, client.data, client.size);
    memcpy(block->server_random, server.data, server.size);
    block->client_random_size = (uint8_t)client.size;
    block->server_random_size = (uint8_t)server.size;
    block->size = (uint8_t)size;
}

void key_block_slice(key_block_fn *make, const uint8_t *master, const struct connection *connection,
                     enum connection_side side, size_t before, uint8_t *out, size_t size)
{
    const size_t start = before + (side == SIDE_SERVER ? size : 0);
    struct key_block *kept = connection->kept;
    uint8_t bytes[KEY_BLOCK_MAX_SIZE];

    if (kept == NULL) {
        make(master, connection, bytes, start + size);
        memcpy(out, bytes + start, size);
        OPENSSL_cleanse(bytes, sizeof(bytes));
        return;
    }
    if (!has(kept, connection, start + size))
        fill(kept, make, master, connection, whole_size(connection, start + size));
    memcpy(out, kept->bytes + start, size);
}
