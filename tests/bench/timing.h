/*
 * Timing of two ways to do the same: interleaved rounds in one process, medians and quartiles.
 * Called by the benchmarks only; nothing here passes or fails.
 */
#ifndef SCHANNEL_TESTS_BENCH_TIMING_H
#define SCHANNEL_TESTS_BENCH_TIMING_H

#include <stddef.h>

/* Does the work |count| times.  Mistakes end the program: see die. */
typedef void work_fn(void *state, size_t count);

struct contender {
    const char *name;
    work_fn *work;
    void *state;
};

/*
 * Runs both in turn for about |milliseconds| each, in ROUNDS rounds, and prints a line: nanoseconds
 * per operation of either (median, quartiles in brackets) and how many times as fast |ours| is.
 */
void compare(const char *what, const struct contender *ours, const struct contender *theirs);
/* The same without a rival. */
void measure(const char *what, const struct contender *ours);

double now_seconds(void);
/* Prints the OpenSSL error queue and ends the program. */
_Noreturn void die(const char *what);

#endif
