/* The golden keys: see golden_cases.h. */
#include "golden_cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/evp.h>

const struct golden_alg golden_algs[] = {
    [TLS1_MASTER] = { "TLS1-MASTER", 0x4c06, GOLDEN_MASTER, 4, 0, 48 },
    [RC4] = { "RC4", 0x6801, GOLDEN_CIPHER, 17, 0, 16 },
    [DES_EDE3] = { "DES-EDE3-CBC", 0x6603, GOLDEN_CIPHER, 21, 8, 24 },
    [AES_128] = { "AES-128-CBC", 0x660e, GOLDEN_CIPHER, 22, 16, 16 },
    [AES_256] = { "AES-256-CBC", 0x6610, GOLDEN_CIPHER, 24, 16, 32 },
    [TLS1_MAC] = { "TLS1-MAC", 0x4c03, GOLDEN_MAC, 36, 0, 0 },
};

#define ENCRYPTING .direction = GOLDEN_ENCRYPT
#define DECRYPTING .direction = GOLDEN_DECRYPT
#define IN_RECORD  .message = RECORD, .position = 77
#define HALF_RAW   .message = RAW, .position = 100
#define DERIVED(u) .protocol = GOLDEN_TLS1, .usage = (u)
#define TRANSFER   .mode = GOLDEN_TRANSFER

const struct golden_case golden_cases[] = {
    { "master-premaster", TLS1_MASTER, .client_random = 32, .server_random = 32, .cipher = 8,
      .cipher_bits = 256, .digest = GOLDEN_SHA1, .mac_bits = 160 },
    { "master-secret-everything-set", TLS1_MASTER, .has_master_secret = 1, .client_random = 48,
      .server_random = 64, .cipher = 1, .cipher_bits = 40, .digest = GOLDEN_MD5, .mac_bits = 128,
      .choices = 0x0f },
    { "master-bare-premaster-of-61-bytes", TLS1_MASTER, .key_size = 61 },
    { "master-secret-choices-off", TLS1_MASTER, .has_master_secret = 1, .client_random = 32,
      .server_random = 32, .cipher = 5, .digest = GOLDEN_SHA1, .choices = 0x05 },

    { "rc4-128-fresh", RC4, .position = 0 },
    { "rc4-128-running", RC4, DERIVED(GOLDEN_CLIENT_KEY), .position = 100 },
    { "rc4-40-salt", RC4, .key_size = 5, .has_salt = 1, .position = 7 },
    { "rc4-40-no-salt", RC4, .key_size = 5, .position = 1 },
    { "rc4-context-24-byte-key", RC4, .key_size = 24, .is_for_context = 1, .position = 33 },
    { "rc4-context-3-byte-key", RC4, .key_size = 3, .is_for_context = 1, .position = 130 },
    { "rc4-context-256-byte-key-not-kept", RC4, .key_size = 256, .is_for_context = 1,
      .position = 64 },

    { "des-ede3-fresh", DES_EDE3, ENCRYPTING },
    { "des-ede3-mid-chain", DES_EDE3, ENCRYPTING, .position = 48 },
    { "des-ede3-partial-block-encrypting", DES_EDE3, ENCRYPTING, .position = 29 },
    { "des-ede3-held-back-block-decrypting", DES_EDE3, DECRYPTING, .padding = 1, .position = 40 },
    { "aes-128-fresh", AES_128, ENCRYPTING },
    { "aes-128-mid-chain", AES_128, ENCRYPTING, .position = 64 },
    { "aes-128-partial-block-encrypting", AES_128, ENCRYPTING, .position = 47 },
    { "aes-128-held-back-block-decrypting", AES_128, DECRYPTING, .padding = 1, .position = 32 },
    { "aes-256-fresh", AES_256, DERIVED(GOLDEN_SERVER_KEY), ENCRYPTING },
    { "aes-256-mid-chain-decrypting", AES_256, DECRYPTING, .position = 80 },
    { "aes-256-partial-block-encrypting", AES_256, ENCRYPTING, .position = 33 },
    { "aes-256-held-back-block-decrypting", AES_256, DECRYPTING, .padding = 1, .position = 16 },
    { "aes-256-partial-block-decrypting", AES_256, DECRYPTING, .position = 21 },

    { "mac-md5-idle", TLS1_MAC, .digest = GOLDEN_MD5, .protocol = GOLDEN_TLS1 },
    { "mac-md5-half-raw", TLS1_MAC, .digest = GOLDEN_MD5, DERIVED(GOLDEN_CLIENT_MAC), HALF_RAW,
      .sequence = 5 },
    { "mac-md5-in-record", TLS1_MAC, .digest = GOLDEN_MD5, DERIVED(GOLDEN_SERVER_MAC), IN_RECORD,
      .sequence = UINT64_C(0x0102030405060708) },
    { "mac-sha1-idle", TLS1_MAC, .digest = GOLDEN_SHA1, DERIVED(GOLDEN_SERVER_MAC),
      .sequence = UINT64_C(0xfffffffffffffffe) },
    { "mac-sha1-half-raw", TLS1_MAC, .digest = GOLDEN_SHA1, .protocol = GOLDEN_TLS1, HALF_RAW },
    { "mac-sha1-in-record", TLS1_MAC, .digest = GOLDEN_SHA1, DERIVED(GOLDEN_CLIENT_MAC), IN_RECORD,
      .sequence = 255 },
    { "mac-context-md5-33-byte-key", TLS1_MAC, .digest = GOLDEN_MD5, .protocol = GOLDEN_TLS1,
      .key_size = 33, .is_for_context = 1, HALF_RAW },
    { "mac-context-sha1-7-byte-key-in-record", TLS1_MAC, .digest = GOLDEN_SHA1,
      .protocol = GOLDEN_TLS1, .key_size = 7, .is_for_context = 1, IN_RECORD, .sequence = 1 },

    { "aes-128-exportable", AES_128, .exportable = 1, ENCRYPTING, .position = 31 },
    { "rc4-128-fork-allowed", RC4, .fork = 1, .position = 59 },
    { "aes-256-transfer", AES_256, TRANSFER, DERIVED(GOLDEN_CLIENT_KEY), ENCRYPTING,
      .position = 50 },
    { "rc4-128-transfer-audience", RC4, TRANSFER, .audience = "records@example", .position = 90 },
    { "mac-sha1-transfer-audience-exportable", TLS1_MAC, TRANSFER, .audience = "a", .exportable = 1,
      .digest = GOLDEN_SHA1, DERIVED(GOLDEN_CLIENT_MAC), IN_RECORD, .sequence = 9 },
    { "master-transfer", TLS1_MASTER, TRANSFER, .client_random = 32, .server_random = 32,
      .cipher = 6, .digest = GOLDEN_MD5 },
    { "rc4-context-transfer", RC4, TRANSFER, .key_size = 24, .is_for_context = 1, .position = 11 },
    { "aes-128-transfer-expired", AES_128, TRANSFER, .is_expired = 1, ENCRYPTING, .position = 3 },
    { "aes-128-passphrase", AES_128, .has_passphrase = 1, .exportable = 1, ENCRYPTING,
      .position = 17 },
    { "aes-256-passphrase-transfer-audience", AES_256, TRANSFER, .has_passphrase = 1, .fork = 1,
      .audience = "records@example", DECRYPTING, .padding = 1, .position = 48 },
    { "master-secret-relaxed-only", TLS1_MASTER, .has_master_secret = 1, .client_random = 1,
      .server_random = 33, .cipher = 6, .digest = GOLDEN_MD5, .choices = 0x0c },
    { "master-secret-export-only", TLS1_MASTER, .has_master_secret = 1, .client_random = 32,
      .server_random = 32, .cipher = 1, .cipher_bits = 56, .digest = GOLDEN_SHA1, .choices = 0x03 },
};

