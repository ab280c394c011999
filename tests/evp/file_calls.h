/*
 * Calls of the module into the C library that a test watches, lets fail, or dies in: this program's
 * own open, openat, fsync, close and unlinkat, which the module's calls resolve to (the program is
 * linked with its symbols exported).  Used by test_transfer_race.
 *
 * Nothing is counted and everything works until file_calls_start.  For one thread only.
 */
#ifndef SCHANNEL_TESTS_EVP_FILE_CALLS_H
#define SCHANNEL_TESTS_EVP_FILE_CALLS_H

#include <stddef.h>

#define FILE_CALLS_MAX   64
#define FILE_CALLS_NEVER (2 * FILE_CALLS_MAX)

/* One call, in the order in which they were made. */
struct file_call {
    char name; /* 'o' open, 'c' create, 'f' fsync, 'x' close, 'u' unlink */
    int fd;    /* given, or got */
};

/*
 * Counts from here.  Call number n of this process is preceded by step 2n and followed by step
 * 2n + 1: at |step| it ends by SIGKILL.
 */
void file_calls_start(size_t step);
/* The first call called |name| fails with |error| instead, as if it had never been made. */
void file_calls_fail(char name, int error);
/* Stops counting and failing.  How many calls there were, of which |calls| (NULL, or room for
 * FILE_CALLS_MAX) receives each. */
size_t file_calls_stop(struct file_call *calls);

#endif
