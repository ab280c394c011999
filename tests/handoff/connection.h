/*
 * One TLS 1.0 connection after its handshake: the client's socket, imported keys, records in and
 * out, alerts.  What it holds between two requests is all that has to move when the connection is
 * handed over.  Called by application.c, service.c and echo.c.
 */
#ifndef HANDOFF_CONNECTION_H
#define HANDOFF_CONNECTION_H

#include <stdint.h>
#include "http.h"
#include "keys.h"
#include "passing.h"
#include "record_layer.h"

/* Room for an incomplete request head and one more record. */
#define CONNECTION_MAX_INPUT (HTTP_MAX_HEAD + TLS_MAX_FRAGMENT)

struct connection {
    int socket; /* owned */
    struct session_keys keys;
    struct record_direction reader, writer;
    uint32_t requests;                /* answered so far, by all processes together */
    uint64_t records_in, records_out; /* in this process */
    uint64_t bytes_in, bytes_out;     /* of application data, in this process */
    uint64_t import_microseconds;
    const char *ended; /* why no more data will come; NULL while it may */
    int failed;        /* |ended| is a fault: of a record, a peer or of libcrypto */
    int closing;       /* our close_notify is out */
    unsigned idle;     /* records without application data since the last with some */
    size_t input_begin, input_end;
    uint8_t input[CONNECTION_MAX_INPUT];
    uint8_t incoming[TLS_MAX_RECORD];
    uint8_t outgoing[2 * TLS_MAX_RECORD]; /* an empty record goes before each one with data */
};

/*
 * Imports the keys of |handover| and takes over its socket, also on failure.  |connection| needs no
 * preparation; release it in any case.  1, or 0 with the reason on OpenSSL's error queue.
 */
int connection_start(struct connection *connection, struct handover *handover,
                     const struct transfer_terms *terms);
void connection_release(struct connection *connection);

/*
 * Waits for application data and appends it to the input.  1, or 0 with |ended| set.  Alerts and
 * attempts to renegotiate are dealt with on the way.
 */
int connection_receive(struct connection *connection);
/* One record and not more, which need not hold application data.  1, or 0 with |ended| set. */
int connection_receive_record(struct connection *connection);
/* What came in and has not been consumed. */
const uint8_t *connection_input(const struct connection *connection, size_t *size);
void connection_consume(struct connection *connection, size_t size);

/* 1, or 0 with |ended| set. */
int connection_send(struct connection *connection, const void *data, size_t size);

/* Sends close_notify unless the connection has ended, and waits shortly for the peer's. */
void connection_close(struct connection *connection);

/*
 * Exports the keys in their present state into |handover|, with everything else that has to move,
 * and retires them: this connection is only fit for release afterwards.  The socket stays owned by
 * |connection|: the receiver gets a copy.  1, or 0 with the reason on OpenSSL's error queue.
 */
int connection_suspend(struct connection *connection, const struct transfer_terms *terms,
                       struct handover *handover);

#endif
