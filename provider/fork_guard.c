/* Generations of forked processes: see fork_guard.h. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, madvise */
#include "fork_guard.h"

#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>
#include <openssl/crypto.h>

/* What stands in the wiped page.  A fork may happen in the middle of a step: the child sees WIPED
 * whatever the parent's threads were doing. */
enum mark { WIPED = 0, STEPPING, CURRENT };

struct fork_guard {
    atomic_uint generation;
    atomic_uint *mark; /* in a page that fork wipes; NULL: not available here */
    size_t page_size;
};

static void map_wiped_page(struct fork_guard *guard)
{
#ifdef MADV_WIPEONFORK
    long page_size = sysconf(_SC_PAGESIZE);
    void *page;

    if (page_size <= 0)
        return;
    guard->page_size = (size_t)page_size;
    page = mmap(NULL, guard->page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return;
    if (madvise(page, guard->page_size, MADV_WIPEONFORK) != 0) {
        munmap(page, guard->page_size);
        return;
    }
    guard->mark = page;
    atomic_store(guard->mark, CURRENT);
#else
    (void)guard;
#endif
}

struct fork_guard *fork_guard_new(void)
{
    struct fork_guard *guard = OPENSSL_zalloc(sizeof(*guard));

    if (guard == NULL)
        return NULL;
    atomic_init(&guard->generation, 1);
    map_wiped_page(guard);
    return guard;
}

void fork_guard_free(struct fork_guard *guard)
{
    if (guard == NULL)
        return;
    if (guard->mark != NULL)
        munmap(guard->mark, guard->page_size);
    OPENSSL_free(guard);
}

/* First call in a child.  Of several threads one steps on, the others wait the moment it takes. */
static void step_on(struct fork_guard *guard)
{
    unsigned expected = WIPED;

    if (atomic_compare_exchange_strong(guard->mark, &expected, STEPPING)) {
        atomic_fetch_add(&guard->generation, 1);
        atomic_store(guard->mark, CURRENT);
    }
    while (atomic_load(guard->mark) != CURRENT)
        ;
}

unsigned fork_guard_generation(struct fork_guard *guard)
{
    if (guard == NULL || guard->mark == NULL)
        return (unsigned)getpid();
    if (atomic_load_explicit(guard->mark, memory_order_acquire) != CURRENT)
        step_on(guard);
    return atomic_load_explicit(&guard->generation, memory_order_acquire);
}
