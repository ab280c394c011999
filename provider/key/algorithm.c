/* The tables of key algorithms and usages: see algorithm.h. */
#include "key/algorithm.h"

#include <stddef.h>
#include <strings.h>
#include "protocol/pct1.h"
#include "protocol/ssl2.h"
#include "protocol/ssl3.h"
#include "protocol/tls1.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define MASTER(protocol, name, alg_id)                                                             \
    {                                                                                              \
        KEY_MASTER_OF(protocol), name, KEY_KIND_MASTER, protocol, BULK_CIPHER_NONE, alg_id         \
    }
#define CIPHER(cipher, name, alg_id)                                                               \
    {                                                                                              \
        16 + cipher, name, KEY_KIND_CIPHER, KEY_PROTOCOL_NONE, cipher, alg_id                      \
    }
#define MAC(protocol, name)                                                                        \
    {                                                                                              \
        KEY_MAC_OF(protocol), name, KEY_KIND_MAC, protocol, BULK_CIPHER_NONE, 0x4c03               \
    }

static const struct key_algorithm algorithms[] = {
    MASTER(KEY_PROTOCOL_PCT1, "PCT1-MASTER", 0x4c04),
    MASTER(KEY_PROTOCOL_SSL2, "SSL2-MASTER", 0x4c05),
    MASTER(KEY_PROTOCOL_SSL3, "SSL3-MASTER", 0x4c01),
    MASTER(KEY_PROTOCOL_TLS1, "TLS1-MASTER", 0x4c06),
    CIPHER(BULK_CIPHER_RC4, "RC4", 0x6801),
    CIPHER(BULK_CIPHER_RC2, "RC2-CBC", 0x6602),
    CIPHER(BULK_CIPHER_DES, "DES-CBC", 0x6601),
    CIPHER(BULK_CIPHER_DES_EDE, "DES-EDE-CBC", 0x6609),
    CIPHER(BULK_CIPHER_DES_EDE3, "DES-EDE3-CBC", 0x6603),
    CIPHER(BULK_CIPHER_AES_128, "AES-128-CBC", 0x660e),
    CIPHER(BULK_CIPHER_AES_192, "AES-192-CBC", 0x660f),
    CIPHER(BULK_CIPHER_AES_256, "AES-256-CBC", 0x6610),
    MAC(KEY_PROTOCOL_PCT1, "PCT1-MAC"),
    MAC(KEY_PROTOCOL_SSL2, "SSL2-MAC"),
    MAC(KEY_PROTOCOL_SSL3, "SSL3-MAC"),
    MAC(KEY_PROTOCOL_TLS1, "TLS1-MAC"),
};

static const struct protocol_rules rules[] = {
    [KEY_PROTOCOL_PCT1] = { .name = "PCT 1.0",
                            .prefix = "PCT1",
                            .min_master = PCT1_MASTER_SIZE,
                            .max_master = PCT1_MASTER_SIZE,
                            .min_random = PCT1_RANDOM_SIZE,
                            .max_random = PCT1_RANDOM_SIZE,
                            .last_sequence = UINT32_MAX,
                            .has_mac_keys = 1,
                            .has_clear_key = 1,
                            .has_certificate = 1 },
    [KEY_PROTOCOL_SSL2] = { .name = "SSL 2.0",
                            .prefix = "SSL2",
                            .min_master = SSL2_MIN_MASTER_SIZE,
                            .max_master = SSL2_MAX_MASTER_SIZE,
                            .min_random = SSL2_MIN_RANDOM_SIZE,
                            .max_random = SSL2_MAX_RANDOM_SIZE,
                            .last_sequence = UINT32_MAX,
                            .sequence_wraps = 1,
                            .has_clear_key = 1 },
    /* The last number of the 64-bit sequences is kept back: the next one must not be the first. */
    [KEY_PROTOCOL_SSL3] = { .name = "SSL 3.0",
                            .prefix = "SSL3",
                            .min_master = SSL3_MASTER_SECRET_SIZE,
                            .max_master = SSL3_MASTER_SECRET_SIZE,
                            .min_random = TLS1_RANDOM_SIZE,
                            .max_random = TLS1_RANDOM_SIZE,
                            .last_sequence = UINT64_MAX - 1,
                            .has_premaster = 1,
                            .has_mac_keys = 1 },
    [KEY_PROTOCOL_TLS1] = { .name = "TLS 1.0",
                            .prefix = "TLS1",
                            .min_master = TLS1_MASTER_SECRET_SIZE,
                            .max_master = TLS1_MASTER_SECRET_SIZE,
                            .min_random = TLS1_RANDOM_SIZE,
                            .max_random = TLS1_RANDOM_SIZE,
                            .last_sequence = UINT64_MAX - 1,
                            .has_premaster = 1,
                            .has_mac_keys = 1 },
};

