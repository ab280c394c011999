/* Recording what is raised: see recorded_errors.h. */
#include "recorded_errors.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/core_dispatch.h>
#include <openssl/err.h>

#define MAX_RECORDED 32

struct recorded_errors {
    struct errors *target;
    pthread_mutex_t lock;
    size_t begun, count; /* |count| goes on past MAX_RECORDED, of which nothing is kept */
    struct recorded_error errors[MAX_RECORDED];
};

/* Where the error that this thread has begun was raised. */
static _Thread_local struct recorded_error pending;

static void copy_string(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text != NULL ? text : "");
}

/* ---- the core's side ---- */

/* The core handle is opaque to the provider: here it is the recording. */
static struct recorded_errors *recording(const OSSL_CORE_HANDLE *core)
{
    return (struct recorded_errors *)(uintptr_t)core;
}

static void record_new_error(const OSSL_CORE_HANDLE *core)
{
    struct recorded_errors *recorded = recording(core);

    memset(&pending, 0, sizeof(pending));
    pthread_mutex_lock(&recorded->lock);
    recorded->begun++;
    pthread_mutex_unlock(&recorded->lock);
}

static void record_debug(const OSSL_CORE_HANDLE *core, const char *file, int line,
                         const char *function)
{
    (void)core;
    copy_string(pending.file, sizeof(pending.file), file);
    copy_string(pending.function, sizeof(pending.function), function);
    pending.line = line;
}

static void record_sentence(const OSSL_CORE_HANDLE *core, uint32_t reason, const char *format,
                            va_list arguments) __attribute__((format(printf, 3, 0)));

static void record_sentence(const OSSL_CORE_HANDLE *core, uint32_t reason, const char *format,
                            va_list arguments)
{
    struct recorded_errors *recorded = recording(core);

    pending.reason = reason;
    vsnprintf(pending.sentence, sizeof(pending.sentence), format, arguments);
    pthread_mutex_lock(&recorded->lock);
    if (recorded->count < MAX_RECORDED)
        recorded->errors[recorded->count] = pending;
    recorded->count++;
    pthread_mutex_unlock(&recorded->lock);
}

/* Marks are on libcrypto's queue, as those of its own core. */
static int set_mark(const OSSL_CORE_HANDLE *core)
{
    (void)core;
    return ERR_set_mark();
}

static int clear_mark(const OSSL_CORE_HANDLE *core)
{
    (void)core;
    return ERR_clear_last_mark();
}

static int pop_to_mark(const OSSL_CORE_HANDLE *core)
{
    (void)core;
    return ERR_pop_to_mark();
}

/* ---- the test's side ---- */

struct recorded_errors *recorded_errors_new(void)
{
    static const OSSL_DISPATCH upcalls[] = {
        { OSSL_FUNC_CORE_NEW_ERROR, (void (*)(void))record_new_error },
        { OSSL_FUNC_CORE_SET_ERROR_DEBUG, (void (*)(void))record_debug },
        { OSSL_FUNC_CORE_VSET_ERROR, (void (*)(void))record_sentence },
        { OSSL_FUNC_CORE_SET_ERROR_MARK, (void (*)(void))set_mark },
        { OSSL_FUNC_CORE_CLEAR_LAST_ERROR_MARK, (void (*)(void))clear_mark },
        { OSSL_FUNC_CORE_POP_ERROR_TO_MARK, (void (*)(void))pop_to_mark },
        { 0, NULL },
    };
    struct recorded_errors *recorded = calloc(1, sizeof(*recorded));

    assert_non_null(recorded);
    assert_int_equal(pthread_mutex_init(&recorded->lock, NULL), 0);
    recorded->target = errors_new((const OSSL_CORE_HANDLE *)(uintptr_t)recorded, upcalls);
    assert_non_null(recorded->target);
    ERR_clear_error();
    return recorded;
}

void recorded_errors_free(struct recorded_errors *recorded)
{
    if (recorded == NULL)
        return;
    errors_free(recorded->target);
    pthread_mutex_destroy(&recorded->lock);
    free(recorded);
}

const struct errors *recorded_errors_target(const struct recorded_errors *recorded)
{
    return recorded->target;
}

size_t recorded_errors_begun(struct recorded_errors *recorded)
{
    size_t begun;

    pthread_mutex_lock(&recorded->lock);
    begun = recorded->begun;
    pthread_mutex_unlock(&recorded->lock);
    return begun;
}

size_t recorded_errors_count(struct recorded_errors *recorded)
{
    size_t count;

    pthread_mutex_lock(&recorded->lock);
    count = recorded->count;
    pthread_mutex_unlock(&recorded->lock);
    return count;
}

const struct recorded_error *recorded_errors_get(const struct recorded_errors *recorded, size_t n)
{
    assert_true(n < recorded->count && n < MAX_RECORDED);
    return &recorded->errors[n];
}

void recorded_errors_forget(struct recorded_errors *recorded)
{
    pthread_mutex_lock(&recorded->lock);
    recorded->begun = recorded->count = 0;
    memset(recorded->errors, 0, sizeof(recorded->errors));
    pthread_mutex_unlock(&recorded->lock);
}

/* ---- expectations ---- */

static void print_recorded(const struct recorded_errors *recorded)
{
    char text[256];

    for (size_t n = 0; n < recorded->count && n < MAX_RECORDED; n++)
        print_error("  raised %u \"%s\" in %s\n", recorded->errors[n].reason,
                    recorded->errors[n].sentence, recorded->errors[n].function);
    for (unsigned long code; (code = ERR_get_error()) != 0;) {
        ERR_error_string_n(code, text, sizeof(text));
        print_error("  on the queue: %s\n", text);
    }
}

void recorded_errors_expect_one(struct recorded_errors *recorded, enum schannel_reason reason,
                                const char *part, const char *file, int line)
{
    const struct recorded_error *error = &recorded->errors[0];

    if (recorded->begun != 1 || recorded->count != 1 || error->reason != (unsigned)reason ||
        strstr(error->sentence, part) == NULL || ERR_peek_error() != 0) {
        print_error("%s:%d: expected one error, reason %u, with \"%s\"; %zu begun, %zu raised\n",
                    file, line, (unsigned)reason, part, recorded->begun, recorded->count);
        print_recorded(recorded);
        fail();
    }
    recorded_errors_forget(recorded);
}

void recorded_errors_expect_none(struct recorded_errors *recorded, const char *file, int line)
{
    if (recorded->begun != 0 || recorded->count != 0 || ERR_peek_error() != 0) {
        print_error("%s:%d: expected no error; %zu begun, %zu raised\n", file, line,
                    recorded->begun, recorded->count);
        print_recorded(recorded);
        fail();
    }
}
