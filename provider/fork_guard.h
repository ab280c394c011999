/*
 * Tells a process from its forked children, so that two of them do not advance one key: a keystream
 * used twice, a sequence number used twice.
 *
 * A guard counts generations: each fork puts the child one generation on.  Where the system can
 * wipe a page over fork (Linux 4.14 and later) asking costs one load, elsewhere a getpid().
 * One guard per provider context; safe from any thread.  Called by provctx and key/key.
 */
#ifndef SCHANNEL_PROVIDER_FORK_GUARD_H
#define SCHANNEL_PROVIDER_FORK_GUARD_H

struct fork_guard;

/* NULL when memory is out. */
struct fork_guard *fork_guard_new(void);
void fork_guard_free(struct fork_guard *guard);

/* The generation of the calling process: a number that differs from that of every ancestor.  |guard|
 * NULL: the process id. */
unsigned fork_guard_generation(struct fork_guard *guard);

#endif
