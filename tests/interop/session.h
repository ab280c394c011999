/*
 * The keys of one connection, as objects of the schannel provider: from a master to the four session
 * keys (two with SSL 2.0), to contexts that protect records with them, and to Finished values.
 *
 * Called by engine.c and key_phase.c, and by the tests beside them.  Every function that fails leaves
 * the reason on OpenSSL's error queue.
 */
#ifndef INTEROP_SESSION_H
#define INTEROP_SESSION_H

#include <stddef.h>
#include <stdint.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include "records.h"

#define SESSION_RANDOM_SIZE    32 /* of SSL 3.0, TLS 1.0 and PCT 1.0 */
#define SESSION_PREMASTER_SIZE 48
#define SESSION_MAX_FINISHED   36 /* SSL 3.0: MD5 and SHA-1; TLS 1.0 has 12 */

enum session_side { SESSION_CLIENT, SESSION_SERVER, SESSION_SIDES };

/* By writer: what one side writes with, the other reads with. */
struct session_keys {
    EVP_PKEY *write_key[SESSION_SIDES]; /* owned */
    EVP_PKEY *write_mac[SESSION_SIDES]; /* owned; NULL with SSL 2.0 */
};

/* Both directions of one side. */
struct session_records {
    struct record_direction reader, writer;
};

/* OSSL_PARAM has no const, yet nobody writes through parameters that are made here. */
OSSL_PARAM session_octets(const char *name, const void *data, size_t size);
OSSL_PARAM session_text(const char *name, const char *value);

/* A key of the values in |params|, which it copies.  NULL on failure. */
EVP_PKEY *session_import(OSSL_LIB_CTX *libctx, OSSL_PARAM params[]);

/*
 * CALG_SCHANNEL_MASTER_HASH and CryptDeriveKey for every key of |protocol|.  |master| knows randoms
 * and algorithms.  1, or 0 with |keys| empty.
 */
int session_derive(OSSL_LIB_CTX *libctx, enum record_protocol protocol, EVP_PKEY *master,
                   struct session_keys *keys);
/* Leaves |keys| empty. */
void session_free_keys(struct session_keys *keys);

/* KEY-ARG of PCT 1.0 and SSL 2.0, where the IV is not derived: the same for both directions. */
int session_set_iv(const struct session_keys *keys, const uint8_t *iv, size_t size);
/* How many records one side has sent already, of the protocols that count unprotected records. */
int session_set_sequence(const struct session_keys *keys, enum session_side writer,
                         uint64_t sequence);

/* Binds |own| side's writer and reader.  1, or 0 with nothing to release. */
int session_bind(OSSL_LIB_CTX *libctx, enum record_protocol protocol,
                 const struct session_keys *keys, enum session_side own,
                 struct session_records *records);
void session_release(struct session_records *records);

/*
 * What |sender|'s Finished message says after the |handshake| messages, each with its 4-byte header:
 * |*size| of at most SESSION_MAX_FINISHED bytes.
 */
int session_finished(OSSL_LIB_CTX *libctx, EVP_PKEY *master, enum session_side sender,
                     const uint8_t *handshake, size_t handshake_size,
                     uint8_t finished[SESSION_MAX_FINISHED], size_t *size);

#endif
