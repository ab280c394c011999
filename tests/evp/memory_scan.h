/*
 * Looks for secrets in the memory of this process.
 *
 * A mark is a byte string that must not be found: a secret, or what can only be computed from one.
 * Marks are computed in a child process and kept masked here, so that this process never holds one
 * that the provider did not put there.  A scan goes over everything that /proc/self/maps calls
 * writable and that is really there.
 */
#ifndef SCHANNEL_TESTS_EVP_MEMORY_SCAN_H
#define SCHANNEL_TESTS_EVP_MEMORY_SCAN_H

#include <stddef.h>
#include <stdint.h>

#define MARK_MAX_SIZE 1024
#define MARK_MAX      48
#define MARK_RUN      16 /* how many bytes in a row count as found */

enum region { REGION_STACK, REGION_HEAP, REGION_ANONYMOUS, REGION_DATA, REGIONS };

struct mark {
    char name[40];
    size_t size, run;
    uint8_t masked[MARK_MAX_SIZE];
    unsigned found[REGIONS]; /* by the last scan */
};

struct mark_list {
    size_t count;
    struct mark mark[MARK_MAX];
};

/* Something of up to MARK_MAX_SIZE bytes that stays masked. */
struct hidden {
    size_t size;
    uint8_t masked[128];
};

/* Before anything else. */
void memory_scan_setup(void);

/* A new random secret that nobody has seen. */
void hidden_make(struct hidden *hidden, size_t size);
/* Byte by byte, so that no register holds much of it.  The caller cleanses |out|. */
void hidden_show(const struct hidden *hidden, uint8_t *out);
/* Masks |bytes| and cleanses them. */
void hidden_take(struct hidden *hidden, uint8_t *bytes, size_t size);

/* Fills |list| with the marks that |compute| adds by mark_add, in a child process. */
void marks_compute(struct mark_list *list, void (*compute)(const void *), const void *argument);
/* In the child only.  |run| bytes in a row count as found. */
void mark_add(const char *name, const void *bytes, size_t size, size_t run);
/* 1 when |name| is on the list. */
int marks_have(const struct mark_list *list, const char *name);

/* Sets |found| of every mark.  Uses little stack. */
void memory_scan(struct mark_list *list);
/* The same for the stack alone, where it changes next to nothing: for the dead frames right below the
 * caller's.  Not for a build with AddressSanitizer, which follows the stack. */
void memory_scan_stack(struct mark_list *list);
const char *region_name(enum region region);
/* How many bytes the last scan went over. */
size_t memory_scan_size(void);

#endif
