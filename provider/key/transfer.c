/* Transfers that wait for their first use: see transfer.h. */
#include "key/transfer.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include "blob/claim_journal.h"

void transfer_free(struct transfer *transfer)
{
    if (transfer == NULL)
        return;
    OPENSSL_free(transfer->claim_dir);
    OPENSSL_free(transfer);
}

static int check_audience(const struct provctx *provctx, enum transfer_audience audience)
{
    switch (audience) {
    case AUDIENCE_RIGHT:
        return 1;
    case AUDIENCE_MISSING:
        return RAISE(
            provctx->errors, SCHANNEL_R_WRONG_AUDIENCE,
            "audience: this transfer is for one audience, and the import named none, as in "
            "schannel:FILE?audience=NAME");
    case AUDIENCE_WRONG:
        return RAISE(provctx->errors, SCHANNEL_R_WRONG_AUDIENCE,
                     "audience: this transfer is for another one than the import named");
    case AUDIENCE_UNWANTED:
        break;
    }
    return RAISE(provctx->errors, SCHANNEL_R_WRONG_AUDIENCE,
                 "audience: the import named one, but this blob is for nobody in particular");
}

static int check_time(const struct provctx *provctx, const struct moment *deadline,
                      struct moment *now)
{
    moment_now(now);
    if (!moment_is_past(deadline, now))
        return 1;
    if (now->wall > deadline->wall)
        return RAISE(provctx->errors, SCHANNEL_R_BLOB_EXPIRED,
                     "opaque blob: this transfer expired %" PRIu64
                     " seconds ago: export the key anew",
                     now->wall - deadline->wall);
    return RAISE(provctx->errors, SCHANNEL_R_BLOB_EXPIRED,
                 "opaque blob: this transfer expired %" PRIu32
                 " seconds ago by the boot clock; the wall clock was set back",
                 now->boot - deadline->boot);
}

int transfer_claim(const struct provctx *provctx, const struct transfer *transfer)
{
    struct moment now;

    if (!check_audience(provctx, transfer->audience) ||
        !check_time(provctx, &transfer->deadline, &now))
        return 0;
    if (transfer->claim_dir == NULL && !transfer->is_runtime)
        return RAISE(provctx->errors, SCHANNEL_R_CLAIM_NOT_RECORDED,
                     "claim-dir: is not set, and a transfer under this sealing key has no default");
    /* Once more afterwards: a claim that was made late may have been forgotten already. */
    return claim_journal_record(provctx->claims, transfer->claim_dir, transfer->token,
                                &transfer->deadline, &now) &&
           check_time(provctx, &transfer->deadline, &now);
}
