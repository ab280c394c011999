/*
 * Sealing keys: the 32-byte secrets that opaque blobs are sealed under, and where they come from.
 *
 *   file:PATH  32 bytes, or 64 hex digits (a final newline is allowed).  Refused when others than
 *              owner and group can read the file or others than the owner can write it.
 *   fd:N       the same contents from an inherited descriptor: read once, then kept.  The position
 *              of a file stays, anything else is read to its end.
 *   user       a key that the provider makes on first use and that survives a reboot:
 *              $XDG_STATE_HOME/schannel/seal.key, by default ~/.local/state/schannel/seal.key,
 *              for root /var/lib/schannel/seal.key.
 *   runtime    the same in the runtime directory, gone with the boot: $XDG_RUNTIME_DIR, else for
 *              root /run, else /run/user/UID when it is ours and 0700; there schannel/seal.key.
 *
 * The directories "schannel" are 0700 and ours, the files 0600 and ours, or they are refused.
 * A new file appears whole or not at all, and two processes that make one at once agree on it.
 *
 * A keyring belongs to one provider context and is safe from any thread.
 */
#ifndef SCHANNEL_BLOB_SEALING_KEY_H
#define SCHANNEL_BLOB_SEALING_KEY_H

#include <stddef.h>
#include <stdint.h>
#include <openssl/types.h>
#include "errors.h"

#define SEALING_KEY_SIZE    32
#define SEALING_KEY_ID_SIZE 8

struct sealing_key {
    uint8_t secret[SEALING_KEY_SIZE];
    /* First bytes of SHA-256("schannel sealing key id" || secret): public, names the key in
     * headers. */
    uint8_t id[SEALING_KEY_ID_SIZE];
};

struct fork_guard;
struct sealing_keyring;

/* |libctx| (borrowed) is where SHA-256 and random bytes come from.  NULL when memory is out. */
struct sealing_keyring *sealing_keyring_new(OSSL_LIB_CTX *libctx, struct fork_guard *guard,
                                            const struct errors *errors);
/* Cleanses everything kept. */
void sealing_keyring_free(struct sealing_keyring *keyring);

/*
 * Finds the key that |source| names, one of the four forms above.  |may_create| is 1 for an export:
 * an import never makes a key, since nothing can have been sealed under it.
 * fd:, user and runtime are kept after the first success; file: is read every time.
 * 1 with *key filled (the caller cleanses it), or 0 with one reason raised and *key cleansed.
 */
int sealing_keyring_get(struct sealing_keyring *keyring, const char *source, int may_create,
                        struct sealing_key *key);

/* 1 when |source| has one of the four forms, without touching the file; else 0 with a reason
 * raised. */
int sealing_key_source_is_valid(const struct errors *errors, const char *source);

#endif
