/*
 * Diagnostics about a key: a line of provider/trace that begins with which key it is and where it
 * stands.  Called wherever something is done to a key; nothing happens unless diagnostics are on.
 */
#ifndef SCHANNEL_KEY_KEY_TRACE_H
#define SCHANNEL_KEY_KEY_TRACE_H

#include "key/key.h"

/* The lock is held, or nobody else has the key.  Never fails, and raises nothing. */
void key_trace(struct key *key, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
