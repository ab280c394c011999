/* Timing: see timing.h. */
#include "timing.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <openssl/err.h>

#define ROUNDS 151
#define SLICE  0.0015 /* seconds of each round */

static double read_clock(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double wall_seconds(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

_Noreturn void die(const char *what)
{
    fprintf(stderr, "schannel-bench: %s failed\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

/* ---- running ---- */

/* A job with its state, and how many times it is done in a round. */
struct runner {
    const struct job *job;
    void *state;
    size_t count;
};

/* Seconds for one. */
static double run(const struct runner *runner)
{
    double start = read_clock(CLOCK_THREAD_CPUTIME_ID);

    runner->job->work(runner->state, runner->count);
    return (read_clock(CLOCK_THREAD_CPUTIME_ID) - start) / (double)runner->count;
}

/* Seconds for |count|: the shortest of a few runs, since one may be disturbed. */
static double shortest_run(const struct runner *runner)
{
    double shortest = run(runner);

    for (int n = 0; n < 3; n++) {
        const double seconds = run(runner);

        shortest = seconds < shortest ? seconds : shortest;
    }
    return shortest * (double)runner->count;
}

/* Finds how many fill a slice, and warms everything up on the way. */
static struct runner start(const struct job *job)
{
    struct runner runner = { job, job->open(job), 1 };

    while (shortest_run(&runner) < SLICE / 4)
        runner.count *= 2;
    runner.count *= 4;
    return runner;
}

static void stop(const struct runner *runner)
{
    runner->job->close(runner->state);
}

/* ---- summing up ---- */

static int ascending(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;

    return first < second ? -1 : first > second;
}

struct summary summarise(double *values, size_t count)
{
    qsort(values, count, sizeof(values[0]), ascending);
    return (struct summary){ values[count / 4], values[count / 2], values[3 * count / 4] };
}

/* ---- printing ---- */

static void print_time(const char *name, const struct summary *seconds)
{
    const int is_long = seconds->median >= 1e-5;
    const double unit = is_long ? 1e6 : 1e9;
    const int digits = is_long ? 2 : 0;
    char quartiles[40];

    snprintf(quartiles, sizeof(quartiles), "[%.*f..%.*f]", digits, unit * seconds->low, digits,
             unit * seconds->high);
    printf("  %12s %7.*f %s %-18s", name, digits, unit * seconds->median, is_long ? "us" : "ns",
           quartiles);
}

static void print_ratio(const struct row *row, const struct summary *ratio)
{
    static const char *const words[] = { [NO_GOAL] = "times as many",
                                         [TIMES_AS_MANY] = "times as many, to reach",
                                         [TIMES_THE_TIME] = "times the time, at most" };

    printf("  %5.2f [%.2f..%.2f] %s", ratio->median, ratio->low, ratio->high, words[row->goal]);
    if (row->goal != NO_GOAL)
        printf(" %.2f", row->to_reach);
    printf("\n");
    fflush(stdout);
}

double compare(const struct row *row)
{
    double own[ROUNDS], other[ROUNDS], ratios[ROUNDS];
    const struct runner ours = start(&row->ours), theirs = start(&row->theirs);
    struct summary first, second, ratio;

    for (size_t n = 0; n < ROUNDS; n++) {
        own[n] = run(&ours);
        other[n] = run(&theirs);
        ratios[n] = row->goal == TIMES_THE_TIME ? own[n] / other[n] : other[n] / own[n];
    }
    stop(&ours);
    stop(&theirs);
    first = summarise(own, ROUNDS);
    second = summarise(other, ROUNDS);
    ratio = summarise(ratios, ROUNDS);
    printf("%-30s", row->what);
    print_time(row->ours.name, &first);
    print_time(row->theirs.name, &second);
    print_ratio(row, &ratio);
    return first.median;
}

double measure(const struct job *job)
{
    double seconds[ROUNDS];
    const struct runner runner = start(job);

    for (size_t n = 0; n < ROUNDS; n++)
        seconds[n] = run(&runner);
    stop(&runner);
    return summarise(seconds, ROUNDS).median;
}
