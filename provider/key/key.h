/*
 * The live key: what an EVP_PKEY of type SCHANNEL points to.
 *
 * Reference counted and locked.  The key owns its running state: a context that is bound to it
 * advances it.  What a key is (algorithm, protocol, usage) never changes after it was made; its
 * value, |exportable| and the options change only under the lock.  Whoever reads or advances
 * the value holds the lock from key_lock to key_unlock; the only lock taken meanwhile is that of
 * the handle table. Made by keymgmt/ and blob/opaque, used by every operation room.
 */
#ifndef SCHANNEL_KEY_KEY_H
#define SCHANNEL_KEY_KEY_H

#include <stdatomic.h>
#include <openssl/crypto.h>
#include "fork_lock.h"
#include "key/algorithm.h"
#include "key/cipher_value.h"
#include "key/mac_value.h"
#include "key/master_value.h"
#include "provctx.h"

#define KEY_HANDLE_SIZE 16
#define KEY_ID_SIZE     8
#define KEY_ID_TEXT     (2 * KEY_ID_SIZE + 1) /* lower-case hex and the terminator */

struct blob_options;
struct opaque_header;
struct transfer;

/*
 * A message that a signature context is absorbing under a key: nobody else's, but made of the
 * secret, so it ends when the key is retired.  Everything under the key's lock.
 */
struct key_message {
    struct key_message *next, **link; /* of the key's list; |link| NULL: not in one */
    struct digest_state running;
};

/* What a caller wants with a key. */
enum key_purpose {
    KEY_LOOK,   /* nothing that needs the secret: parameters, text, comparing */
    KEY_USE,    /* the secret, but not the running state: a transfer has to be claimed */
    KEY_ADVANCE /* the running state too, which two processes must not share */
};

/* How the key came into the object: for whoever looks at it. */
enum key_origin {
    KEY_ORIGIN_NONE,
    KEY_ORIGIN_GENERATED,
    KEY_ORIGIN_BYTES,
    KEY_ORIGIN_PASSWORD,
    KEY_ORIGIN_MASTER,
    KEY_ORIGIN_OPAQUE,
    KEY_ORIGIN_SIMPLE,
    KEY_ORIGIN_PLAINTEXT
};

/* What EVP_SKEY gave out, which stays in place until the key goes.  Made on first use. */
struct key_view {
    char id[KEY_ID_TEXT]; /* "": not yet */
    uint8_t *secret;      /* owned, overwritten when the key is retired; NULL: not yet */
    size_t secret_size;
};

struct key {
    atomic_uint references;
    unsigned generation; /* of the process that made it, see fork_guard.h */
    struct fork_lock lock;
    struct provctx *provctx;               /* borrowed: outlives every key */
    const struct key_algorithm *algorithm; /* NULL: an empty object that waits for an import */
    enum key_protocol protocol : 8;        /* of masters, MACs and derived keys */
    enum key_usage usage : 8;              /* of derived keys */
    _Atomic uint8_t fork_allowed;          /* forked children may advance it */

    /* under the lock: */
    uint8_t retired, exportable, has_id, has_handle;
    uint8_t id[KEY_ID_SIZE];
    uint8_t handle[KEY_HANDLE_SIZE];
    uint8_t origin;               /* enum key_origin */
    struct opaque_header *opened; /* owned; of the blob it was opened from; NULL: none */
    struct key_view *view;        /* owned; NULL: none yet */
    struct key *next_handle;      /* chain of the handle table, under the table's lock */
    struct blob_options *options; /* of later exports, never written into a blob; NULL: none */
    struct transfer *transfer;    /* to be claimed before the first use; NULL: nothing */
    struct key_message *messages; /* that signature contexts are absorbing */
    struct mac_value *ssl2_mac; /* owned; of a cipher key of SSL 2.0, which is the MAC secret too */
    union {
        struct master_value *master; /* owned */
        struct cipher_value cipher;
        struct mac_value mac;
    } value;
};

/* An empty object with one reference.  NULL with a reason raised. */
struct key *key_new(struct provctx *provctx);
struct key *key_up_ref(struct key *key);
/* Drops a reference; the last one cleanses everything.  NULL is allowed. */
void key_free(struct key *key);

