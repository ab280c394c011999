/* The formulas of the four protocols: see golden_formula.h. */
#include "golden_formula.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

/* ---- hashing what was put together ---- */

struct text {
    size_t size;
    uint8_t data[4096];
};

static void add(struct text *text, const void *data, size_t size)
{
    assert_true(size <= sizeof(text->data) - text->size);
    if (size != 0)
        memcpy(text->data + text->size, data, size);
    text->size += size;
}

static void add_times(struct text *text, const void *data, size_t size, size_t count)
{
    while (count-- > 0)
        add(text, data, size);
}

static const EVP_MD *md_of(unsigned digest)
{
    return digest == GOLDEN_MD5 ? EVP_md5() : EVP_sha1();
}

static size_t size_of(unsigned digest)
{
    return digest == GOLDEN_MD5 ? 16 : 20;
}

/* Empties |text| as well. */
static size_t hash(unsigned digest, struct text *text, uint8_t *out)
{
    assert_int_equal(EVP_Digest(text->data, text->size, out, NULL, md_of(digest), NULL), 1);
    text->size = 0;
    return size_of(digest);
}

/* ---- record MACs ---- */

size_t golden_raw_mac(unsigned protocol, unsigned digest, const uint8_t *key, size_t key_size,
                      const uint8_t *data, size_t size, uint8_t out[20])
{
    const size_t pads = digest == GOLDEN_MD5 ? 48 : 40;
    struct text text = { 0 };
    uint8_t inner[20];

    if (protocol == GOLDEN_TLS1) {
        assert_non_null(HMAC(md_of(digest), key, (int)key_size, data, size, out, NULL));
        return size_of(digest);
    }
    if (protocol != GOLDEN_PCT1)
        add(&text, key, key_size);
    if (protocol == GOLDEN_SSL3)
        add_times(&text, "\x36", 1, pads);
    add(&text, data, size);
    if (protocol == GOLDEN_SSL2)
        return hash(digest, &text, out);
    hash(digest, &text, inner);
    add(&text, key, key_size);
    if (protocol == GOLDEN_SSL3)
        add_times(&text, "\x5c", 1, pads);
    add(&text, inner, size_of(digest));
    return hash(digest, &text, out);
}

size_t golden_mac(const struct golden_case *golden, uint8_t out[20])
{
    uint8_t key[GOLDEN_MAX_KEY], whole[13 + GOLDEN_TEXT_SIZE + 4];
    size_t size = 0;

    golden_key(golden, key);
    if (golden->message == RECORD)
        size = golden_record_header(golden, whole);
    golden_text(golden, whole + size);
    size += GOLDEN_TEXT_SIZE;
    if (golden->message == RECORD)
        size += golden_record_trailer(golden, whole + size);
    return golden_raw_mac(golden_protocol(golden), golden->digest, key, golden_key_size(golden),
                          whole, size, out);
}

/* ---- what a derivation has ---- */

struct inputs {
    uint8_t secret[GOLDEN_MAX_FIELD], client[64], server[64];
    uint8_t clear_key[GOLDEN_MAX_FIELD], certificate[GOLDEN_MAX_FIELD];
};

static void fill_inputs(const struct golden_case *golden, struct inputs *in)
{
    golden_key(golden, in->secret);
    golden_fill(golden, "client_random", in->client, golden->client_random);
    golden_fill(golden, "server_random", in->server, golden->server_random);
    golden_fill(golden, "clear_key", in->clear_key, golden->clear_key);
    golden_fill(golden, "certificate", in->certificate, golden->certificate);
}

static void add_client(struct text *text, const struct golden_case *golden, const struct inputs *in)
{
    add(text, in->client, golden->client_random);
}

static void add_server(struct text *text, const struct golden_case *golden, const struct inputs *in)
{
    add(text, in->server, golden->server_random);
}

