/* One operation with one kind of failure, at every point: used by test_starvation. */
#ifndef SCHANNEL_TESTS_STARVE_RUN_H
#define SCHANNEL_TESTS_STARVE_RUN_H

#include "operation.h"
#include "points.h"

/* How the runs of one kind came out; in memory that a forked child shares. */
struct score {
    size_t operations, points; /* points at which something failed */
    size_t refused;            /* of these: the operation failed, as it has to */
    size_t absorbed;           /* it succeeded without what failed, with the same result */
    size_t excepted;           /* named in the table of libcrypto's own faults */
    size_t silent;             /* refused by libcrypto itself, without an error of its own */
    size_t bad;                /* none of these: each is printed */
    size_t number;             /* of the run that is under way */
    struct point hit;          /* where it was last */
};

/* Statuses of a process, which a sanitizer would not end one with. */
enum run_result { RUN_FINISHED = 40, RUN_MORE };

/* The context that stays; between runs |libctx| is the same. */
extern OSSL_LIB_CTX *main_libctx;

/* 1 when they are made in the main library context, 0 when each has one of its own. */
int runs_are_warm(const struct operation *operation, enum point_kind kind);
/* At most |most| points of |kind| in |operation|, from number |from| on. */
enum run_result run_operation(const struct operation *operation, enum point_kind kind, size_t from,
                              size_t most, struct score *score);

/* libcrypto's own faults: NULL when a failure at |point| is none of these. */
const char *exception_of(const struct point *point);

/* Before the others: what follows is shared with children. */
void sites_find(void);
/* Each place where the provider asked for memory and did not get it. */
void sites_note(const struct point *point);
/* How many of the places in the provider's sources were met; prints the others. */
size_t sites_missing(size_t *total);

#endif
