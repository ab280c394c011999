/*
 * Tests that try hundreds or thousands of cases alike, under a tool that makes each of them slow: with
 * SCHANNEL_TEST_SAMPLE=N in the environment they try one in N of thousands, and one in the square
 * root of N of hundreds, and the process says at its end how many that were.  Without it everything
 * is tried.  tests/memcheck sets it.
 */
#ifndef SCHANNEL_TESTS_EVP_SAMPLE_H
#define SCHANNEL_TESTS_EVP_SAMPLE_H

#include <stddef.h>

/* 1 when a case is to be tried: the first one, and then one in so many.  For one thread of a process. */
int is_sampled_of_thousands(void);
int is_sampled_of_hundreds(void);
/* How many of |rounds| to do: all of them, or one in N, but no fewer than |least|. */
size_t sampled_rounds(size_t rounds, size_t least);
/* Is anything left out?  For what is only promised of the whole. */
int is_sample(void);

#endif