const struct protocol_rules *protocol_rules(enum key_protocol protocol)
{
    return protocol == KEY_PROTOCOL_NONE ? NULL : &rules[protocol];
}

const struct key_algorithm *key_algorithm_by_name(const char *name)
{
    for (size_t n = 0; n < COUNT(algorithms); n++) {
        if (strcasecmp(algorithms[n].name, name) == 0)
            return &algorithms[n];
    }
    return NULL;
}

const struct key_algorithm *key_algorithm_by_id(unsigned id)
{
    for (size_t n = 0; n < COUNT(algorithms); n++) {
        if (algorithms[n].id == id)
            return &algorithms[n];
    }
    return NULL;
}

const struct key_algorithm *key_algorithm_by_alg_id(uint32_t alg_id)
{
    for (size_t n = 0; n < COUNT(algorithms); n++) {
        if (algorithms[n].alg_id == alg_id && algorithms[n].kind != KEY_KIND_MAC)
            return &algorithms[n];
    }
    return NULL;
}

const struct key_algorithm *key_algorithm_by_cipher(const struct bulk_cipher *cipher)
{
    for (size_t n = 0; n < COUNT(algorithms); n++) {
        if (algorithms[n].kind == KEY_KIND_CIPHER && algorithms[n].cipher == cipher->id)
            return &algorithms[n];
    }
    return NULL;
}

int key_size_varies(const struct bulk_cipher *cipher)
{
    return cipher->id == BULK_CIPHER_RC4 || cipher->id == BULK_CIPHER_RC2;
}

size_t key_size_for_bits(const struct bulk_cipher *cipher, unsigned bits)
{
    if (bits == 0 || bits == cipher->default_bits || bits == cipher->strength_bits)
        return cipher->default_bits / 8;
    if (key_size_varies(cipher) && bits % 8 == 0 && bits >= KEY_MIN_VARIABLE_BITS &&
        bits <= KEY_MAX_VARIABLE_BITS)
        return bits / 8;
    return 0;
}

int key_size_is_valid(const struct bulk_cipher *cipher, size_t size)
{
    return size != 0 && size <= BULK_CIPHER_MAX_KEY_SIZE &&
           (size == cipher->default_bits / 8 ||
            (key_size_varies(cipher) && key_size_for_bits(cipher, (unsigned)size * 8) == size));
}

int mac_key_size_is_valid(enum key_protocol protocol, enum digest_id digest, size_t size)
{
    if (protocol == KEY_PROTOCOL_PCT1)
        return size >= PCT1_MIN_MAC_BITS / 8 && size <= PCT1_MAX_MAC_SIZE;
    if (protocol == KEY_PROTOCOL_SSL2)
        return digest == DIGEST_MD5 && size >= SSL2_MIN_MASTER_SIZE && size <= SSL2_MAX_MASTER_SIZE;
    return size == digest_size(digest);
}

const char *key_kind_name(enum key_kind kind)
{
    static const char *const names[] = { NULL, "master", "cipher", "mac" };

    return names[kind];
}

const char *key_protocol_name(enum key_protocol protocol)
{
    return protocol == KEY_PROTOCOL_NONE ? "none" : rules[protocol].name;
}

static const struct {
    enum key_usage usage;
    const char *name;
    int is_mac, is_server;
} usages[] = {
    { KEY_USAGE_CLIENT_WRITE_KEY, "client-write-key", 0, 0 },
    { KEY_USAGE_SERVER_WRITE_KEY, "server-write-key", 0, 1 },
    { KEY_USAGE_CLIENT_WRITE_MAC, "client-write-mac", 1, 0 },
    { KEY_USAGE_SERVER_WRITE_MAC, "server-write-mac", 1, 1 },
};

const char *key_usage_name(enum key_usage usage)
{
    return usage == KEY_USAGE_NONE ? NULL : usages[usage - 1].name;
}

enum key_usage key_usage_by_name(const char *name)
{
    for (size_t n = 0; n < COUNT(usages); n++) {
        if (strcasecmp(usages[n].name, name) == 0)
            return usages[n].usage;
    }
    return KEY_USAGE_NONE;
}

int key_usage_is_mac(enum key_usage usage)
{
    return usage != KEY_USAGE_NONE && usages[usage - 1].is_mac;
}

int key_usage_is_server(enum key_usage usage)
{
    return usage != KEY_USAGE_NONE && usages[usage - 1].is_server;
}
