/*
 * The claim journal: which transfers have been opened.  What makes a transfer open once.
 *
 * A claim is an empty file in a directory that all possible openers share.  Making it is atomic
 * among processes: of two that try, one fails.  Its name says when it may be forgotten, and names
 * the blob by a token that only holders of the sealing key can compute:
 *
 *     <wall deadline, 16 hex digits>-<boot id, 16>-<boot deadline, 8>-<token, 32>
 *
 * The deadline is the one in the blob, so that all openers make the same name.
 *
 * A claim is on disk before the key is used: a crash may lose a key, never open it twice.
 * Claims are removed CLAIM_MARGIN seconds after their deadline, on all clocks that can tell.  A
 * directory with CLAIM_MAX_COUNT claims takes no more.
 *
 * One journal per provider context, safe from any thread.  Called by key/transfer.
 */
#ifndef SCHANNEL_BLOB_CLAIM_JOURNAL_H
#define SCHANNEL_BLOB_CLAIM_JOURNAL_H

#include "blob/moment.h"
#include "blob/seal.h"
#include "errors.h"

#define CLAIM_MARGIN    300 /* seconds: clocks of machines that share a directory differ */
#define CLAIM_MAX_COUNT 65536

struct claim_journal;
struct fork_guard;

/* NULL when memory is out. */
struct claim_journal *claim_journal_new(struct fork_guard *guard, const struct errors *errors);
void claim_journal_free(struct claim_journal *journal);

/*
 * Records that the blob of |token|, which expires at |deadline|, is opened |now|.  |directory| NULL: the
 * directory "claims" beside the sealing key "runtime", which is made when it is missing.
 * 1, or 0 with a reason raised: SCHANNEL_R_BLOB_ALREADY_OPENED, or another one, with which
 * nothing was recorded.
 */
int claim_journal_record(struct claim_journal *journal, const char *directory,
                         const uint8_t token[SEAL_CLAIM_SIZE], const struct moment *deadline,
                         const struct moment *now);

#endif
