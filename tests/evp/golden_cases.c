/* The golden keys: see golden_cases.h. */
#include "golden_cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/evp.h>

const char *const golden_usage_names[] = { "", "client-write-key", "server-write-key",
                                           "client-write-mac", "server-write-mac" };
const char *const golden_digest_names[] = { NULL, "MD5", "SHA1" };

const struct golden_case *golden_case_named(const char *name)
{
    for (size_t n = 0; n < golden_case_count; n++) {
        if (strcmp(golden_cases[n].name, name) == 0)
            return &golden_cases[n];
    }
    fail_msg("no case %s", name);
    return NULL;
}

const struct golden_alg *golden_alg_of(const struct golden_case *golden)
{
    return &golden_algs[golden->alg];
}

unsigned golden_protocol(const struct golden_case *golden)
{
    return golden->protocol != 0 ? golden->protocol : golden_alg_of(golden)->protocol;
}

int golden_is_ssl2_cipher(const struct golden_case *golden)
{
    return golden_alg_of(golden)->kind == GOLDEN_CIPHER && golden->protocol == GOLDEN_SSL2;
}

int golden_has_message(const struct golden_case *golden)
{
    return golden_alg_of(golden)->kind == GOLDEN_MAC || golden_is_ssl2_cipher(golden);
}

size_t golden_absorbed(const struct golden_case *golden)
{
    return golden_is_ssl2_cipher(golden) ? golden->absorbed : golden->position;
}

size_t golden_key_size(const struct golden_case *golden)
{
    if (golden->key_size != 0)
        return golden->key_size;
    if (golden_alg_of(golden)->key_size != 0)
        return golden_alg_of(golden)->key_size;
    return golden->digest == GOLDEN_MD5 ? 16 : 20;
}

unsigned golden_effective_bits(const struct golden_case *golden)
{
    if (golden->alg != RC2)
        return 0;
    return golden->effective_bits != 0 ? golden->effective_bits
                                       : 8 * (unsigned)golden_key_size(golden);
}

size_t golden_done(const struct golden_case *golden)
{
    size_t block = golden_alg_of(golden)->block_size, done = golden->position;

    if (block == 0)
        return done;
    done = done / block * block;
    return golden->padding && done == golden->position && done != 0 ? done - block : done;
}

/* ---- bytes ---- */

static void fill(const char *name, const char *label, uint8_t *out, size_t size)
{
    for (unsigned block = 0; size > 0; block++) {
        uint8_t hash[32];
        char text[128];
        int length = snprintf(text, sizeof(text), "%s %s %u", name, label, block);
        size_t some = size < sizeof(hash) ? size : sizeof(hash);

        assert_in_range(length, 1, sizeof(text) - 1);
        assert_int_equal(EVP_Digest(text, (size_t)length, hash, NULL, EVP_sha256(), NULL), 1);
        memcpy(out, hash, some);
        out += some;
        size -= some;
    }
}

void golden_fill(const struct golden_case *golden, const char *label, uint8_t *out, size_t size)
{
    fill(golden->name, label, out, size);
}

void golden_text(const struct golden_case *golden, uint8_t text[GOLDEN_TEXT_SIZE])
{
    golden_fill(golden, "text", text, GOLDEN_TEXT_SIZE);
}

void golden_sealing_key(uint8_t secret[GOLDEN_SECRET_SIZE])
{
    fill("golden", "sealing key", secret, GOLDEN_SECRET_SIZE);
}

void golden_secret(const struct golden_case *golden, uint8_t secret[GOLDEN_SECRET_SIZE])
{
    uint8_t blob_id[GOLDEN_BLOB_ID_SIZE];

    golden_fill(golden, "blob id", blob_id, sizeof(blob_id));
    if (golden->has_passphrase)
        golden_passphrase_secret(GOLDEN_PASSWORD, blob_id, GOLDEN_ITERATIONS, secret);
    else
        golden_sealing_key(secret);
}

void golden_key(const struct golden_case *golden, uint8_t *key)
{
    const int is_master = golden_alg_of(golden)->kind == GOLDEN_MASTER;

    golden_fill(golden, is_master ? "secret" : "key", key, golden_key_size(golden));
    if (golden->highest_version != 0 && !golden->has_master_secret) {
        key[0] = (uint8_t)(golden->highest_version >> 8);
        key[1] = (uint8_t)golden->highest_version;
    }
}

void golden_cipher_key(const struct golden_case *golden, struct golden_cipher_key *key)
{
    key->size = golden_key_size(golden);
    key->effective_bits = golden_effective_bits(golden);
    golden_key(golden, key->data);
    if (!golden->has_salt)
        return;
    golden_fill(golden, "salt", key->data + key->size, 11);
    key->size += 11;
}

static size_t store(uint8_t *out, uint64_t value, size_t size)
{
    for (size_t n = size; n-- > 0; value >>= 8)
        out[n] = (uint8_t)value;
    return size;
}

