/*
 * The physical limit of a derivation: the compressions it needs, times what one costs here.
 *
 * Compressions follow from the formulas, with the secret's own HMAC blocks already compressed; their
 * cost is measured through EVP_DigestUpdate on many blocks at once.  A derivation whose compressions
 * wait for each other cannot be faster.  Called by the row groups of derivations.
 */
#ifndef SCHANNEL_TESTS_BENCH_LIMIT_H
#define SCHANNEL_TESTS_BENCH_LIMIT_H

#include <stddef.h>

struct compressions {
    unsigned md5, sha1;
};

/* Of |size| bytes of key block with two randoms of 32 bytes. */
struct compressions tls1_compressions(size_t size);
struct compressions ssl3_compressions(size_t size);

/* Prints the limit and how many times as long |seconds| are. */
void print_limit(struct compressions needed, double seconds);

#endif
