/*
 * Points at which something fails: every allocation in the process, and the calls of the provider
 * into the C library, into libcrypto and to the random number generator.
 *
 * The program is linked with the provider's objects and --wrap (CMakeLists.txt), so that a call into
 * the C library that is counted here is one of the provider's or of this program's own.  An allocation
 * is the provider's when the file that asked for it is, which libcrypto passes on.
 *
 * For one thread only.
 */
#ifndef SCHANNEL_TESTS_STARVE_POINTS_H
#define SCHANNEL_TESTS_STARVE_POINTS_H

#include <stddef.h>

enum point_kind {
    POINT_OURS,        /* an allocation of the provider's */
    POINT_LIBCRYPTO,   /* an allocation of libcrypto's, or of another provider's */
    POINT_FILE,        /* a call into the C library: fails */
    POINT_INTERRUPTED, /* a read or write: EINTR, the first time */
    POINT_SHORT,       /* a read or write: one byte of several */
    POINT_RANDOM,      /* a call of the random number generator, libcrypto's own too */
    POINT_CRYPTO,      /* a call into libcrypto, or of the clock or threads of the C library */
    POINT_KINDS
};

#define POINT_MAX_STACK 40

/* Where it was: file and line of an allocation; the function called, and 0, of anything else. */
struct point {
    const char *name;
    int line;
    int depth;
    void *stack[POINT_MAX_STACK]; /* who called, innermost first */
};

/* 1 when the exported function |name| is among the callers. */
int point_is_in(const struct point *point, const char *name);

/* 1 when libcrypto had called the provider there. */
int point_is_in_provider(const struct point *point);

/* What is there now. */
struct holdings {
    size_t ours, libcrypto; /* blocks of memory; those of the error queue are left out */
    size_t descriptors;
};

/* Before anything of libcrypto's is called.  0 when it is too late. */
int points_install(void);
/* From here on, number |number| of |kind|, counted from 1, fails; 0: none.  Until it does, *hit is
 * without a name. */
void points_arm(enum point_kind kind, size_t number, struct point *hit);
void points_disarm(void);
/* What libcrypto does on its own on the way to the provider, for minutes when all of it is met. */
enum detour {
    DETOUR_NONE,
    DETOUR_STORE, /* it loads a key from a store */
    DETOUR_CODERS /* it collects encoders and decoders */
};
/* From here on what happens in these is counted (DETOUR_NONE), not in stores, or in none of them. */
void points_pass_over(enum detour most);
/* Asked by the calls that are a detour, with 1 and then -1. */
void points_count_detours(enum detour detour, int difference);
struct holdings points_holdings(void);
/* Prints where the youngest |count| blocks were allocated. */
void points_print_youngest(size_t count);

/* Asked by each call that is wrapped, and each allocation: 1 when it has to fail. */
int points_meet(enum point_kind kind, const char *name, int line);
/* POINT_CRYPTO: the same, but 0 for calls of this program's own. */
int points_meet_call(const char *name);
void points_count_descriptors(int difference);

#endif
