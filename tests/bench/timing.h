/*
 * Timing: jobs run in turn in one process, medians and quartiles over many rounds, and ratios of
 * rounds that follow each other.  Called by the row groups of the benchmark; nothing passes or
 * fails.
 *
 * Processor time of the thread is what counts here, so that other processes disturb a figure less;
 * nothing that is timed sleeps.  Several threads at once are timed in parallel.h.
 */
#ifndef SCHANNEL_TESTS_BENCH_TIMING_H
#define SCHANNEL_TESTS_BENCH_TIMING_H

#include <stddef.h>

/* Something that can be done many times.  Mistakes end the program: see die. */
struct job {
    const char *name;                     /* printed */
    void *(*open)(const struct job *job); /* what |work| needs, one for each thread */
    void (*work)(void *state, size_t count);
    void (*close)(void *state);
    /* for |open|, which knows what they mean */
    const char *algorithm, *digest;
    size_t size, key_size;
};

/* What is to be reached. */
enum goal {
    NO_GOAL,
    TIMES_AS_MANY, /* in a second, at least, as the other one */
    TIMES_THE_TIME /* of the other one, at most */
};

/* A line of the printed table: ours and what it is compared with. */
struct row {
    const char *what;
    struct job ours, theirs;
    enum goal goal;
    double to_reach;
};

/*
 * Prints the row: the time of either (median, quartiles in brackets) and the ratio that the goal is
 * about, beside what is to be reached.  The median seconds of ours.
 */
double compare(const struct row *row);
/* The median seconds of one.  Prints nothing. */
double measure(const struct job *job);

/* Median and quartiles. */
struct summary {
    double low, median, high;
};

/* Sorts |values|. */
struct summary summarise(double *values, size_t count);
/* By a clock that nobody sets. */
double wall_seconds(void);
/* Prints the OpenSSL error queue and ends the program. */
_Noreturn void die(const char *what);

#endif
