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

/* More threads compared with fewer, over rounds that follow each other. */
struct speedup {
    struct summary operations; /* in a second, times as many */
    struct summary processor;  /* processor time of one, times as much */
};

struct scaling {
    struct summary seconds; /* for one operation in one thread */
    struct speedup two_over_one, many_over_two;
};

#define MANY_THREADS 64

struct scaling measure_scaling(const struct job *job);

#endif
