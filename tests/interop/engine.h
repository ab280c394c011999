/*
 * A protocol engine: the server side of SSL 3.0 and TLS 1.0 with RSA key exchange, as far as one
 * connection needs it.  It does what the Schannel CSP leaves to its caller (messages, order, lengths)
 * and asks the schannel provider for everything that has to do with secrets: premaster to master,
 * Finished values, session keys, record protection.
 *
 * Records go in, records come out; there is no input or output here.  Called by peer_server.c, which
 * has the socket, and by test_engine.c.
 */
#ifndef INTEROP_ENGINE_H
#define INTEROP_ENGINE_H

#include "bytes.h"
#include "identity.h"
#include "records.h"

struct engine_suite {
    unsigned code;      /* RFC 2246, section A.5; RFC 3268 */
    const char *name;   /* TLS_RSA_WITH_ ... */
    const char *cipher; /* parameter "cipher" */
    const char *digest; /* parameter "digest" */
};

/* NULL for a suite that the engine does not have. */
const struct engine_suite *engine_suite_by_code(unsigned code);

struct engine;

/*
 * |protocol| is RECORD_SSL3 or RECORD_TLS1: the engine speaks this version and no other.  |identity|
 * outlives the engine.  NULL when memory is short.
 */
struct engine *engine_new(OSSL_LIB_CTX *libctx, enum record_protocol protocol,
                          const struct identity *identity);
void engine_free(struct engine *engine);

enum engine_result {
    ENGINE_OK,     /* go on: send what engine_output has, then read the next record */
    ENGINE_DATA,   /* the same, and the record held application data */
    ENGINE_CLOSED, /* the peer said good-bye */
    ENGINE_FAILED  /* send what engine_output has, an alert, and close; engine_failure says why */
};

/*
 * Takes one whole record (see record_whole_size), which it opens in place.  With ENGINE_DATA
 * |content| points to the data.
 */
enum engine_result engine_receive(struct engine *engine, uint8_t *record, size_t size,
                                  struct record_content *content);

/* Protects application data, or a good-bye; 1, or 0 when there is no connection to send on. */
int engine_send(struct engine *engine, const void *data, size_t size);
int engine_close(struct engine *engine);

/* What is to be sent.  The caller drops what it has sent (buffer_drop). */
struct buffer *engine_output(struct engine *engine);

int engine_is_connected(const struct engine *engine);
/* The suite that was chosen, NULL before. */
const struct engine_suite *engine_suite(const struct engine *engine);
/* Why a connection ended, for logs; never for the peer. */
const char *engine_failure(const struct engine *engine);

#endif
