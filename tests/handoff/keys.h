/*
 * Keys of one TLS 1.0 connection as SCHANNEL keys: from a master secret to four session keys, to
 * sealed blobs, and back in another process.  Nothing but <openssl/evp.h> and the names of the
 * provider.  Called by both programs.
 *
 * Functions that return int: 1, or 0 with the reason on OpenSSL's error queue.
 */
#ifndef HANDOFF_KEYS_H
#define HANDOFF_KEYS_H

#include <stddef.h>
#include <stdint.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#define TLS_MASTER_SECRET_SIZE 48
#define TLS_RANDOM_SIZE        32

#define KEY_HANDLE_SIZE        16
#define KEY_TEXT_SIZE          64  /* room for an identifier, an algorithm or a usage */
#define KEY_BLOB_MAX_SIZE      512 /* a sealed session key of a CBC suite is smaller */

enum session_key_id {
    CLIENT_WRITE_KEY,
    SERVER_WRITE_KEY,
    CLIENT_WRITE_MAC,
    SERVER_WRITE_MAC,
    SESSION_KEY_COUNT
};

struct session_keys {
    EVP_PKEY *key[SESSION_KEY_COUNT]; /* owned */
};

struct key_blob {
    size_t size;
    uint8_t data[KEY_BLOB_MAX_SIZE];
};

struct key_blobs {
    struct key_blob blob[SESSION_KEY_COUNT];
};

/* How keys travel from one process to another. */
struct transfer_terms {
    const char *seal_key;  /* as the parameter "seal-key" */
    const char *claim_dir; /* as the parameter "claim-dir", NULL: that of the sealing key */
    const char *audience;  /* who may open: the Unix socket on which the receiver listens */
};

/* What a handshake ends with. */
struct tls_secrets {
    uint8_t master[TLS_MASTER_SECRET_SIZE];
    uint8_t client_random[TLS_RANDOM_SIZE];
    uint8_t server_random[TLS_RANDOM_SIZE];
    const char *cipher; /* "AES-128-CBC" or "AES-256-CBC" */
    const char *digest; /* "SHA1" */
};

struct key_providers {
    OSSL_PROVIDER *standard, *schannel;
};

/*
 * Loads the default provider and schannel into the default library context.  |directory| is where
 * schannel.so lies, NULL where OpenSSL looks by itself.  Every provider of this process is then
 * looked for in |directory| first and only: enough for the built-in default provider.
 */
int keys_load_providers(struct key_providers *providers, const char *directory);
void keys_unload_providers(struct key_providers *providers);

/* A TLS1-MASTER key that keeps its own copy of the secrets.  NULL on failure. */
EVP_PKEY *keys_make_master(const struct tls_secrets *secrets);
/* CryptDeriveKey four times.  |keys| is empty after a failure. */
int keys_derive(EVP_PKEY *master, struct session_keys *keys);
/* Independent copies in the same state. */
int keys_duplicate(const struct session_keys *from, struct session_keys *to);
void keys_free(struct session_keys *keys);

/* Seals each key in its present state into a transfer: a blob that opens once, in time, for one
 * audience. */
int keys_export(const struct session_keys *keys, const struct transfer_terms *terms,
                struct key_blobs *blobs);
/* The other way; a blob that holds another kind of key than its place asks for is refused. */
int keys_import(const struct key_blobs *blobs, const struct transfer_terms *terms,
                struct session_keys *keys);
/* What a second opening of blobs that are in use answers.  1 when it is "blob was opened before". */
int keys_open_only_once(const struct key_blobs *blobs, const struct transfer_terms *terms,
                        char reason[KEY_TEXT_SIZE]);

/* CryptDestroyKey, for every holder. */
int keys_retire(EVP_PKEY *key);
/* 1 when |key| refuses to be copied because it is retired.  |reason| says what it answered. */
int keys_is_retired(EVP_PKEY *key, char reason[KEY_TEXT_SIZE]);

/* "client-write-key", ... */
const char *keys_usage(enum session_key_id id);
/* A text parameter of the key: "key-id", "alg", "usage". */
int keys_get_text(EVP_PKEY *key, const char *parameter, char text[KEY_TEXT_SIZE]);
int keys_get_sequence(EVP_PKEY *mac_key, uint64_t *sequence);
int keys_get_handle(EVP_PKEY *key, uint8_t handle[KEY_HANDLE_SIZE]);

#endif
