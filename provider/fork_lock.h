/*
 * A lock that a forked child can tell apart from one that a thread of its parent held.
 *
 * After fork only the forking thread is left.  A lock that another one held then stays locked for
 * ever in the child, and what it protects may be half changed.  This one counts who is inside, by
 * generation (see fork_guard.h), and so finds that out before it would wait.
 * Called by key/key, key/handle_table, blob/sealing_key and blob/claim_journal.
 */
#ifndef SCHANNEL_PROVIDER_FORK_LOCK_H
#define SCHANNEL_PROVIDER_FORK_LOCK_H

#include <stdatomic.h>
#include <stdint.h>
#include <openssl/crypto.h>

struct fork_guard;

struct fork_lock {
    struct fork_guard *guard; /* borrowed */
    CRYPTO_RWLOCK *_Atomic lock;
    atomic_uint_least64_t inside; /* generation in the upper half, threads in the lower */
};

enum fork_lock_result {
    FORK_LOCK_TAKEN,
    FORK_LOCK_TORN,  /* a thread of the parent was inside when it forked */
    FORK_LOCK_FAILED /* libcrypto's lock failed */
};

/* What is done about a torn one. */
enum fork_lock_policy {
    FORK_LOCK_REFUSE, /* nothing: what it protects cannot be trusted in this process */
    FORK_LOCK_RENEW   /* a new lock: what it protects is sound after every single step */
};

/* 1, or 0 when memory is out. */
int fork_lock_init(struct fork_lock *lock, struct fork_guard *guard);
void fork_lock_destroy(struct fork_lock *lock);

enum fork_lock_result fork_lock_write(struct fork_lock *lock, enum fork_lock_policy policy);
enum fork_lock_result fork_lock_read(struct fork_lock *lock, enum fork_lock_policy policy);
void fork_lock_leave(struct fork_lock *lock);

#endif
