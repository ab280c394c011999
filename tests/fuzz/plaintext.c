/*
 * PLAINTEXTKEYBLOB.  One that is accepted gives a key whose own blob has the same bytes.
 */
#include "blob/plaintext.h"
#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_setup();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    const unsigned flags = fuzz_u8(&input);
    const struct octets blob = fuzz_take(&input, input.size);
    struct blob_options options = { 0 };
    uint8_t again[PLAINTEXT_BLOB_MAX_SIZE];
    size_t again_size;
    struct key *key;

    options.exportable.value = flags & 1;
    options.salt_mode = (enum salt_mode)(flags >> 1 & 3) % SALT_MODE_CREATE;
    options.allow_plaintext.value = 1;
    key = plaintext_blob_import(fuzz.provctx, blob, &options);
    if (fuzz_outcome(key != NULL) &&
        fuzz_outcome(plaintext_blob_export(key, &options, again, &again_size)))
        fuzz_expect_same(again, again_size, blob.data, blob.size, "the same blob again");
    else
        fuzz_expect(key == NULL || !options.exportable.value, "a blob of an exportable key");
    key_free(key);
    return 0;
}
