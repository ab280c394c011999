/* Several threads at once: see parallel.h. */
#include "parallel.h"

#include <pthread.h>
#include <time.h>

#define ROUNDS 15
/* Seconds that the work of a round takes in one thread: long enough for the scheduler to even out
 * which processor has how many of the threads. */
#define TOTAL 0.3

/* One run: all threads wait for each other, then each does its share. */
struct run {
    const struct job *job;
    size_t share;
    pthread_barrier_t start;
};

struct worker {
    pthread_t thread;
    struct run *run;
    double start, end, processor; /* when it worked, and what that took */
};

static double processor_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    const struct job *job = worker->run->job;
    void *state = job->open(job);

    job->work(state, 1);
    pthread_barrier_wait(&worker->run->start);
    worker->start = wall_seconds();
    worker->processor = processor_seconds();
    job->work(state, worker->run->share);
    worker->processor = processor_seconds() - worker->processor;
    worker->end = wall_seconds();
    job->close(state);
    return NULL;
}

/* Seconds for one operation. */
struct cost {
    double wall, processor;
};

/* From the first thread's start to the last one's end. */
static struct cost add_up(const struct worker *workers, size_t count)
{
    double start = workers[0].start, end = workers[0].end, processor = 0;
    const double done = (double)(workers[0].run->share * count);

    for (size_t n = 0; n < count; n++) {
        start = workers[n].start < start ? workers[n].start : start;
        end = workers[n].end > end ? workers[n].end : end;
        processor += workers[n].processor;
    }
    return (struct cost){ (end - start) / done, processor / done };
}

static struct cost run_threads(const struct job *job, size_t threads, size_t total)
{
    struct run run = { .job = job, .share = total / threads };
    struct worker workers[MANY_THREADS];

    if (pthread_barrier_init(&run.start, NULL, (unsigned)threads) != 0)
        die("a barrier");
    for (size_t n = 0; n < threads; n++) {
        workers[n].run = &run;
        if (pthread_create(&workers[n].thread, NULL, work, &workers[n]) != 0)
            die("a thread");
    }
    for (size_t n = 0; n < threads; n++)
        pthread_join(workers[n].thread, NULL);
    pthread_barrier_destroy(&run.start);
    return add_up(workers, threads);
}

/* Collects the rounds of one comparison. */
struct rounds {
    double operations[ROUNDS], processor[ROUNDS];
};

static void compare_costs(struct rounds *rounds, size_t n, struct cost more, struct cost fewer)
{
    rounds->operations[n] = fewer.wall / more.wall;
    rounds->processor[n] = more.processor / fewer.processor;
}

static struct speedup sum_up(struct rounds *rounds)
{
    return (struct speedup){ summarise(rounds->operations, ROUNDS),
                             summarise(rounds->processor, ROUNDS) };
}

struct scaling measure_scaling(const struct job *job)
{
    const size_t total = MANY_THREADS * ((size_t)(TOTAL / measure(job)) / MANY_THREADS + 1);
    struct rounds two_over_one, many_over_two;
    double seconds[ROUNDS];

    for (size_t n = 0; n < ROUNDS; n++) {
        const struct cost one = run_threads(job, 1, total);
        const struct cost two = run_threads(job, 2, total);
        const struct cost many = run_threads(job, MANY_THREADS, total);

        seconds[n] = one.wall;
        compare_costs(&two_over_one, n, two, one);
        compare_costs(&many_over_two, n, many, two);
    }
    return (struct scaling){ summarise(seconds, ROUNDS), sum_up(&two_over_one),
                             sum_up(&many_over_two) };
}
