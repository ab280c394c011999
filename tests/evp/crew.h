/*
 * 64 threads that start at one moment.  CMocka's assertions belong to the main thread: the others
 * check with CHECK, and crew_run fails the test when one of them did not hold.
 */
#ifndef SCHANNEL_TESTS_EVP_CREW_H
#define SCHANNEL_TESTS_EVP_CREW_H

#include <stdatomic.h>
#include <stddef.h>

#define CREW_SIZE 64

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            crew_failed(__FILE__, __LINE__, #condition);                                           \
    } while (0)

/* Prints the first failure, with the first error on the thread's queue. */
void crew_failed(const char *file, int line, const char *condition);

/* Runs |work| in CREW_SIZE threads, numbered from 0, and waits for them. */
void crew_run(void (*work)(size_t thread));

#endif
