/* Timing: see timing.h. */
#include "timing.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <openssl/err.h>

#define ROUNDS 15
#define SLICE  0.02 /* seconds of each round */

double now_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

_Noreturn void die(const char *what)
{
    fprintf(stderr, "bench: %s failed\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static double run(const struct contender *contender, size_t count)
{
    double start = now_seconds();

    contender->work(contender->state, count);
    return (now_seconds() - start) / (double)count;
}

/* How many operations fill a slice; warms everything up on the way. */
static size_t calibrate(const struct contender *contender)
{
    size_t count = 1;

    while (run(contender, count) * (double)count < SLICE / 4)
        count *= 2;
    return 4 * count;
}

static int ascending(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;

    return first < second ? -1 : first > second;
}

struct summary {
    double low, median, high;
};

static struct summary summarise(double *seconds)
{
    qsort(seconds, ROUNDS, sizeof(seconds[0]), ascending);
    return (struct summary){ seconds[ROUNDS / 4], seconds[ROUNDS / 2], seconds[3 * ROUNDS / 4] };
}

static void print_one(const char *name, const struct summary *summary)
{
    printf("%14s %10.0f ns [%.0f..%.0f]", name, 1e9 * summary->median, 1e9 * summary->low,
           1e9 * summary->high);
}

void compare(const char *what, const struct contender *ours, const struct contender *theirs)
{
    double own[ROUNDS], other[ROUNDS];
    size_t own_count = calibrate(ours), other_count = calibrate(theirs);
    struct summary first, second;

    for (size_t n = 0; n < ROUNDS; n++) {
        own[n] = run(ours, own_count);
        other[n] = run(theirs, other_count);
    }
    first = summarise(own);
    second = summarise(other);
    printf("%-34s", what);
    print_one(ours->name, &first);
    print_one(theirs->name, &second);
    printf("   %.2f times as fast\n", second.median / first.median);
    fflush(stdout);
}

void measure(const char *what, const struct contender *ours)
{
    double own[ROUNDS];
    size_t count = calibrate(ours);
    struct summary summary;

    for (size_t n = 0; n < ROUNDS; n++)
        own[n] = run(ours, count);
    summary = summarise(own);
    printf("%-34s", what);
    print_one(ours->name, &summary);
    printf("\n");
    fflush(stdout);
}
