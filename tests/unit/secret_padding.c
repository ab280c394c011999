/*
 * Reads an encryption block whose bytes valgrind's memcheck is told to be undefined.  Memcheck then
 * reports every branch and every address that depends on them, and CTest fails: what comes out of
 * RSA must not show in the time that it takes to look at it.
 *
 * With the argument "branching" the block is read by a loop that stops at the first zero: memcheck
 * must report that, or this test would see nothing.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <valgrind/memcheck.h>
#include "blob/encryption_block.h"
#include "primitive/constant_time.h"

#define BLOCK_SIZE 128
#define KEY_SIZE   48

static size_t read_branching(struct octets block)
{
    size_t n = 2;

    while (n < block.size && block.data[n] != 0)
        n++;
    return n;
}

/* What blob/simple does with a block, and with the answer about it: the key or a random one. */
static void read_secretly(struct octets block, size_t least, size_t most, uint8_t *key,
                          size_t *key_size)
{
    uint8_t found[KEY_SIZE], random[KEY_SIZE];
    size_t size, is_marked, good;

    memset(random, 0x77, sizeof(random));
    good = encryption_block_read(block, least, most, found, &size, &is_marked);
    good &= ~is_marked;
    ct_select_bytes(good, key, found, random, most);
    *key_size = ct_select(good, size, most);
}

int main(int argc, char **argv)
{
    static const struct {
        size_t least, most;
    } keys[] = { { 5, 16 }, { 5, 24 }, { 8, 8 }, { 48, 48 } };
    uint8_t block[BLOCK_SIZE], key[KEY_SIZE] = { 0 };
    size_t key_size = 0, sum = 0;

    memset(block, 0xaa, sizeof(block));
    block[0] = 0;
    block[1] = 2;
    block[BLOCK_SIZE - KEY_SIZE - 1] = 0;
    if (RUNNING_ON_VALGRIND == 0) {
        fprintf(stderr, "has to run under valgrind\n");
        return 1;
    }
    (void)VALGRIND_MAKE_MEM_UNDEFINED(block, sizeof(block));
    if (argc > 1 && strcmp(argv[1], "branching") == 0)
        sum = read_branching((struct octets){ block, sizeof(block) });
    for (size_t n = 0; argc == 1 && n < sizeof(keys) / sizeof(keys[0]); n++) {
        read_secretly((struct octets){ block, sizeof(block) }, keys[n].least, keys[n].most, key,
                      &key_size);
        (void)VALGRIND_MAKE_MEM_DEFINED(key, sizeof(key));
        (void)VALGRIND_MAKE_MEM_DEFINED(&key_size, sizeof(key_size));
        sum += key_size + key[0];
    }
    (void)VALGRIND_MAKE_MEM_DEFINED(&sum, sizeof(sum));
    printf("%zu\n", sum);
    return 0;
}
