/*
 * fork_lock: one holder at a time, whatever signals come meanwhile; and what a child sees of a lock that
 * was taken when its parent forked.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "fork_guard.h"
#include "fork_lock.h"

/* Ends a test that hangs; no test waits for it. */
#define HANGING_SECONDS 60
#define SIGNALS         20

struct world {
    struct fork_guard *guard;
    struct fork_lock lock;
    atomic_int is_inside;
};

static struct world world;

static int set_up(void **state)
{
    (void)state;
    world.guard = fork_guard_new();
    assert_non_null(world.guard);
    assert_int_equal(fork_lock_init(&world.lock, world.guard), 1);
    atomic_store(&world.is_inside, 0);
    alarm(HANGING_SECONDS);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    alarm(0);
    fork_lock_destroy(&world.lock);
    fork_guard_free(world.guard);
    return 0;
}

/* The answer of |run| in a child. */
static int answer_of_child(int (*run)(void))
{
    pid_t child = fork();
    int status = -1;

    assert_true(child >= 0);
    if (child == 0) {
        alarm(HANGING_SECONDS);
        _exit(run());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* 0 when the lock can be taken and left, and is whole afterwards. */
static int take_twice(enum fork_lock_policy policy)
{
    for (int n = 0; n < 2; n++) {
        if (fork_lock_enter(&world.lock, policy) != FORK_LOCK_TAKEN)
            return 1;
        fork_lock_leave(&world.lock);
    }
    return 0;
}

static int refuse_torn(void)
{
    return take_twice(FORK_LOCK_REFUSE);
}

static int renew_torn(void)
{
    return take_twice(FORK_LOCK_RENEW);
}

/* Who renews it has a lock that everybody can take again. */
static int renew_then_refuse(void)
{
    return take_twice(FORK_LOCK_RENEW) || take_twice(FORK_LOCK_REFUSE);
}

static void a_child_tells_a_lock_that_was_taken_from_one_that_was_not(void **state)
{
    (void)state;
    assert_int_equal(answer_of_child(refuse_torn), 0);
    assert_int_equal(fork_lock_enter(&world.lock, FORK_LOCK_REFUSE), FORK_LOCK_TAKEN);
    assert_int_equal(answer_of_child(refuse_torn), 1);
    assert_int_equal(answer_of_child(renew_torn), 0);
    assert_int_equal(answer_of_child(renew_then_refuse), 0);
    /* what the children did is theirs alone */
    fork_lock_leave(&world.lock);
    assert_int_equal(take_twice(FORK_LOCK_REFUSE), 0);
}

static void ignore(int number)
{
    (void)number;
}

static void *take_and_leave(void *state)
{
    (void)state;
    assert_int_equal(fork_lock_enter(&world.lock, FORK_LOCK_REFUSE), FORK_LOCK_TAKEN);
    atomic_store(&world.is_inside, 1);
    fork_lock_leave(&world.lock);
    return NULL;
}

static void a_thread_that_waits_is_not_let_in_by_a_signal(void **state)
{
    const struct timespec moment = { 0, 1000000 };
    struct sigaction action, before;
    pthread_t thread;

    (void)state;
    memset(&action, 0, sizeof(action));
    action.sa_handler = ignore; /* without SA_RESTART */
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    assert_int_equal(fork_lock_enter(&world.lock, FORK_LOCK_REFUSE), FORK_LOCK_TAKEN);
    assert_int_equal(pthread_create(&thread, NULL, take_and_leave, NULL), 0);
    while ((uint32_t)atomic_load(&world.lock.inside) != 2)
        nanosleep(&moment, NULL);
    for (int n = 0; n < SIGNALS; n++) {
        assert_int_equal(pthread_kill(thread, SIGUSR1), 0);
        nanosleep(&moment, NULL);
        assert_int_equal(atomic_load(&world.is_inside), 0);
    }
    fork_lock_leave(&world.lock);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(atomic_load(&world.is_inside), 1);
    assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_child_tells_a_lock_that_was_taken_from_one_that_was_not,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_thread_that_waits_is_not_let_in_by_a_signal, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
