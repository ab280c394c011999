/*
 * What record_open does with a decrypted record, under valgrind's memcheck, which is told that the
 * record is undefined and reports every branch and every address that depends on it: padding check,
 * fetching of the MAC and comparison have none.  The file is included for its static functions.
 *
 * Left out are the two calls of libcrypto that take the length of the fragment, see record_layer.c.
 * With the argument "branching" the padding is read by a loop that stops early: memcheck must report
 * that, or this test would see nothing.
 */
#include "record_layer.c"

#include <stdio.h>
#include <valgrind/memcheck.h>

#define SIZE     320 /* more than the longest padding and a MAC */
#define MAC_SIZE 20

static uint32_t read_branching(const uint8_t *plain)
{
    uint32_t n = 0;

    while (n < SIZE && plain[SIZE - 1 - n] == plain[SIZE - 1])
        n++;
    return n;
}

static uint32_t read_secretly(const uint8_t *plain, size_t size, const uint8_t *expected)
{
    uint8_t received[MAX_MAC_SIZE];
    uint32_t good;
    const size_t fragment = size - MAC_SIZE - padding_size(plain, size, MAC_SIZE, &good);
    const size_t spare = hash_blocks(size - MAC_SIZE - 1) - hash_blocks(fragment);

    fetch_mac(plain, size, fragment, MAC_SIZE, received);
    good &= mask_equal((uint32_t)CRYPTO_memcmp(expected, received, MAC_SIZE), 0);
    return good ^ (uint32_t)spare;
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = { 32, 48, 256, SIZE };
    uint8_t plain[SIZE], expected[MAC_SIZE];
    uint32_t sum = 0;

    memset(plain, 15, sizeof(plain));
    memset(expected, 15, sizeof(expected));
    if (RUNNING_ON_VALGRIND == 0) {
        fprintf(stderr, "has to run under valgrind\n");
        return 1;
    }
    (void)VALGRIND_MAKE_MEM_UNDEFINED(plain, sizeof(plain));
    (void)VALGRIND_MAKE_MEM_UNDEFINED(expected, sizeof(expected));
    if (argc > 1 && strcmp(argv[1], "branching") == 0)
        sum = read_branching(plain);
    for (size_t n = 0; argc == 1 && n < sizeof(sizes) / sizeof(sizes[0]); n++)
        sum += read_secretly(plain, sizes[n], expected);
    (void)VALGRIND_MAKE_MEM_DEFINED(&sum, sizeof(sum));
    printf("%u\n", sum);
    return 0;
}