/* By enum bulk_cipher_id. */
static const struct {
    uint8_t key, iv;
    uint8_t strength; /* of the DES family in PCT 1.0, bits */
} ciphers[] = {
    [1] = { 16, 0, 0 },   [2] = { 16, 8, 0 },  [3] = { 8, 8, 56 },  [4] = { 16, 8, 112 },
    [5] = { 24, 8, 168 }, [6] = { 16, 16, 0 }, [7] = { 24, 16, 0 }, [8] = { 32, 16, 0 },
};

static unsigned cipher_bits(const struct golden_case *golden)
{
    const unsigned bits = golden->cipher_bits, strength = ciphers[golden->cipher].strength;

    return bits == 0 || bits == strength ? 8u * ciphers[golden->cipher].key : bits;
}

/* ---- PCT 1.0 ---- */

/* draft-benaloh-pct-00 sections 5.3.1 and 5.3.3 */
static void pct1_bits(const struct golden_case *golden, const struct inputs *in, const char *tag,
                      int is_client, int is_write_key, uint8_t out[60], size_t bits)
{
    const size_t length = strlen(tag), size = (bits + 7) / 8;
    struct text text = { 0 };
    size_t done = 0;

    for (uint8_t i = 1; done < size; i++) {
        add(&text, &i, 1);
        add_times(&text, tag, length, is_write_key ? 1 : 0);
        add(&text, in->secret, 16);
        add_times(&text, tag, length, i);
        add_server(&text, golden, in);
        add_times(&text, tag, length, i);
        if (is_client) {
            add(&text, in->certificate, golden->certificate);
            add_times(&text, tag, length, i);
        }
        add_client(&text, golden, in);
        add_times(&text, tag, length, i);
        done += hash(golden->digest, &text, out + done);
    }
    for (size_t bit = bits; bit < 8 * size; bit++)
        out[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
}

/* Section 5.3.2: |bits| of |key| become |standard| ones. */
static void pct1_expand(const struct golden_case *golden, const struct inputs *in, uint8_t key[60],
                        size_t bits, size_t standard)
{
    const size_t parts = (standard + 8 * size_of(golden->digest) - 1) / 8 / size_of(golden->digest);
    const size_t part = golden->clear_key / (parts != 0 ? parts : 1);
    struct text text = { 0 };
    uint8_t out[60];
    size_t done = 0;

    for (uint8_t i = 1; done < standard / 8; i++) {
        add(&text, &i, 1);
        add_times(&text, "sl", 2, i);
        add(&text, key, (bits + 7) / 8);
        add_times(&text, "sl", 2, i);
        add(&text, in->clear_key + (i - 1u) * part, part);
        done += hash(golden->digest, &text, out + done);
    }
    memcpy(key, out, standard / 8);
}

/* Seven bits to a byte, odd parity below them. */
static void spread_bits(const uint8_t *bits, uint8_t *key, size_t size)
{
    for (size_t n = 0; n < size; n++) {
        unsigned ones = 0;

        key[n] = 0;
        for (size_t bit = 7 * n; bit < 7 * n + 7; bit++) {
            unsigned one = (unsigned)bits[bit / 8] >> (7 - bit % 8) & 1u;

            key[n] = (uint8_t)((unsigned)key[n] << 1 | one);
            ones += one;
        }
        key[n] = (uint8_t)((unsigned)key[n] << 1 | (ones % 2 == 0 ? 1u : 0u));
    }
}

static void derive_pct1(const struct golden_case *golden, const struct inputs *in,
                        struct golden_keys *keys)
{
    const int is_raw = (golden->choices & 0xc0) == 0xc0;
    const unsigned strength = ciphers[golden->cipher].strength;
    const int is_des = strength != 0 && !is_raw;
    const size_t full = ciphers[golden->cipher].key, standard = is_des ? strength : 8 * full;
    const size_t mac_bits = golden->mac_bits != 0 ? golden->mac_bits : 8 * size_of(golden->digest);
    size_t bits = cipher_bits(golden);
    uint8_t found[60];

    if (bits == 8 * full)
        bits = standard;
    keys->key_size = full;
    keys->mac_size = (mac_bits + 7) / 8;
    for (int side = 0; side < 2; side++) {
        pct1_bits(golden, in, side == 0 ? "cw" : "svw", side == 0, 1, found, bits);
        if (bits < standard)
            pct1_expand(golden, in, found, bits, standard);
        if (is_des)
            spread_bits(found, keys->key[side], full);
        else
            memcpy(keys->key[side], found, full);
        pct1_bits(golden, in, side == 0 ? "cmac" : "svmac", side == 0, 0, found, mac_bits);
        memcpy(keys->mac[side], found, keys->mac_size);
    }
}

/* ---- SSL 2.0 ---- */

/* draft-hickman-netscape-ssl-00 sections 4.1.1 and 5.5.2; the digit with DES as deployed. */
static void derive_ssl2(const struct golden_case *golden, const struct inputs *in,
                        struct golden_keys *keys)
{
    const int has_digit = golden->cipher != 3 || (golden->choices & 0x30) != 0x10;
    const size_t skipped = golden_key_size(golden) == 16 ? golden->clear_key : 0;
    const size_t size = ciphers[golden->cipher].key;
    uint8_t material[48];
    struct text text = { 0 };

    for (size_t done = 0; done < sizeof(material);) {
        const char digit = (char)('0' + done / 16);

        add(&text, in->clear_key, golden->clear_key);
        add(&text, in->secret + skipped, golden_key_size(golden) - skipped);
        add(&text, &digit, has_digit ? 1 : 0);
        add_client(&text, golden, in);
        add_server(&text, golden, in);
        done += hash(GOLDEN_MD5, &text, material + done);
    }
    keys->key_size = size;
    memcpy(keys->key[1], material, size); /* the client reads with it */
    memcpy(keys->key[0], material + size, size);
}

/* ---- SSL 3.0 and TLS 1.0 ---- */

/* RFC 6101 section 6.1 */
static void ssl3_prf(const uint8_t *secret, size_t secret_size, const struct text *seed,
                     uint8_t *out, size_t size)
{
    struct text text = { 0 };
    uint8_t inner[20], step[16];

    for (size_t done = 0, n = 1; done < size; done += 16, n++) {
        const char letter = (char)('A' + n - 1);

        add_times(&text, &letter, 1, n);
        add(&text, secret, secret_size);
        add(&text, seed->data, seed->size);
        hash(GOLDEN_SHA1, &text, inner);
        add(&text, secret, secret_size);
        add(&text, inner, 20);
        hash(GOLDEN_MD5, &text, step);
        memcpy(out + done, step, size - done < 16 ? size - done : 16);
    }
}

/* RFC 2246 section 5: XORs P_hash of one half of the secret into |out|. */
static void p_hash(unsigned digest, const uint8_t *secret, size_t secret_size,
                   const struct text *seed, uint8_t *out, size_t size)
{
    const size_t step_size = size_of(digest);
    uint8_t a[20], step[20];
    struct text text = { 0 };

    golden_raw_mac(GOLDEN_TLS1, digest, secret, secret_size, seed->data, seed->size, a);
    for (size_t done = 0; done < size; done += step_size) {
        add(&text, a, step_size);
        add(&text, seed->data, seed->size);
        golden_raw_mac(GOLDEN_TLS1, digest, secret, secret_size, text.data, text.size, step);
        for (size_t n = 0; n < step_size && done + n < size; n++)
            out[done + n] ^= step[n];
        golden_raw_mac(GOLDEN_TLS1, digest, secret, secret_size, a, step_size, step);
        memcpy(a, step, step_size);
        text.size = 0;
    }
}

static void tls1_prf(const uint8_t *secret, size_t secret_size, const struct text *seed,
                     uint8_t *out, size_t size)
{
    const size_t half = (secret_size + 1) / 2;

    memset(out, 0, size);
    p_hash(GOLDEN_MD5, secret, half, seed, out, size);
    p_hash(GOLDEN_SHA1, secret + secret_size - half, half, seed, out, size);
}

/* The PRF of either protocol over |label|, which SSL 3.0 has none of, and both randoms. */
static void prf(const struct golden_case *golden, const struct inputs *in, const uint8_t *secret,
                size_t secret_size, const char *label, int client_first, uint8_t *out, size_t size)
{
    struct text seed = { 0 };

    if (golden->alg == TLS1_MASTER)
        add(&seed, label, strlen(label));
    if (client_first)
        add_client(&seed, golden, in);
    add_server(&seed, golden, in);
    if (!client_first)
        add_client(&seed, golden, in);
    if (golden->alg == TLS1_MASTER)
        tls1_prf(secret, secret_size, &seed, out, size);
    else
        ssl3_prf(secret, secret_size, &seed, out, size);
}

/* RFC 6101 section 6.2.2: MD5(material || the writer's random || the other) */
static void ssl3_export(const struct golden_case *golden, const struct inputs *in, int side,
                        const uint8_t *material, size_t size, uint8_t out[16])
{
    struct text text = { 0 };

    add(&text, material, size);
    if (side == 0)
        add_client(&text, golden, in);
    add_server(&text, golden, in);
    if (side == 1)
        add_client(&text, golden, in);
    hash(GOLDEN_MD5, &text, out);
}

/* RFC 2246 section 6.3.1 and the same of SSL 3.0: |material| bytes of each side to a whole key. */
static void finalise(const struct golden_case *golden, const struct inputs *in, size_t material,
                     struct golden_keys *keys)
{
    static const char *const labels[] = { "client write key", "server write key" };
    uint8_t found[32], ivs[32];

    prf(golden, in, (const uint8_t *)"", 0, "IV block", 1, ivs, 2 * keys->iv_size);
    for (int side = 0; side < 2; side++) {
        if (golden->alg == TLS1_MASTER)
            prf(golden, in, keys->key[side], material, labels[side], 1, found, keys->key_size);
        else
            ssl3_export(golden, in, side, keys->key[side], material, found);
        memcpy(keys->key[side], found, keys->key_size);
        if (golden->alg == SSL3_MASTER)
            ssl3_export(golden, in, side, NULL, 0, found);
        else
            memcpy(found, ivs + (size_t)side * keys->iv_size, keys->iv_size);
        memcpy(keys->iv[side], found, keys->iv_size);
    }
}

static void derive_key_block(const struct golden_case *golden, const struct inputs *in,
                             struct golden_keys *keys)
{
    const int is_export = (golden->choices & 3) == 3,
              is_tls1_1 = (golden->choices & 0x300) == 0x300;
    const size_t material = cipher_bits(golden) / 8;
    uint8_t master[48], block[136], *at = block;

    if (golden->has_master_secret)
        memcpy(master, in->secret, sizeof(master));
    else
        prf(golden, in, in->secret, golden_key_size(golden), "master secret", 1, master, 48);
    prf(golden, in, master, 48, "key expansion", 0, block, sizeof(block));
    keys->mac_size = size_of(golden->digest);
    keys->key_size = is_export ? ciphers[golden->cipher].key : material;
    keys->iv_size = ciphers[golden->cipher].iv;
    for (size_t n = 0; n < 2; n++, at += keys->mac_size)
        memcpy(keys->mac[n], at, keys->mac_size);
    for (size_t n = 0; n < 2; n++, at += material)
        memcpy(keys->key[n], at, material);
    for (size_t n = 0; n < 2 && !is_tls1_1; n++, at += keys->iv_size)
        memcpy(keys->iv[n], at, keys->iv_size);
    if (is_export)
        finalise(golden, in, material, keys);
}

void golden_derive(const struct golden_case *golden, struct golden_keys *keys)
{
    struct inputs in;

    memset(keys, 0, sizeof(*keys));
    fill_inputs(golden, &in);
    if (golden->alg == PCT1_MASTER)
        derive_pct1(golden, &in, keys);
    else if (golden->alg == SSL2_MASTER)
        derive_ssl2(golden, &in, keys);
    else
        derive_key_block(golden, &in, keys);
}