size_t golden_record_header(const struct golden_case *golden, uint8_t header[13])
{
    size_t size = store(header, golden->sequence, 8);

    if (golden_protocol(golden) < GOLDEN_SSL3)
        return 0;
    size += store(header + size, 0x17, 1);
    if (golden_protocol(golden) == GOLDEN_TLS1)
        size += store(header + size, 0x0301, 2);
    return size + store(header + size, GOLDEN_TEXT_SIZE, 2);
}

size_t golden_record_trailer(const struct golden_case *golden, uint8_t trailer[4])
{
    return golden_protocol(golden) < GOLDEN_SSL3 ? store(trailer, golden->sequence, 4) : 0;
}

/* ---- header ---- */

void golden_header(const struct golden_case *golden, struct golden_header *header)
{
    const struct golden_alg *alg = golden_alg_of(golden);
    uint8_t secret[GOLDEN_SECRET_SIZE];

    memset(header, 0, sizeof(*header));
    header->type = 9;
    header->version = 2;
    header->alg_id = alg->alg_id;
    header->format_version = 1;
    header->mode = golden->mode;
    header->flags = (uint8_t)((golden->exportable ? GOLDEN_EXPORTABLE : 0) |
                              (golden->has_passphrase ? GOLDEN_PASSPHRASE : 0));
    header->kind = alg->kind;
    header->algorithm = alg->id;
    header->protocol = (uint8_t)golden_protocol(golden);
    header->usage = golden->usage;
    header->created = GOLDEN_CREATED;
    if (golden->mode == GOLDEN_TRANSFER)
        header->not_after = golden->is_expired ? GOLDEN_LONG_AGO : GOLDEN_FAR;
    golden_fill(golden, "blob id", header->blob_id, sizeof(header->blob_id));
    if (golden->audience != NULL) {
        header->audience_size = GOLDEN_AUDIENCE_SIZE;
        golden_audience(header->blob_id, golden->audience, header->audience);
    }
    header->iterations = GOLDEN_ITERATIONS;
    if (golden->has_passphrase)
        return;
    golden_sealing_key(secret);
    golden_sealing_key_id(secret, header->sealing_key_id);
}

/* ---- payload ---- */

static void put_filled(const struct golden_case *golden, struct golden_bytes *payload,
                       const char *name, size_t length_size, size_t size)
{
    uint8_t data[GOLDEN_MAX_FIELD];

    assert_true(size <= sizeof(data));
    golden_fill(golden, name, data, size);
    golden_put_vector(payload, name, length_size, data, size);
}

static void put_key(const struct golden_case *golden, struct golden_bytes *payload,
                    const char *name, size_t length_size, size_t size)
{
    uint8_t key[GOLDEN_MAX_KEY];

    golden_key(golden, key);
    golden_put_vector(payload, name, length_size, key, size);
}

static void put_master(const struct golden_case *golden, struct golden_bytes *payload)
{
    golden_put_number(payload, "converted", golden->has_master_secret, 1);
    put_key(golden, payload, "secret", 2, golden_key_size(golden));
    put_filled(golden, payload, "client_random", 1, golden->client_random);
    put_filled(golden, payload, "server_random", 1, golden->server_random);
    put_filled(golden, payload, "clear_key", 2, golden->clear_key);
    put_filled(golden, payload, "certificate", 2, golden->certificate);
    golden_put_number(payload, "cipher", golden->cipher, 1);
    golden_put_number(payload, "cipher_bits", golden->cipher_bits, 2);
    golden_put_number(payload, "digest", golden->digest, 1);
    golden_put_number(payload, "mac_bits", golden->mac_bits, 2);
    golden_put_number(payload, "highest_version", golden->highest_version, 2);
    golden_put_number(payload, "choices", golden->choices, 2);
}

static void put_rc4(const struct golden_case *golden, struct golden_bytes *payload)
{
    struct golden_cipher_key key;
    struct golden_rc4 state;

    golden_cipher_key(golden, &key);
    golden_rc4_start(&state, key.data, key.size);
    golden_rc4_skip(&state, golden->position);
    golden_put(payload, "permutation", state.s, sizeof(state.s));
    golden_put_number(payload, "i", state.i, 1);
    golden_put_number(payload, "j", state.j, 1);
}

/* The chain is the last ciphertext block that was processed, whichever the direction. */
static void put_cbc(const struct golden_case *golden, struct golden_bytes *payload)
{
    size_t block = golden_alg_of(golden)->block_size, done = golden_done(golden);
    uint8_t iv[16], text[GOLDEN_TEXT_SIZE], ciphertext[GOLDEN_TEXT_SIZE + 16];
    const uint8_t *input = golden->direction == GOLDEN_ENCRYPT ? text : ciphertext;
    struct golden_cipher_key key;

    golden_text(golden, text);
    golden_cipher_key(golden, &key);
    golden_fill(golden, "iv", iv, block);
    golden_encrypt(golden_alg_of(golden)->name, &key, iv, text, sizeof(text), ciphertext);
    golden_put(payload, "iv", iv, block);
    golden_put(payload, "chain", done == 0 ? iv : ciphertext + done - block, block);
    golden_put_number(payload, "direction", done == golden->position ? 0 : golden->direction, 1);
    golden_put_vector(payload, "buffered", 1, input + done, golden->position - done);
}

