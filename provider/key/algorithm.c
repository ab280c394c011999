/* The tables of key algorithms and usages: see algorithm.h. */
#include "key/algorithm.h"

#include <stddef.h>
#include <strings.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct key_algorithm algorithms[] = {
    { KEY_TLS1_MASTER, "TLS1-MASTER", KEY_KIND_MASTER, KEY_PROTOCOL_TLS1, BULK_CIPHER_NONE,
      0x4c06 },
    { KEY_RC4, "RC4", KEY_KIND_CIPHER, KEY_PROTOCOL_NONE, BULK_CIPHER_RC4, 0x6801 },
    { KEY_DES_EDE3_CBC, "DES-EDE3-CBC", KEY_KIND_CIPHER, KEY_PROTOCOL_NONE, BULK_CIPHER_DES_EDE3,
      0x6603 },
    { KEY_AES_128_CBC, "AES-128-CBC", KEY_KIND_CIPHER, KEY_PROTOCOL_NONE, BULK_CIPHER_AES_128,
      0x660e },
    { KEY_AES_256_CBC, "AES-256-CBC", KEY_KIND_CIPHER, KEY_PROTOCOL_NONE, BULK_CIPHER_AES_256,
      0x6610 },
    { KEY_TLS1_MAC, "TLS1-MAC", KEY_KIND_MAC, KEY_PROTOCOL_TLS1, BULK_CIPHER_NONE, 0x4c03 },
};

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
        if ((unsigned)algorithms[n].id == id)
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

static int is_variable(const struct bulk_cipher *cipher)
{
    return cipher->id == BULK_CIPHER_RC4 || cipher->id == BULK_CIPHER_RC2;
}

size_t key_size_for_bits(const struct bulk_cipher *cipher, unsigned bits)
{
    if (bits == 0 || bits == cipher->default_bits || bits == cipher->strength_bits)
        return cipher->default_bits / 8;
    if (is_variable(cipher) && bits % 8 == 0 && bits >= KEY_MIN_VARIABLE_BITS &&
        bits <= KEY_MAX_VARIABLE_BITS)
        return bits / 8;
    return 0;
}

int key_size_is_valid(const struct bulk_cipher *cipher, size_t size)
{
    return size != 0 && size <= BULK_CIPHER_MAX_KEY_SIZE &&
           (size == cipher->default_bits / 8 ||
            (is_variable(cipher) && key_size_for_bits(cipher, (unsigned)size * 8) == size));
}

const char *key_kind_name(enum key_kind kind)
{
    static const char *const names[] = { NULL, "master", "cipher", "mac" };

    return names[kind];
}

const char *key_protocol_name(enum key_protocol protocol)
{
    static const char *const names[] = { "none", "PCT 1.0", "SSL 2.0", "SSL 3.0", "TLS 1.0" };

    return names[protocol];
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
