/*
 * The encryption block that RSA gives: the reader that does not branch against one that does.
 */
#include <string.h>
#include "blob/encryption_block.h"
#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

/* RFC 8017 section 7.2.2 and RFC 6101 appendix E.2, as they read. */
static int read_plainly(struct octets block, size_t least, size_t most, struct octets *data,
                        int *is_marked)
{
    size_t n = 2;

    if (block.data[0] != 0 || block.data[1] != 2)
        return 0;
    while (n < block.size && block.data[n] != 0)
        n++;
    if (n == block.size || n < 10)
        return 0;
    *data = (struct octets){ block.data + n + 1, block.size - n - 1 };
    *is_marked = memcmp(block.data + n - 8, "\3\3\3\3\3\3\3\3", 8) == 0;
    return data->size >= least && data->size <= most;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    const size_t most = 1 + fuzz_u8(&input) % 48, least = fuzz_u8(&input) % (most + 1);
    const struct octets block = fuzz_take(&input, 2048);
    uint8_t out[48];
    struct octets expected = { NULL, 0 };
    size_t found, is_marked, good;
    int marked = 0, ok;

    if (block.size < ENCRYPTION_BLOCK_OVERHEAD)
        return 0;
    ok = read_plainly(block, least, most, &expected, &marked);
    good = encryption_block_read(block, least, most, out, &found, &is_marked);
    fuzz_expect(good == (ok ? ~(size_t)0 : 0), "a mask that says whether the block is well-formed");
    if (!ok)
        return 0;
    fuzz_expect(is_marked == (marked ? ~(size_t)0 : 0), "a mask that says whether it is marked");
    fuzz_expect_same(out + most - found, found, expected.data, expected.size, "its data");
    return 0;
}
