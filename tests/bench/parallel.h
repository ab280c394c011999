/*
 * Timing of several threads at once: the same total of work in one thread, in two and in 64.
 *
 * Seconds are those of the wall clock.  The processor time of one operation, over all threads, is
 * measured beside it: it does not change when other programs take the processors away, and it grows
 * when threads are in each other's way on the processors.
 * Called by thread_rows.
 */
#ifndef SCHANNEL_TESTS_BENCH_PARALLEL_H
#define SCHANNEL_TESTS_BENCH_PARALLEL_H

#include "timing.h"

/* Several threads compared with fewer: medians of rounds that follow each other. */
struct speedup {
    double operations; /* in a second, times as many */
    double processor;  /* processor time of one, times as much */
};

struct scaling {
    double per_second; /* in one thread */
    struct speedup two_over_one, many_over_two;
};

#define MANY_THREADS 64

struct scaling measure_scaling(const struct job *job);

#endif
