/*
 * What record_open of SSL 3.0 and TLS 1.0 does with a decrypted record, under valgrind's memcheck,
 * which is told that the record is undefined and reports every branch and every address that depends
 * on it.  As tests/handoff/secret_record.c, for the other opener; the file is included for its static
 * functions.
 */
#include "records.c"

#include <stdio.h>
#include <valgrind/memcheck.h>

#define SIZE 320 /* more than the longest padding and a MAC */

static uint32_t read_branching(const uint8_t *plain)
{
    uint32_t n = 0;

    while (n < SIZE && plain[SIZE - 1 - n] == plain[SIZE - 1])
        n++;
    return n;
}

static uint32_t read_secretly(const struct record_direction *direction, const uint8_t *plain,
                              size_t size, const uint8_t *expected)
{
    uint8_t received[RECORD_MAX_MAC];
    uint32_t good;
    const size_t data_size =
        size - direction->mac_size - padding_size(direction, plain, size, &good);
    const size_t spare =
        hash_blocks(direction, size - direction->mac_size - 1) - hash_blocks(direction, data_size);

    fetch_mac(direction, plain, size, data_size, received);
    good &= mask_equal((uint32_t)CRYPTO_memcmp(expected, received, direction->mac_size), 0);
    return good ^ (uint32_t)spare;
}

int main(int argc, char **argv)
{
    static const struct record_direction directions[] = {
        { .protocol = RECORD_TLS1, .block_size = 16, .mac_size = 20 },
        { .protocol = RECORD_TLS1, .block_size = 8, .mac_size = 16 },
        { .protocol = RECORD_SSL3, .block_size = 16, .mac_size = 20 },
        { .protocol = RECORD_SSL3, .block_size = 8, .mac_size = 16 },
    };
    static const size_t sizes[] = { 32, 48, 256, SIZE };
    uint8_t plain[SIZE], expected[RECORD_MAX_MAC];
    uint32_t sum = 0;

    memset(plain, 7, sizeof(plain));
    memset(expected, 7, sizeof(expected));
    if (RUNNING_ON_VALGRIND == 0) {
        fprintf(stderr, "has to run under valgrind\n");
        return 1;
    }
    (void)VALGRIND_MAKE_MEM_UNDEFINED(plain, sizeof(plain));
    (void)VALGRIND_MAKE_MEM_UNDEFINED(expected, sizeof(expected));
    if (argc > 1 && strcmp(argv[1], "branching") == 0)
        sum = read_branching(plain);
    for (size_t d = 0; argc == 1 && d < sizeof(directions) / sizeof(directions[0]); d++) {
        for (size_t n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++)
            sum += read_secretly(&directions[d], plain, sizes[n], expected);
    }
    (void)VALGRIND_MAKE_MEM_DEFINED(&sum, sizeof(sum));
    printf("%u\n", sum);
    return 0;
}
