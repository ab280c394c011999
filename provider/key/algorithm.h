/*
 * What a key can be: one row for each value of the parameter "alg", and for each usage.
 * Constant tables.  Read by key/, blob/opaque and the operation rooms.
 */
#ifndef SCHANNEL_KEY_ALGORITHM_H
#define SCHANNEL_KEY_ALGORITHM_H

#include <stdint.h>
#include "primitive/digest.h"
#include "protocol/bulk_cipher.h"

/* The numbers of these enumerations are written into blobs: never renumber. */
enum key_kind { KEY_KIND_MASTER = 1, KEY_KIND_CIPHER = 2, KEY_KIND_MAC = 3 };

enum key_protocol {
    KEY_PROTOCOL_NONE = 0, /* a session key that was not derived from a master */
    KEY_PROTOCOL_PCT1 = 1,
    KEY_PROTOCOL_SSL2 = 2,
    KEY_PROTOCOL_SSL3 = 3,
    KEY_PROTOCOL_TLS1 = 4
};

/* Masters: the protocol's number; ciphers: 16 + enum bulk_cipher_id; MACs: 32 + the protocol's. */
#define KEY_MASTER_OF(protocol) ((unsigned)(protocol))
#define KEY_MAC_OF(protocol)    (32 + (unsigned)(protocol))

enum key_usage {
    KEY_USAGE_NONE = 0,
    KEY_USAGE_CLIENT_WRITE_KEY = 1,
    KEY_USAGE_SERVER_WRITE_KEY = 2,
    KEY_USAGE_CLIENT_WRITE_MAC = 3,
    KEY_USAGE_SERVER_WRITE_MAC = 4
};

/* RC2 and RC4 key objects: 40 to 128 bits in steps of 8. */
#define KEY_MIN_VARIABLE_BITS 40
#define KEY_MAX_VARIABLE_BITS 128

struct key_algorithm {
    unsigned id;
    const char *name; /* the value of "alg" */
    enum key_kind kind;
    enum key_protocol protocol; /* of masters and MACs */
    enum bulk_cipher_id cipher; /* of ciphers, else BULK_CIPHER_NONE */
    uint32_t alg_id;            /* aiKeyAlg of a blob: ALG_ID of wincrypt.h */
};

/* What sets the protocols apart where keys are concerned. */
struct protocol_rules {
    const char *name;              /* "TLS 1.0" */
    const char *prefix;            /* of the names of its algorithms: "TLS1" */
    size_t min_master, max_master; /* bytes of the master secret or master key */
    size_t min_random, max_random; /* bytes of each random */
    uint64_t last_sequence;        /* the last number that a record can have */
    uint8_t sequence_wraps;        /* and then the first one again */
    uint8_t has_premaster;         /* the master secret is made from one; there is a PRF */
    uint8_t has_mac_keys;          /* otherwise the write key is the MAC secret */
    uint8_t has_clear_key, has_certificate;
};

/* NULL for KEY_PROTOCOL_NONE. */
const struct protocol_rules *protocol_rules(enum key_protocol protocol);

/* The names of all "alg" values, for error messages. */
#define KEY_ALGORITHM_NAMES                                                                        \
    "PCT1-MASTER, SSL2-MASTER, SSL3-MASTER, TLS1-MASTER, RC4, RC2-CBC, DES-CBC, DES-EDE-CBC, "     \
    "DES-EDE3-CBC, AES-128-CBC, AES-192-CBC, AES-256-CBC, PCT1-MAC, SSL2-MAC, SSL3-MAC or "        \
    "TLS1-MAC"

/* NULL when there is no such row.  Names are compared without case. */
const struct key_algorithm *key_algorithm_by_name(const char *name);
const struct key_algorithm *key_algorithm_by_id(unsigned id);
/* A master or cipher by its ALG_ID; MACs have one and the same. */
const struct key_algorithm *key_algorithm_by_alg_id(uint32_t alg_id);
/* The key object's algorithm for a bulk cipher, NULL when it has none. */
const struct key_algorithm *key_algorithm_by_cipher(const struct bulk_cipher *cipher);

/* 1 when a key object of |cipher| may have |size| bytes: RC4 and RC2 5 to 16, the others one size. */
int key_size_is_valid(const struct bulk_cipher *cipher, size_t size);
/* 1 when keys of |cipher| have 40 to 128 bits: RC4 and RC2. */
int key_size_varies(const struct bulk_cipher *cipher);
/* The size that |bits| asks for: 0 the full size, DES with or without parity; 0 when there is none. */
size_t key_size_for_bits(const struct bulk_cipher *cipher, unsigned bits);

/* 1 when a MAC key object may have |size| bytes: SSL 3.0 and TLS 1.0 those of the digest, PCT 1.0 8
 * to 40, SSL 2.0 those of a write key, 5 to 32, with MD5. */
int mac_key_size_is_valid(enum key_protocol protocol, enum digest_id digest, size_t size);

/* "master", "cipher" or "mac" */
const char *key_kind_name(enum key_kind kind);
/* "TLS 1.0", ...; "none" for KEY_PROTOCOL_NONE */
const char *key_protocol_name(enum key_protocol protocol);
/* "client-write-key", ...; NULL for KEY_USAGE_NONE */
const char *key_usage_name(enum key_usage usage);
/* KEY_USAGE_NONE when there is no such usage of a key */
enum key_usage key_usage_by_name(const char *name);
int key_usage_is_mac(enum key_usage usage);
int key_usage_is_server(enum key_usage usage);

#endif
