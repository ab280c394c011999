/*
 * What a connection negotiated: the input of every key derivation, the same for the four protocols.
 * Everything is borrowed.  Called by protocol/, key/ and kdf/.
 */
#ifndef SCHANNEL_PROTOCOL_CONNECTION_H
#define SCHANNEL_PROTOCOL_CONNECTION_H

#include "primitive/digest.h"
#include "primitive/octets.h"
#include "protocol/bulk_cipher.h"

/* Whose write key it is: CRYPT_SERVER unset, set. */
enum connection_side { SIDE_CLIENT = 0, SIDE_SERVER = 1 };

struct key_block;

struct connection {
    struct octets client_random; /* PCT 1.0 and SSL 2.0: the challenge */
    struct octets server_random; /* PCT 1.0 and SSL 2.0: the connection id */
    struct octets certificate;   /* PCT 1.0: of the server, as it was sent */
    struct octets clear_key;     /* PCT 1.0 */
    const struct bulk_cipher *cipher;
    unsigned cipher_bits;   /* secret bits; 0: the cipher's full size */
    int is_export;          /* INTERNATIONAL_USAGE */
    enum digest_id digest;  /* of the MAC; PCT 1.0: of the derivation too */
    size_t mac_bits;        /* of one MAC secret */
    int has_explicit_iv;    /* TLS 1.1: the key block has no IVs */
    int ssl2_des_digit;     /* SSL 2.0, DES: hash the digit '0', as deployed peers do */
    int pct_raw_des;        /* PCT 1.0, DES: take the hash as it comes, with its parity bits */
    struct key_block *kept; /* SSL 3.0, TLS 1.0: see key_block.h; NULL: none is kept */
};

#endif
