/*
 * The clear header of an opaque blob, which anybody may have written.  One that is accepted is
 * written again to the same bytes.
 */
#include <string.h>
#include "blob/blob.h"
#include "blob/opaque_header.h"
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
    struct opaque_header header;
    uint8_t again[OPAQUE_HEADER_MAX_SIZE];
    struct writer writer;
    size_t header_size;

    (void)blob_recognise(data, size);
    if (!fuzz_outcome(
            opaque_header_read(fuzz.provctx, (struct octets){ data, size }, &header, &header_size)))
        return 0;
    fuzz_expect(header_size + header.sealed_size == size, "a blob that ends where it says");
    fuzz_expect(blob_recognise(data, size) == BLOB_TYPE_OPAQUE, "an opaque blob");
    writer_init(&writer, again, sizeof(again));
    opaque_header_write(&writer, &header);
    fuzz_expect(!writer.failed && opaque_header_size(&header) == header_size, "room for a header");
    fuzz_expect_same(again, writer.position, data, header_size, "the same header again");
    return 0;
}
