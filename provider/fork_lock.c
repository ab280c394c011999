/* A lock that survives fork: see fork_lock.h. */
#include "fork_lock.h"

#include <errno.h>
#include "fork_guard.h"

/* In the place of the count: a thread is renewing the lock. */
#define RENEWING UINT32_MAX

int fork_lock_init(struct fork_lock *lock, struct fork_guard *guard)
{
    lock->guard = guard;
    atomic_init(&lock->inside, (uint64_t)fork_guard_generation(guard) << 32);
    return sem_init(&lock->wake, 0, 0) == 0;
}

void fork_lock_destroy(struct fork_lock *lock)
{
    sem_destroy(&lock->wake);
}

/* Empties a lock that a thread of the parent holds for ever.  Of several threads one does it. */
static void renew(struct fork_lock *lock, uint64_t torn, uint64_t generation)
{
    if (atomic_compare_exchange_strong(&lock->inside, &torn, generation << 32 | RENEWING)) {
        sem_init(&lock->wake, 0, 0);
        atomic_store(&lock->inside, generation << 32);
    }
}

static void wait_for_turn(struct fork_lock *lock)
{
    while (sem_wait(&lock->wake) != 0 && errno == EINTR)
        ;
}

enum fork_lock_result fork_lock_enter(struct fork_lock *lock, enum fork_lock_policy policy)
{
    const uint64_t generation = fork_guard_generation(lock->guard);
    uint64_t seen = atomic_load_explicit(&lock->inside, memory_order_relaxed);

    for (;;) {
        const int is_ours = seen >> 32 == generation;
        const uint64_t wanted = is_ours ? seen + 1 : (generation << 32) + 1;

        if (is_ours ? (uint32_t)seen == RENEWING : (uint32_t)seen != 0) {
            if (!is_ours && policy == FORK_LOCK_REFUSE)
                return FORK_LOCK_TORN;
            if (!is_ours)
                renew(lock, seen, generation);
            seen = atomic_load_explicit(&lock->inside, memory_order_acquire);
            continue;
        }
        if (atomic_compare_exchange_weak_explicit(&lock->inside, &seen, wanted,
                                                  memory_order_acquire, memory_order_relaxed)) {
            /* Whoever comes second waits until the first one leaves, and so on. */
            if (is_ours && (uint32_t)seen != 0)
                wait_for_turn(lock);
            return FORK_LOCK_TAKEN;
        }
    }
}

void fork_lock_leave(struct fork_lock *lock)
{
    if ((uint32_t)atomic_fetch_sub_explicit(&lock->inside, 1, memory_order_release) > 1)
        sem_post(&lock->wake);
}
