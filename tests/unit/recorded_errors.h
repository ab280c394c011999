/*
 * A struct errors whose upcalls write down what was raised, so that a unit test can say which one
 * reason a refusal must give.  Used by the unit tests of everything that raises errors.
 *
 *     struct recorded_errors *recorded = recorded_errors_new();
 *
 *     assert_int_equal(thing_that_refuses(recorded_errors_target(recorded)), 0);
 *     expect_one_error(recorded, SCHANNEL_R_INVALID_LENGTH, "31 bytes");
 *     recorded_errors_free(recorded);
 *
 * Recording is safe from any thread; the expectations belong into the test's own thread.
 */
#ifndef SCHANNEL_TESTS_RECORDED_ERRORS_H
#define SCHANNEL_TESTS_RECORDED_ERRORS_H

#include <stddef.h>
#include "errors.h"

/* One raised error; the strings belong to the recording. */
struct recorded_error {
    unsigned reason;
    char sentence[5000]; /* more than the longest path and its words */
    char file[128], function[64];
    int line;
};

struct recorded_errors;

/* Fails the running test when there is no memory. */
struct recorded_errors *recorded_errors_new(void);
void recorded_errors_free(struct recorded_errors *recorded);

/* What the code under test gets; lives as long as the recording. */
const struct errors *recorded_errors_target(const struct recorded_errors *recorded);
/* How many upcalls began an error, and the errors that were completed. */
size_t recorded_errors_begun(struct recorded_errors *recorded);
size_t recorded_errors_count(struct recorded_errors *recorded);
/* The nth completed error since the last recorded_errors_forget; n is below the count and small. */
const struct recorded_error *recorded_errors_get(const struct recorded_errors *recorded, size_t n);
void recorded_errors_forget(struct recorded_errors *recorded);

/*
 * Exactly one error was raised, it has this reason and its sentence contains |part|; and nothing of
 * libcrypto's own is left on this thread's queue.  Otherwise the test fails and says what was
 * raised.  What was recorded is forgotten, so that the next refusal starts from nothing.
 */
#define expect_one_error(recorded, reason, part)                                                   \
    recorded_errors_expect_one((recorded), (reason), (part), __FILE__, __LINE__)
/* No error was raised and none is on this thread's queue. */
#define expect_no_error(recorded) recorded_errors_expect_none((recorded), __FILE__, __LINE__)

void recorded_errors_expect_one(struct recorded_errors *recorded, enum schannel_reason reason,
                                const char *part, const char *file, int line);
void recorded_errors_expect_none(struct recorded_errors *recorded, const char *file, int line);

#endif
