/* A lock that survives fork: see fork_lock.h. */
#include "fork_lock.h"

#include "fork_guard.h"

int fork_lock_init(struct fork_lock *lock, struct fork_guard *guard)
{
    CRYPTO_RWLOCK *made = CRYPTO_THREAD_lock_new();

    lock->guard = guard;
    atomic_init(&lock->lock, made);
    atomic_init(&lock->inside, (uint64_t)fork_guard_generation(guard) << 32);
    return made != NULL;
}

void fork_lock_destroy(struct fork_lock *lock)
{
    CRYPTO_THREAD_lock_free(atomic_load(&lock->lock));
}

/* In the place of the count: a thread is replacing the lock. */
#define RENEWING UINT32_MAX

/*
 * Replaces the lock that a thread of the parent holds for ever.  It is lost: nobody can free a lock
 * that is locked.  Of several threads that come here one does it.  0 when memory is out.
 */
static int renew(struct fork_lock *lock, uint64_t torn, uint64_t generation)
{
    CRYPTO_RWLOCK *made = CRYPTO_THREAD_lock_new();

    if (made == NULL)
        return 0;
    if (atomic_compare_exchange_strong(&lock->inside, &torn, generation << 32 | RENEWING)) {
        atomic_store(&lock->lock, made);
        atomic_store(&lock->inside, generation << 32);
    } else {
        CRYPTO_THREAD_lock_free(made);
    }
    return 1;
}

/* Counts this thread in; 0 when somebody of another generation is still counted. */
static int enter(struct fork_lock *lock, enum fork_lock_policy policy)
{
    const uint64_t generation = fork_guard_generation(lock->guard);
    uint64_t seen = atomic_load_explicit(&lock->inside, memory_order_relaxed);

    for (;;) {
        const int is_ours = seen >> 32 == generation;
        const uint64_t wanted = is_ours ? seen + 1 : (generation << 32) + 1;

        if (is_ours ? (uint32_t)seen == RENEWING : (uint32_t)seen != 0) {
            if (!is_ours && (policy == FORK_LOCK_REFUSE || !renew(lock, seen, generation)))
                return 0;
            seen = atomic_load_explicit(&lock->inside, memory_order_acquire);
            continue;
        }
        if (atomic_compare_exchange_weak_explicit(&lock->inside, &seen, wanted,
                                                  memory_order_acquire, memory_order_relaxed))
            return 1;
    }
}

static enum fork_lock_result finish(struct fork_lock *lock, int locked)
{
    if (locked)
        return FORK_LOCK_TAKEN;
    atomic_fetch_sub(&lock->inside, 1);
    return FORK_LOCK_FAILED;
}

enum fork_lock_result fork_lock_write(struct fork_lock *lock, enum fork_lock_policy policy)
{
    if (!enter(lock, policy))
        return FORK_LOCK_TORN;
    return finish(lock, CRYPTO_THREAD_write_lock(atomic_load(&lock->lock)));
}

enum fork_lock_result fork_lock_read(struct fork_lock *lock, enum fork_lock_policy policy)
{
    if (!enter(lock, policy))
        return FORK_LOCK_TORN;
    return finish(lock, CRYPTO_THREAD_read_lock(atomic_load(&lock->lock)));
}

void fork_lock_leave(struct fork_lock *lock)
{
    CRYPTO_THREAD_unlock(atomic_load(&lock->lock));
    atomic_fetch_sub_explicit(&lock->inside, 1, memory_order_release);
}
