/*
 * What the demo serves over a connection, one request at a time:
 *
 *     GET /           which process answers, with which keys
 *     GET /download   1 MiB of numbered lines: "0000000\n", "0000001\n", ...
 *     PUT, POST /upload   answers with the size and the SHA-256 of the body
 *     GET /handover   the connection moves to the next process after this answer
 *
 * Called by application.c.
 */
#ifndef HANDOFF_SERVICE_H
#define HANDOFF_SERVICE_H

#include "connection.h"

struct service {
    const char *who;   /* name of this process */
    int may_hand_over; /* another process takes over when asked to */
};

enum service_outcome {
    SERVICE_GO_ON,     /* the client may ask again */
    SERVICE_HAND_OVER, /* it was told that another process goes on */
    SERVICE_CLOSE,     /* the last answer was given */
    SERVICE_ENDED      /* the connection is gone, see its |ended| */
};

/* Waits for one request, answers it and reports both. */
enum service_outcome service_answer(const struct service *service, struct connection *connection);

#endif
