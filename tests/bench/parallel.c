/* Several threads at once: see parallel.h. */
#include "parallel.h"

#include <pthread.h>
#include <time.h>

#define ROUNDS 11
#define TOTAL  0.12 /* seconds that the work of a round takes in one thread */

/* One run: all threads wait for each other, then do the same share. */
struct run {
    const struct job *job;
    size_t share;
    pthread_barrier_t start, end;
};

static void *thread(void *argument)
{
    struct run *run = argument;
    void *state = run->job->open(run->job);

    run->job->work(state, 1);
    pthread_barrier_wait(&run->start);
    run->job->work(state, run->share);
    pthread_barrier_wait(&run->end);
    run->job->close(state);
    return NULL;
}

/* Seconds for one operation. */
struct cost {
    double wall, processor;
};

static double processor_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static struct cost run_threads(const struct job *job, size_t threads, size_t total)
{
    struct run run = { .job = job, .share = total / threads };
    pthread_t thread_id[MANY_THREADS];
    const double done = (double)(run.share * threads);
    struct cost cost;

    if (pthread_barrier_init(&run.start, NULL, (unsigned)threads + 1) != 0 ||
        pthread_barrier_init(&run.end, NULL, (unsigned)threads + 1) != 0)
        die("a barrier");
    for (size_t n = 0; n < threads; n++) {
        if (pthread_create(&thread_id[n], NULL, thread, &run) != 0)
            die("a thread");
    }
    pthread_barrier_wait(&run.start);
    cost = (struct cost){ wall_seconds(), processor_seconds() };
    pthread_barrier_wait(&run.end);
    cost = (struct cost){ (wall_seconds() - cost.wall) / done,
                          (processor_seconds() - cost.processor) / done };
    for (size_t n = 0; n < threads; n++)
        pthread_join(thread_id[n], NULL);
    pthread_barrier_destroy(&run.start);
    pthread_barrier_destroy(&run.end);
    return cost;
}

static void compare_costs(const struct cost *many, const struct cost *few, double *operations,
                          double *processor)
{
    *operations = few->wall / many->wall;
    *processor = many->processor / few->processor;
}

struct scaling measure_scaling(const struct job *job)
{
    const size_t total = MANY_THREADS * ((size_t)(TOTAL / measure(job)) / MANY_THREADS + 1);
    double seconds[ROUNDS], two[2][ROUNDS], many[2][ROUNDS];

    for (size_t n = 0; n < ROUNDS; n++) {
        const struct cost one = run_threads(job, 1, total);
        const struct cost pair = run_threads(job, 2, total);
        const struct cost crowd = run_threads(job, MANY_THREADS, total);

        seconds[n] = one.wall;
        compare_costs(&pair, &one, &two[0][n], &two[1][n]);
        compare_costs(&crowd, &pair, &many[0][n], &many[1][n]);
    }
    return (struct scaling){ 1 / median(seconds, ROUNDS),
                             { median(two[0], ROUNDS), median(two[1], ROUNDS) },
                             { median(many[0], ROUNDS), median(many[1], ROUNDS) } };
}