/* 1 with the lock held, or 0 with a reason raised: the key was retired, is empty, or the lock
 * failed.  For a look. */
int key_lock(struct key *key);
/* The same for any purpose: claims the key of a transfer, and keeps a forked child from going on
 * with its parent's. */
int key_lock_for(struct key *key, enum key_purpose purpose);
/* The same, and the key has to be of |kind|; |operation| names the caller in the error. */
int key_lock_kind(struct key *key, enum key_kind kind, enum key_purpose purpose,
                  const char *operation);
/* The same for a key that authenticates records: a MAC key or a cipher key of SSL 2.0. */
int key_lock_mac(struct key *key, enum key_purpose purpose, const char *operation);
void key_unlock(struct key *key);
/* Takes the lock of any key, retired ones too, for clearing up; a lock that fork has torn is made
 * new. */
void key_enter(struct key *key);
/* The same, but 0 without a reason when fork has torn the lock. */
int key_enter_inherited(struct key *key);
/* A use and nothing else: claims the key of a transfer. */
int key_claim(struct key *key);

/* The MAC value of such a key, NULL of any other.  The lock is held, or nobody else has the key. */
struct mac_value *key_mac(struct key *key);
/* Gives a new cipher key of SSL 2.0 its MAC value.  0 when memory is out. */
int key_add_ssl2_mac(struct key *key);

/* Begins and ends a message; the lock is held.  Ending one that has not begun is allowed. */
void key_message_begin(struct key *key, struct key_message *message);
void key_message_end(struct key_message *message);

/* An independent key in the same state, with an identifier of its own, which a forked child can
 * advance no more than the original.  A use.  NULL with a reason raised. */
struct key *key_duplicate(struct key *key);

/* Makes |key| an empty object again, after an import that failed half way.  Nobody else has it. */
void key_reset(struct key *key);

/* CryptDestroyKey for every holder: cleanses the secrets; every later use fails.  Idempotent. */
int key_retire(struct key *key);

/* CRYPT_EXPORTABLE can be cleared, never set again.  The lock is held.  1, or 0 with a reason
 * raised. */
int key_set_exportable(struct key *key, int exportable);

/* Takes over what |options| give; the others stay.  The lock is held, or nobody else has the key.
 * 1, or 0 with a reason raised. */
int key_set_options(struct key *key, const struct blob_options *options);

/* 1 when the key has a size that a key object can have; the state of a context may not.  The lock is
 * held. */
int key_size_is_possible(const struct key *key);

/* "generated", "derived from a master key" and so on; NULL for none.  For text output. */
const char *key_origin_name(const struct key *key);

/* Key size in bits as CryptoAPI counts: DES with parity, masters 384. */
unsigned key_bits(const struct key *key);

/* Strength in bits, for OpenSSL's security levels.  The lock is held for both. */
unsigned key_security_bits(const struct key *key);
/* What the key is made of now: secret bytes, borrowed while the lock is held. */
struct octets key_secret(const struct key *key);

/* 1 when both are of the same algorithm and made of the same secret; the state is not compared. */
int key_equal(struct key *a, struct key *b);

/* The identifier, made on first use; 0 when there are no random numbers, and nothing is raised.  The
 * lock is held. */
int key_id_try(struct key *key, char text[KEY_ID_TEXT]);
/* The same, but 1, or 0 with a reason raised.  The lock is held. */
int key_id_text(struct key *key, char text[KEY_ID_TEXT]);

/* The same as a string that stays where it is as long as the key; NULL with a reason raised.  Takes
 * the lock. */
const char *key_id_string(struct key *key);

/* A copy of the secret of a session key or a converted master that stays where it is as long as the
 * key, but is cleansed when the key is retired.  1, or 0 with a reason raised.  Takes the lock. */
int key_show_secret(struct key *key, struct octets *secret);

/* The handle, made and registered on first use.  1, or 0 with a reason raised.  Takes the lock. */
int key_get_handle(struct key *key, uint8_t handle[KEY_HANDLE_SIZE]);
/* The live key that |handle| names, with a reference; NULL with a reason raised. */
struct key *key_by_handle(struct provctx *provctx, struct octets handle);

#endif
