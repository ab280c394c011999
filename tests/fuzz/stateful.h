/*
 * The machine of the stateful target: some keys, blobs and contexts, each beside what the model says
 * of it.  An operation takes its arguments from the input, does the same to both, and compares.
 */
#ifndef SCHANNEL_TESTS_FUZZ_STATEFUL_H
#define SCHANNEL_TESTS_FUZZ_STATEFUL_H

#include <openssl/evp.h>
#include "fuzz.h"
#include "model.h"

#define SLOTS          4   /* of keys; of contexts half as many, and of blobs */
#define MAX_KEYS       128 /* that one input can make */
#define MAX_DATA       64  /* bytes of one call */
#define MAX_BLOB       1024
#define MAX_OPERATIONS 40

struct key_slot {
    EVP_PKEY *pkey;
    struct model_key *model;
};

struct blob_slot {
    size_t size; /* 0: empty */
    uint8_t data[MAX_BLOB];
    struct model_key model;
};

enum padding { PADDING_DEFAULT, PADDING_OFF, PADDING_ON };

struct cipher_slot {
    EVP_CIPHER_CTX *context;
    const struct model_algorithm *algorithm;
    struct model_key *bound; /* NULL: has key bytes of its own, or none */
    int has_own, encrypt;
    enum padding padding;
    struct model_key own; /* with an IV even before it has a key */
};

struct mac_slot {
    EVP_MAC_CTX *context;
    const struct model_algorithm *algorithm; /* its protocol counts */
    struct model_key *bound;
    int has_own;
    struct model_record record;
    struct model_key own;
};

struct machine {
    struct fuzz_input input;
    struct key_slot key[SLOTS];
    struct blob_slot blob[SLOTS / 2];
    struct cipher_slot cipher[SLOTS / 2];
    struct mac_slot mac[SLOTS / 2];
    struct model_key *made[MAX_KEYS]; /* all that the input made, gone ones too */
    size_t made_count;
};

/* Compares an outcome with what the model says; a failure left one reason and changed nothing. */
int outcome(struct machine *machine, int ok, int expected);
/* |size| bytes that follow from a byte of the input. */
void pattern(struct machine *machine, uint8_t *out, size_t size);

/* One of the keys, or an empty slot. */
struct key_slot *pick_key(struct machine *machine);
/* A copy of |model|, with one reference, for a new key object. */
struct model_key *new_model(struct machine *machine, const struct model_key *model);
/* Puts a key object that was made into |slot|, in the place of what is there. */
void put_key(struct key_slot *slot, EVP_PKEY *pkey, struct model_key *model);
void drop_key(struct key_slot *slot);
/* Every key object answers as its model does. */
void check_keys(const struct machine *machine);
/* The keys of all slots go on as their models do, to the last byte of their state. */
void drain_keys(struct machine *machine);

void keys_setup(void);
void ciphers_setup(void);
void macs_setup(void);
void drop_cipher(struct cipher_slot *slot);
void drop_mac(struct mac_slot *slot);

typedef void operation(struct machine *machine);

operation import_key, generate_key, derive_key, duplicate_key, share_key, free_key, retire_key;
operation export_blob, import_blob, import_damaged, set_key, export_bytes, compare_keys;
operation bind_cipher, rebind_cipher, start_cipher, set_iv, set_padding, update_cipher;
operation finish_cipher, duplicate_cipher, move_cipher, free_cipher, process_message;
operation bind_mac, start_mac, restart_mac, set_record, set_sequence, update_mac, finish_mac;
operation duplicate_mac, move_mac, free_mac, sign_message;

#endif
