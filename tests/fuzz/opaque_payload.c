/*
 * What an opaque blob seals, parsed without the seal.  A payload that is accepted is written again to
 * the same bytes, and the state it describes can be used.
 */
#include <stdlib.h>
#include <string.h>
#include "blob/opaque_payload.h"
#include "key/derived_key.h"
#include "payload_head.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_setup();
    return 0;
}

static void check_again(const struct key *key, struct octets payload, const struct moment *deadline)
{
    uint8_t *again = malloc(payload.size);
    struct writer writer;

    fuzz_expect(again != NULL, "memory");
    writer_init(&writer, again, payload.size);
    opaque_payload_write(&writer, key, deadline);
    fuzz_expect(!writer.failed, "room for the payload");
    fuzz_expect_same(again, writer.position, payload.data, payload.size, "the same payload again");
    free(again);
}

static void use_cipher(struct cipher_value *cipher, int encrypt)
{
    static const uint8_t in[100] = "any text";
    struct cipher_use use = { .encrypt = encrypt, .padding = 1 };
    uint8_t out[sizeof(in) + 2 * BULK_CIPHER_MAX_BLOCK_SIZE];
    size_t written;

    (void)fuzz_outcome(
        cipher_value_update(fuzz.provctx, cipher, &use, in, 37, out, sizeof(out), &written));
    (void)fuzz_outcome(cipher_value_update(fuzz.provctx, cipher, &use, in, sizeof(in), out,
                                           sizeof(out), &written));
    (void)fuzz_outcome(cipher_value_final(fuzz.provctx, cipher, &use, out, sizeof(out), &written));
}

static void use_mac(struct mac_value *mac)
{
    static const uint8_t in[100] = "any text";
    struct mac_record record = {
        .enabled = 1, .has_type = 1, .has_version = 1, .has_length = 1, .length = 50
    };
    uint8_t out[DIGEST_MAX_SIZE];

    (void)fuzz_outcome(mac_value_update(fuzz.provctx, mac, &record, in, sizeof(in)));
    (void)fuzz_outcome(mac_value_final(fuzz.provctx, mac, &record, out));
    mac_value_drop(mac);
    record.has_length = 1;
    (void)fuzz_outcome(mac_value_update(fuzz.provctx, mac, &record, in, 50));
    (void)fuzz_outcome(mac_value_final(fuzz.provctx, mac, &record, out));
}

static void use_master(struct key *master, unsigned usage)
{
    static const struct derivation nothing;
    struct key *key = derived_key_from(master, (enum key_usage)(1 + usage % 4), &nothing);

    (void)fuzz_outcome(key != NULL);
    key_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    struct opaque_header header;
    struct moment deadline = { 0 };
    struct octets payload;
    struct key *key = key_new(fuzz.provctx);
    const int is_transfer = (payload_head_take(&input, &header), header.mode == BLOB_MODE_TRANSFER);
    const unsigned choice = fuzz_u8(&input);

    fuzz_expect(key != NULL, "memory");
    payload = fuzz_take(&input, input.size);
    key->algorithm = header.algorithm;
    key->protocol = header.protocol;
    key->usage = header.usage;
    if (opaque_payload_read(key, payload, is_transfer ? &deadline : NULL) == PAYLOAD_READ) {
        check_again(key, payload, is_transfer ? &deadline : NULL);
        if (key->algorithm->kind == KEY_KIND_CIPHER)
            use_cipher(&key->value.cipher, choice & 1);
        if (key_mac(key) != NULL)
            use_mac(key_mac(key));
        if (key->algorithm->kind == KEY_KIND_MASTER)
            use_master(key, choice);
    } else {
        key_reset(key);
    }
    key_free(key);
    fuzz_expect(fuzz_reasons() == 0, "a payload parser that raises nothing");
    return 0;
}
