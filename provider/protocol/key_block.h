/*
 * The key block of SSL 3.0 and TLS 1.0, and the slices it is cut into: client MAC secret, server MAC
 * secret, client key, server key, client IV, server IV (RFC 6101 section 6.2.2, RFC 2246 section
 * 6.3).  Called by protocol/ssl3 and protocol/tls1; a block is kept by keymgmt/generate.
 */
#ifndef SCHANNEL_PROTOCOL_KEY_BLOCK_H
#define SCHANNEL_PROTOCOL_KEY_BLOCK_H

#include "protocol/connection.h"
#include "protocol/tls1.h"

/* 2 * (MAC 20 + key 32 + IV 16): the largest key block that a cipher suite can use. */
#define KEY_BLOCK_MAX_SIZE   136
#define KEY_BLOCK_MAX_RANDOM 64

/*
 * The block that was made last, for the other keys of its connection.  It belongs to one master
 * secret; zeroed, it is of no connection.  A plain value: who keeps it cleanses it.
 */
struct key_block {
    uint8_t size, client_random_size, server_random_size;
    uint8_t client_random[KEY_BLOCK_MAX_RANDOM], server_random[KEY_BLOCK_MAX_RANDOM];
    uint8_t bytes[KEY_BLOCK_MAX_SIZE];
    uint8_t has_secret;
    struct tls1_secret
        secret; /* TLS 1.0: the master secret, for the block of the next connection */
};

/* How a protocol makes the first |size| bytes of a connection's block. */
typedef void key_block_fn(const uint8_t *master, const struct connection *connection, uint8_t *out,
                          size_t size);

/*
 * Takes one slice: |before| bytes of other kinds come first, and for the server the client's slice of
 * the same size.  Out of the block that the connection keeps, if it does, which is made whole when it
 * is of other randoms or too short.
 */
void key_block_slice(key_block_fn *make, const uint8_t *master, const struct connection *connection,
                     enum connection_side side, size_t before, uint8_t *out, size_t size);

#endif
