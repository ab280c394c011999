/*
 * SIMPLEBLOB as far as it is read before RSA: the header of each of 1 to 16 blobs.  Without an
 * exchange key nothing opens; what RSA gives is the targets encryption_block and exchange.
 */
#include "blob/blob_header.h"
#include "blob/simple.h"
#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_setup();
    return 0;
}

/* Options that change what is allowed. */
static struct blob_options options_of(unsigned flags)
{
    struct blob_options options = { 0 };

    options.ssl2_fallback.value = flags & 1;
    options.pad_mode = (flags & 2) != 0 ? PAD_MODE_OAEP : PAD_MODE_DEFAULT;
    options.salt_mode = (flags & 4) != 0 ? SALT_MODE_ZERO : SALT_MODE_DEFAULT;
    return options;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    const struct blob_options options = options_of(fuzz_u8(&input));
    const size_t most = 1 + fuzz_u8(&input) % OPTIONS_MAX_RECIPIENTS;
    struct octets blobs[OPTIONS_MAX_RECIPIENTS];
    size_t count = 1;

    /* all but the last have 16 bytes, enough for the headers */
    for (blobs[0] = fuzz_take(&input, most == 1 ? input.size : 16); count < most; count++)
        blobs[count] = fuzz_take(&input, count + 1 == most ? input.size : 16);
    fuzz_expect(
        fuzz_outcome(simple_blob_import(fuzz.provctx, blobs, count, &options, NULL) != NULL) == 0,
        "no key without an exchange key");
    return 0;
}
