/*
 * The table of bulk ciphers and their sizes in a key block: see bulk_cipher.h.
 * Constant data; called by protocol/, key/, blob/ and the operation rooms.
 */
#include "protocol/bulk_cipher.h"

#include <strings.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* id, name, libcrypto's name, ALG_ID, default, min and strength bits, block size, IV size */
static const struct bulk_cipher ciphers[] = {
    { BULK_CIPHER_RC4, "RC4", "RC4", 0x6801, 128, 40, 128, 1, 0 },
    { BULK_CIPHER_RC2, "RC2-CBC", "RC2-CBC", 0x6602, 128, 40, 128, 8, 8 },
    { BULK_CIPHER_DES, "DES-CBC", "DES-CBC", 0x6601, 64, 64, 56, 8, 8 },
    { BULK_CIPHER_DES_EDE, "DES-EDE-CBC", "DES-EDE-CBC", 0x6609, 128, 128, 112, 8, 8 },
    { BULK_CIPHER_DES_EDE3, "DES-EDE3-CBC", "DES-EDE3-CBC", 0x6603, 192, 192, 168, 8, 8 },
    { BULK_CIPHER_AES_128, "AES-128-CBC", "AES-128-CBC", 0x660e, 128, 128, 128, 16, 16 },
    { BULK_CIPHER_AES_192, "AES-192-CBC", "AES-192-CBC", 0x660f, 192, 192, 192, 16, 16 },
    { BULK_CIPHER_AES_256, "AES-256-CBC", "AES-256-CBC", 0x6610, 256, 256, 256, 16, 16 },
};

/*
 * The export forms: the key block gives |first|, |first| + |step|, ... |last| bits and the final
 * key has the cipher's full size.  RFC 2246 section 6.3.1 has the 40-bit suites, 56-bit RC4, RC2
 * and DES (with all its 64 bits of material) come from draft-ietf-tls-56-bit-ciphersuites-01.
 */
static const struct {
    enum bulk_cipher_id id;
    unsigned first, last, step;
} export_forms[] = {
    { BULK_CIPHER_RC4, 40, 128, 8 },
    { BULK_CIPHER_RC2, 40, 128, 8 },
    { BULK_CIPHER_DES, 40, 64, 24 },
};

const struct bulk_cipher *bulk_cipher_by_name(const char *name)
{
    for (size_t n = 0; name != NULL && n < COUNT(ciphers); n++) {
        if (strcasecmp(ciphers[n].name, name) == 0)
            return &ciphers[n];
    }
    return NULL;
}

const struct bulk_cipher *bulk_cipher_by_id(unsigned id)
{
    for (size_t n = 0; n < COUNT(ciphers); n++) {
        if ((unsigned)ciphers[n].id == id)
            return &ciphers[n];
    }
    return NULL;
}

const struct bulk_cipher *bulk_cipher_at(size_t n)
{
    return n < COUNT(ciphers) ? &ciphers[n] : NULL;
}

static int is_in_range(unsigned bits, unsigned first, unsigned last, unsigned step)
{
    return bits >= first && bits <= last && (bits - first) % step == 0;
}

static int has_export_form(const struct bulk_cipher *cipher, unsigned bits)
{
    for (size_t n = 0; n < COUNT(export_forms); n++) {
        if (export_forms[n].id == cipher->id)
            return is_in_range(bits, export_forms[n].first, export_forms[n].last,
                               export_forms[n].step);
    }
    return 0;
}

int bulk_cipher_key_block_sizes(const struct bulk_cipher *cipher, unsigned bits, int is_export,
                                struct bulk_cipher_sizes *sizes)
{
    /* DES material always comes with its parity bits: 56 means 64, and so on. */
    if (bits == 0 || bits == cipher->strength_bits)
        bits = cipher->default_bits;
    if (is_export ? !has_export_form(cipher, bits)
                  : !is_in_range(bits, cipher->min_bits, cipher->default_bits, 8))
        return 0;
    sizes->material = bits / 8;
    sizes->key = (is_export ? cipher->default_bits : bits) / 8;
    sizes->iv = cipher->iv_size;
    return 1;
}
