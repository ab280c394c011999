/*
 * A lock that costs two atomic operations when nobody else wants it, and that a forked child can tell
 * apart from one that a thread of its parent held.
 *
 * After fork only the forking thread is left.  A lock that another one held then stays locked for
 * ever in the child, and what it protects may be half changed.  This one counts who is inside or
 * waiting, by generation (see fork_guard.h), and so finds that out before it would wait.
 * Called by key/key, key/handle_table, blob/sealing_key and blob/claim_journal.
 */
#ifndef SCHANNEL_PROVIDER_FORK_LOCK_H
#define SCHANNEL_PROVIDER_FORK_LOCK_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>

struct fork_guard;

struct fork_lock {
    struct fork_guard *guard;     /* borrowed; NULL: as fork_guard_generation says */
    atomic_uint_least64_t inside; /* generation in the upper half, threads in the lower */
    sem_t wake;                   /* whoever is not the first waits here */
};

enum fork_lock_result {
    FORK_LOCK_TAKEN,
    FORK_LOCK_TORN /* a thread of the parent was inside when it forked */
};

/* What is done about a torn one. */
enum fork_lock_policy {
    FORK_LOCK_REFUSE, /* nothing: what it protects cannot be trusted in this process */
    FORK_LOCK_RENEW   /* a new lock: what it protects is sound after every single step */
};

/* 1, or 0 when the system has no more semaphores. */
int fork_lock_init(struct fork_lock *lock, struct fork_guard *guard);
void fork_lock_destroy(struct fork_lock *lock);

/* Not recursive.  FORK_LOCK_TORN is an answer to FORK_LOCK_REFUSE only. */
enum fork_lock_result fork_lock_enter(struct fork_lock *lock, enum fork_lock_policy policy);
void fork_lock_leave(struct fork_lock *lock);

#endif