const size_t golden_case_count = sizeof(golden_cases) / sizeof(golden_cases[0]);

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

static size_t digest_size(const struct golden_case *golden)
{
    return golden->digest == GOLDEN_MD5 ? 16 : 20;
}

size_t golden_key_size(const struct golden_case *golden)
{
    if (golden->key_size != 0)
        return golden->key_size;
    return golden->alg == TLS1_MAC ? digest_size(golden) : golden_alg_of(golden)->key_size;
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

void golden_record_header(const struct golden_case *golden, uint8_t header[13])
{
    for (unsigned n = 0; n < 8; n++)
        header[n] = (uint8_t)(golden->sequence >> (56 - 8 * n));
    memcpy(header + 8, "\x17\x03\x01\x00", 4);
    header[12] = GOLDEN_TEXT_SIZE;
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
    header->protocol = golden->alg == TLS1_MASTER ? GOLDEN_TLS1 : golden->protocol;
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
    uint8_t data[GOLDEN_MAX_KEY];

    assert_true(size <= sizeof(data));
    golden_fill(golden, name, data, size);
    golden_put_vector(payload, name, length_size, data, size);
}

static void put_master(const struct golden_case *golden, struct golden_bytes *payload)
{
    golden_put_number(payload, "converted", golden->has_master_secret, 1);
    put_filled(golden, payload, "secret", 2, golden_key_size(golden));
    put_filled(golden, payload, "client_random", 1, golden->client_random);
    put_filled(golden, payload, "server_random", 1, golden->server_random);
    golden_put_vector(payload, "clear_key", 2, "", 0);
    golden_put_vector(payload, "certificate", 2, "", 0);
    golden_put_number(payload, "cipher", golden->cipher, 1);
    golden_put_number(payload, "cipher_bits", golden->cipher_bits, 2);
    golden_put_number(payload, "digest", golden->digest, 1);
    golden_put_number(payload, "mac_bits", golden->mac_bits, 2);
    golden_put_number(payload, "highest_version", 0, 2);
    golden_put_number(payload, "choices", golden->choices, 2);
}

static void put_rc4(const struct golden_case *golden, struct golden_bytes *payload)
{
    uint8_t key[GOLDEN_MAX_KEY];
    size_t size = golden_key_size(golden);
    struct golden_rc4 state;

    golden_fill(golden, "key", key, size);
    if (golden->has_salt) {
        golden_fill(golden, "salt", key + size, 11);
        size += 11;
    }
    golden_rc4_start(&state, key, size);
    golden_rc4_skip(&state, golden->position);
    golden_put(payload, "permutation", state.s, sizeof(state.s));
    golden_put_number(payload, "i", state.i, 1);
    golden_put_number(payload, "j", state.j, 1);
}

/* The chain is the last ciphertext block that was processed, whichever the direction. */
static void put_cbc(const struct golden_case *golden, struct golden_bytes *payload)
{
    size_t block = golden_alg_of(golden)->block_size, done;
    uint8_t key[32], iv[16], text[GOLDEN_TEXT_SIZE], ciphertext[GOLDEN_TEXT_SIZE + 16];
    const uint8_t *input = golden->direction == GOLDEN_ENCRYPT ? text : ciphertext;

    golden_text(golden, text);
    golden_fill(golden, "key", key, golden_key_size(golden));
    golden_fill(golden, "iv", iv, block);
    golden_cbc(golden_alg_of(golden)->name, key, iv, text, sizeof(text), ciphertext);
    done = golden->position / block * block;
    if (golden->padding && done == golden->position && done != 0)
        done -= block;
    golden_put(payload, "iv", iv, block);
    golden_put(payload, "chain", done == 0 ? iv : ciphertext + done - block, block);
    golden_put_number(payload, "direction", done == golden->position ? 0 : golden->direction, 1);
    golden_put_vector(payload, "buffered", 1, input + done, golden->position - done);
}

static void put_cipher(const struct golden_case *golden, struct golden_bytes *payload)
{
    size_t size = golden_key_size(golden);

    /* Longer keys live on in the permutation. */
    put_filled(golden, payload, "key", 1, size <= 32 ? size : 0);
    put_filled(golden, payload, "salt", 1, golden->has_salt ? 11 : 0);
    golden_put_number(payload, "position", golden->position, 8);
    if (golden->alg == RC4)
        put_rc4(golden, payload);
    else
        put_cbc(golden, payload);
}

/* RFC 2104: key XOR ipad, then the message; a TLS 1.0 record with its header before it. */
static void put_message(const struct golden_case *golden, struct golden_bytes *payload)
{
    uint8_t pad[GOLDEN_HASH_BLOCK] = { 0 }, header[13], text[GOLDEN_TEXT_SIZE];
    uint8_t saved[GOLDEN_HASH_MAX_SAVED];
    struct golden_hash hash;

    golden_put_number(payload, "started", golden->message != IDLE, 1);
    if (golden->message == IDLE)
        return;
    golden_fill(golden, "key", pad, golden_key_size(golden));
    for (size_t n = 0; n < sizeof(pad); n++)
        pad[n] ^= 0x36;
    golden_hash_start(&hash, golden->digest == GOLDEN_SHA1);
    golden_hash_update(&hash, pad, sizeof(pad));
    golden_record_header(golden, header);
    if (golden->message == RECORD)
        golden_hash_update(&hash, header, sizeof(header));
    golden_text(golden, text);
    golden_hash_update(&hash, text, golden->position);
    golden_put_number(payload, "in_record", golden->message == RECORD, 1);
    golden_put_number(payload, "record_length", golden->message == RECORD ? GOLDEN_TEXT_SIZE : 0,
                      2);
    golden_put_number(payload, "absorbed", golden->position, 8);
    golden_put_vector(payload, "digest_state", 1, saved, golden_hash_save(&hash, saved));
}

static void put_mac(const struct golden_case *golden, struct golden_bytes *payload)
{
    golden_put_number(payload, "digest", golden->digest, 1);
    put_filled(golden, payload, "key", 1, golden_key_size(golden));
    golden_put_number(payload, "sequence", golden->sequence, 8);
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
