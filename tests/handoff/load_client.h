/*
 * Many TLS 1.0 clients in one process, with libssl, on sockets that do not block.  Each sends a
 * stream whose bytes are known for each place, and takes back the same one: a byte that is lost,
 * sent twice or out of place is seen.  Called by load.c.
 */
#ifndef HANDOFF_LOAD_CLIENT_H
#define HANDOFF_LOAD_CLIENT_H

#include <stddef.h>
#include <stdint.h>

struct clients;

/* |most| clients that will connect to 127.0.0.1:|port|; NULL on failure. */
struct clients *clients_new(size_t most, unsigned port);
void clients_free(struct clients *clients);

/*
 * Opens what is missing to |open| connections, and lets each that is open send messages until
 * |messages| of it have come back whole.  1 when that is so for all; 0 with a line on standard error
 * when one got a wrong byte or an error, or all of it took more than |seconds|.
 */
int clients_run(struct clients *clients, size_t open, uint64_t messages, unsigned seconds);
/* The same, but calls |then| once, as soon as half of the clients have bytes on their way. */
int clients_run_and(struct clients *clients, size_t open, uint64_t messages, unsigned seconds,
                    int (*then)(void *argument), void *argument);
/* How many had bytes on their way when |then| was called. */
size_t clients_in_flight(const struct clients *clients);
uint64_t clients_bytes(const struct clients *clients);

/* 1 when, within |seconds|, every open connection has told that the server is gone. */
int clients_are_lost(struct clients *clients, unsigned seconds);
/* A new connection is refused, or ends before its handshake. */
int clients_are_refused(unsigned port);
/* close_notify and the end of each. */
void clients_close(struct clients *clients);

#endif
