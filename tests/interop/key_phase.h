/*
 * The key phase of SSL 2.0 and PCT 1.0, new sessions with RSA and without client certificates, in the
 * roles of client and server.  Where the CSP's documentation has calls on a master key, here are the
 * same steps on key objects of the schannel provider: master key and clear key, challenge and
 * connection id, keys, KEY-ARG, and the messages that prove the keys.
 *
 *     SSL 2.0 (draft-hickman-netscape-ssl-00, section 5.2; [ ] is protected)
 *         CLIENT-HELLO          -->
 *                               <--   SERVER-HELLO
 *         CLIENT-MASTER-KEY     -->
 *         [ CLIENT-FINISHED ]   -->
 *                               <--   [ SERVER-VERIFY ], [ SERVER-FINISHED ]
 *
 *     PCT 1.0 (draft-benaloh-pct-00, section 5.1)
 *         CLIENT_HELLO          -->
 *                               <--   SERVER_HELLO
 *         CLIENT_MASTER_KEY     -->   with VERIFY_PRELUDE
 *                               <--   SERVER_VERIFY
 *
 * Records go in, records come out, as with engine.h.  Called by test_engine.c.
 */
#ifndef INTEROP_KEY_PHASE_H
#define INTEROP_KEY_PHASE_H

#include "bytes.h"
#include "identity.h"
#include "records.h"
#include "session.h"

#define KEY_PHASE_MAX_RANDOM 32
#define KEY_PHASE_MAX_MASTER 24
#define KEY_PHASE_IV_SIZE    8

/* A cipher of one of the two protocols, in the form that a hello names it. */
struct key_phase_suite {
    enum record_protocol protocol;
    const char *name;
    uint32_t code;        /* SSL 2.0: 3 bytes; PCT 1.0: cipher type and both sizes, 4 bytes */
    const char *cipher;   /* parameter "cipher" */
    unsigned cipher_bits; /* parameter "cipher-bits" */
    const char *digest;   /* parameter "digest" */
    unsigned hash_code;   /* PCT 1.0 */
    size_t secret_size;   /* of the master key: what travels encrypted */
    size_t clear_size;    /* what travels in the clear */
    size_t iv_size;       /* KEY-ARG */
};

size_t key_phase_suite_count(void);
const struct key_phase_suite *key_phase_suite_at(size_t n);

struct key_phase {
    OSSL_LIB_CTX *libctx;
    enum session_side side;
    const struct key_phase_suite *suite; /* the only one that is offered or accepted */
    const struct identity *identity;     /* of a server; NULL for a client */
    int is_done;
    const char *failure; /* why it ended, NULL: it did not */

    /* what the messages carried; a random's size is that of the protocol */
    uint8_t challenge[KEY_PHASE_MAX_RANDOM], connection_id[KEY_PHASE_MAX_RANDOM];
    uint8_t iv[KEY_PHASE_IV_SIZE];
    struct buffer client_hello, server_hello; /* PCT 1.0 authenticates them */
    struct buffer certificate;                /* of the server, DER */

    struct session_keys keys;
    struct session_records records; /* for data, as soon as is_done */
    unsigned sent, received;        /* records so far: all of them count */
    struct buffer output;
};

/*
 * Begins: a client has its hello in |output| at once.  1, or 0 when memory or random numbers fail.
 * End with key_phase_free in either case.
 */
int key_phase_begin(struct key_phase *phase, OSSL_LIB_CTX *libctx, enum session_side side,
                    const struct key_phase_suite *suite, const struct identity *identity);
void key_phase_free(struct key_phase *phase);

/*
 * Takes one whole record, which it opens in place; what is to be sent is then in |output|.  1, or 0
 * when the phase has failed.
 */
int key_phase_receive(struct key_phase *phase, uint8_t *record, size_t size);

/* ---- for ssl2_phase.c and pct1_phase.c ---- */

int ssl2_phase_begin(struct key_phase *phase);
int ssl2_phase_take(struct key_phase *phase, struct reader message);
int pct1_phase_begin(struct key_phase *phase);
int pct1_phase_take(struct key_phase *phase, struct reader message);

size_t key_phase_random_size(const struct key_phase *phase);
/* Remembers why, and is 0. */
int key_phase_fail(struct key_phase *phase, const char *why);
/* Sends |message| and empties it: in the clear before the keys are bound, protected afterwards. */
int key_phase_send(struct key_phase *phase, struct buffer *message);

/*
 * The client's part of the key exchange: a new master key, its secret part under the RSA key of
 * |phase->certificate|, its clear part, KEY-ARG; and phase->keys.
 */
int key_phase_choose_master(struct key_phase *phase, struct buffer *clear,
                            struct buffer *encrypted);
/* The server's part. */
int key_phase_accept_master(struct key_phase *phase, struct reader clear, struct reader encrypted,
                            struct reader iv);
/* Binds both directions to phase->keys, with the numbers of the records so far. */
int key_phase_bind(struct key_phase *phase);

#endif
