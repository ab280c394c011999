/* 64 threads: see crew.h. */
#include "crew.h"

#include "fixture.h"

#include <pthread.h>

struct member {
    pthread_t thread;
    size_t number;
    void (*work)(size_t thread);
};

static pthread_barrier_t start;
static atomic_uint failures;

void crew_failed(const char *file, int line, const char *condition)
{
    char error[256];

    if (atomic_fetch_add(&failures, 1) != 0)
        return;
    ERR_error_string_n(ERR_peek_error(), error, sizeof(error));
    fprintf(stderr, "%s:%d: %s (%s)\n", file, line, condition, error);
}

static void *run(void *argument)
{
    const struct member *member = argument;

    pthread_barrier_wait(&start);
    member->work(member->number);
    OPENSSL_thread_stop_ex(libctx);
    return NULL;
}

void crew_run(void (*work)(size_t thread))
{
    struct member members[CREW_SIZE];

    atomic_store(&failures, 0);
    assert_int_equal(pthread_barrier_init(&start, NULL, CREW_SIZE), 0);
    for (size_t n = 0; n < CREW_SIZE; n++) {
        members[n].number = n;
        members[n].work = work;
        assert_int_equal(pthread_create(&members[n].thread, NULL, run, &members[n]), 0);
    }
    for (size_t n = 0; n < CREW_SIZE; n++)
        assert_int_equal(pthread_join(members[n].thread, NULL), 0);
    pthread_barrier_destroy(&start);
    assert_int_equal(atomic_load(&failures), 0);
}
