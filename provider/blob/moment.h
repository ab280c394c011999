/*
 * What time it is, and whether a deadline has passed.
 *
 * The wall clock decides, since it is what two machines share.  While the machine has not been
 * booted again its boot clock decides as well: it cannot be set, so setting the wall clock back
 * does not bring an expired blob to life.  Called by blob/opaque, blob/claim_journal and
 * key/transfer.
 */
#ifndef SCHANNEL_BLOB_MOMENT_H
#define SCHANNEL_BLOB_MOMENT_H

#include <stdint.h>

#define MOMENT_BOOT_ID_SIZE 8

/* A moment, or a deadline. */
struct moment {
    uint64_t wall; /* seconds since 1970 */
    /* The first bytes of the kernel's random boot id; zeros where there is none. */
    uint8_t boot_id[MOMENT_BOOT_ID_SIZE];
    uint32_t boot; /* seconds since that boot, suspended ones included */
};

void moment_now(struct moment *now);
/* Seconds since 1970 alone. */
uint64_t moment_wall_clock(void);
/* |seconds| after |moment|. */
struct moment moment_add(const struct moment *moment, uint32_t seconds);
/* 1 when |deadline| has passed by at least one of the clocks that decide. */
int moment_is_past(const struct moment *deadline, const struct moment *now);
/* 1 when |deadline| has passed by all of them: whatever a clock does, it does not come back. */
int moment_is_long_past(const struct moment *deadline, const struct moment *now);

#endif
