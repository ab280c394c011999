/*
 * The directories in which the provider keeps the sealing keys "user" and "runtime", and the files
 * themselves: found, checked and made here.  Called by
 * blob/sealing_key and blob/claim_journal.
 *
 * Both hold a directory "schannel" (ours, 0700) with a file "seal.key" (ours, 0600, 32 bytes), the
 * runtime directory one "claims" as well (ours, 0700), the default of blob/claim_journal.
 * Checks are made on open descriptors, so nothing can be exchanged behind them.
 */
#ifndef SCHANNEL_BLOB_STATE_DIRECTORY_H
#define SCHANNEL_BLOB_STATE_DIRECTORY_H

#include <stddef.h>
#include <openssl/types.h>
#include "errors.h"

enum state_directory {
    STATE_USER,   /* $XDG_STATE_HOME, else ~/.local/state; for root /var/lib */
    STATE_RUNTIME /* $XDG_RUNTIME_DIR, else for root /run, else /run/user/UID if ours and 0700 */
};

/*
 * Opens the key file for reading; with |may_create| a missing directory and file are made first,
 * the file with 32 random bytes from |libctx|, whole or not at all.  |path| receives its name for
 * messages.  A descriptor that the caller closes, or -1 with a reason raised.
 */
int state_directory_open_key(OSSL_LIB_CTX *libctx, const struct errors *errors,
                             enum state_directory which, int may_create, char *path, size_t size);

/*
 * Opens the directory "claims" beside the sealing key "runtime", made (0700) when it is missing.
 * |path| receives its name for messages.  A descriptor that the caller closes, or -1 with a reason
 * raised.
 */
int state_directory_open_claims(const struct errors *errors, char *path, size_t size);

#endif
