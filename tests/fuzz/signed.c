/*
 * Signed blobs as everybody can read them, before the signature is verified.  What is read are parts
 * of the input, in its order, and all of it.
 */
#include <string.h>
#include "blob/signed.h"
#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_setup();
    return 0;
}

/* |part| comes behind |at|, with a length field of |prefix| bytes before it. */
static const uint8_t *check_part(const uint8_t *at, size_t prefix, struct octets part)
{
    fuzz_expect(part.size == 0 || part.data == at + prefix, "parts in the order of the blob");
    return at + prefix + part.size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct signed_blob read;
    const uint8_t *at;

    if (!fuzz_outcome(signed_blob_read(fuzz.provctx, (struct octets){ data, size }, &read)))
        return 0;
    at = data + SIGNED_BLOB_MAGIC_SIZE + 1 + 1 + 8;
    fuzz_expect(memcmp(read.signer_id, at, SIGNER_ID_SIZE) == 0, "the signer");
    at = check_part(at + SIGNER_ID_SIZE, 1, read.purpose);
    at = check_part(at, 1, read.serial);
    at = check_part(at, 1, read.message_hash) + 1;
    for (size_t n = 0; n < read.count; n++)
        at = check_part(at, 2, read.inner[n]);
    fuzz_expect(read.content.data == data && read.content.data + read.content.size == at,
                "everything before the signature");
    fuzz_expect(check_part(at, 2, read.signature) == data + size, "a signature at the end");
    return 0;
}
