/*
 * A transfer that has been imported but not yet used.
 *
 * A key made from a blob of mode "transfer" can be looked at, but before its first use it has to be
 * claimed: in time, for the right audience, and by nobody else.  The pending claim belongs to the
 * key object and goes with it into the claim journal; a claimed key is like any other.
 * Made by blob/opaque, settled by key/key under the key's lock.
 */
#ifndef SCHANNEL_KEY_TRANSFER_H
#define SCHANNEL_KEY_TRANSFER_H

#include "blob/moment.h"
#include "blob/seal.h"
#include "provctx.h"

/* What the importer said beside a blob that is for one audience only. */
enum transfer_audience { AUDIENCE_RIGHT = 0, AUDIENCE_MISSING, AUDIENCE_WRONG, AUDIENCE_UNWANTED };

struct transfer {
    struct moment deadline;
    uint8_t token[SEAL_CLAIM_SIZE];
    enum transfer_audience audience;
    char *claim_dir;    /* owned; NULL: none is configured */
    uint8_t is_runtime; /* opened with the sealing key "runtime": it has a default claim-dir */
};

void transfer_free(struct transfer *transfer);

/*
 * Claims the transfer now.  1, or 0 with a reason raised: another try may succeed when the claim
 * could not be recorded, and never when the blob has expired or was opened.
 */
int transfer_claim(const struct provctx *provctx, const struct transfer *transfer);

#endif