static void put_pads(struct golden_hash *hash, uint8_t pad, size_t count)
{
    while (count-- > 0)
        golden_hash_update(hash, &pad, 1);
}

/* What a message begins with: PCT 1.0 nothing, SSL 2.0 the key, SSL 3.0 that and pad1, TLS 1.0 the
 * key XOR ipad (RFC 2104). */
static void start_message(const struct golden_case *golden, struct golden_hash *hash)
{
    const unsigned protocol = golden_protocol(golden);
    uint8_t key[GOLDEN_MAX_KEY] = { 0 };

    golden_hash_start(hash, golden->digest == GOLDEN_SHA1);
    golden_key(golden, key);
    if (protocol == GOLDEN_TLS1) {
        for (size_t n = 0; n < GOLDEN_HASH_BLOCK; n++)
            key[n] ^= 0x36;
        golden_hash_update(hash, key, GOLDEN_HASH_BLOCK);
    } else if (protocol != GOLDEN_PCT1) {
        golden_hash_update(hash, key, golden_key_size(golden));
    }
    if (protocol == GOLDEN_SSL3)
        put_pads(hash, 0x36, golden->digest == GOLDEN_MD5 ? 48 : 40);
}

/* A record of SSL 3.0 or TLS 1.0 has its header before it. */
static void put_message(const struct golden_case *golden, struct golden_bytes *payload)
{
    const int has_header = golden->message == RECORD && golden_protocol(golden) >= GOLDEN_SSL3;
    uint8_t header[13], text[GOLDEN_TEXT_SIZE], saved[GOLDEN_HASH_MAX_SAVED];
    struct golden_hash hash;

    golden_put_number(payload, "sequence", golden->sequence, 8);
    golden_put_number(payload, "started", golden->message != IDLE, 1);
    if (golden->message == IDLE)
        return;
    start_message(golden, &hash);
    if (has_header)
        golden_hash_update(&hash, header, golden_record_header(golden, header));
    golden_text(golden, text);
    golden_hash_update(&hash, text, golden_absorbed(golden));
    golden_put_number(payload, "in_record", golden->message == RECORD, 1);
    golden_put_number(payload, "record_length", has_header ? GOLDEN_TEXT_SIZE : 0, 2);
    golden_put_number(payload, "absorbed", golden_absorbed(golden), 8);
    golden_put_vector(payload, "digest_state", 1, saved, golden_hash_save(&hash, saved));
}

static void put_cipher(const struct golden_case *golden, struct golden_bytes *payload)
{
    size_t size = golden_key_size(golden);

    /* Longer keys of RC4 live on in the permutation. */
    put_key(golden, payload, "key", 1, golden->alg == RC4 && size > 32 ? 0 : size);
    put_filled(golden, payload, "salt", 1, golden->has_salt ? 11 : 0);
    golden_put_number(payload, "position", golden->position, 8);
    if (golden->alg == RC2)
        golden_put_number(payload, "effective_bits", golden_effective_bits(golden), 2);
    if (golden->alg == RC4)
        put_rc4(golden, payload);
    else
        put_cbc(golden, payload);
    if (golden_is_ssl2_cipher(golden))
        put_message(golden, payload);
}

static void put_mac(const struct golden_case *golden, struct golden_bytes *payload)
{
    golden_put_number(payload, "digest", golden->digest, 1);
    put_key(golden, payload, "key", 1, golden_key_size(golden));
    put_message(golden, payload);
}

void golden_payload(const struct golden_case *golden, struct golden_bytes *payload)
{
    uint8_t id[8];

    golden_clear(payload);
    golden_fill(golden, "key id", id, sizeof(id));
    golden_put(payload, "key_id", id, sizeof(id));
    golden_put_number(payload, "fork", golden->fork, 1);
    if (golden->mode == GOLDEN_TRANSFER) {
        golden_fill(golden, "boot id", id, sizeof(id));
        golden_put(payload, "boot_id", id, sizeof(id));
        golden_put_number(payload, "boot_not_after", 0x00abcdef, 4);
    }
    switch (golden_alg_of(golden)->kind) {
    case GOLDEN_MASTER:
        put_master(golden, payload);
        break;
    case GOLDEN_CIPHER:
        put_cipher(golden, payload);
        break;
    default:
        put_mac(golden, payload);
        break;
    }
}

void golden_blob(const struct golden_case *golden, struct golden_bytes *blob)
{
    static struct golden_bytes payload;
    struct golden_header header;
    uint8_t secret[GOLDEN_SECRET_SIZE];

    golden_header(golden, &header);
    golden_payload(golden, &payload);
    golden_secret(golden, secret);
    golden_seal(&header, secret, &payload, blob);
}
