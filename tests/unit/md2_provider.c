/* MD2 (RFC 1319) as a provider: see md2_provider.h. */
#include "md2_provider.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#define SIZE   16
#define ROUNDS 18

/* A permutation that the digits of pi shuffle: RFC 1319 section 3.2. */
static const uint8_t pi_table[256] = {
    41,  46,  67,  201, 162, 216, 124, 1,   61,  54,  84,  161, 236, 240, 6,   19,  98,  167, 5,
    243, 192, 199, 115, 140, 152, 147, 43,  217, 188, 76,  130, 202, 30,  155, 87,  60,  253, 212,
    224, 22,  103, 66,  111, 24,  138, 23,  229, 18,  190, 78,  196, 214, 218, 158, 222, 73,  160,
    251, 245, 142, 187, 47,  238, 122, 169, 104, 121, 145, 21,  178, 7,   63,  148, 194, 16,  137,
    11,  34,  95,  33,  128, 127, 93,  154, 90,  144, 50,  39,  53,  62,  204, 231, 191, 247, 151,
    3,   255, 25,  48,  179, 72,  165, 181, 209, 215, 94,  146, 42,  172, 86,  170, 198, 79,  184,
    56,  210, 150, 164, 125, 182, 118, 252, 107, 226, 156, 116, 4,   241, 69,  157, 112, 89,  100,
    113, 135, 32,  134, 91,  207, 101, 230, 45,  168, 2,   27,  96,  37,  173, 174, 176, 185, 246,
    28,  70,  97,  105, 52,  64,  126, 15,  85,  71,  163, 35,  221, 81,  175, 58,  195, 92,  249,
    206, 186, 197, 234, 38,  44,  83,  13,  110, 133, 40,  132, 9,   211, 223, 205, 244, 65,  129,
    77,  82,  106, 220, 55,  200, 108, 193, 171, 250, 36,  225, 123, 8,   12,  189, 177, 74,  120,
    136, 149, 139, 227, 99,  232, 109, 233, 203, 213, 254, 59,  0,   29,  57,  242, 239, 183, 14,
    102, 88,  208, 228, 166, 119, 114, 248, 235, 117, 75,  10,  49,  68,  80,  180, 143, 237, 31,
    26,  219, 153, 141, 51,  159, 17,  131, 20,
};

struct md2 {
    uint8_t state[SIZE], checksum[SIZE], buffer[SIZE];
    size_t buffered;
};

static void compress(struct md2 *md2, const uint8_t *block)
{
    uint8_t x[3 * SIZE], t = 0;

    for (size_t n = 0; n < SIZE; n++) {
        x[n] = md2->state[n];
        x[SIZE + n] = block[n];
        x[2 * SIZE + n] = block[n] ^ md2->state[n];
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (size_t n = 0; n < sizeof(x); n++)
            t = x[n] ^= pi_table[t];
        t = (uint8_t)(t + round);
    }
    memcpy(md2->state, x, SIZE);
}

static void absorb(struct md2 *md2, const uint8_t *block)
{
    uint8_t last = md2->checksum[SIZE - 1];

    for (size_t n = 0; n < SIZE; n++)
        last = md2->checksum[n] ^= pi_table[block[n] ^ last];
    compress(md2, block);
}

/* ---- the digest ---- */

static void *md2_new(void *provctx)
{
    (void)provctx;
    return calloc(1, sizeof(struct md2));
}

static void md2_free(void *vmd2)
{
    free(vmd2);
}

static void *md2_dup(void *vmd2)
{
    struct md2 *copy = malloc(sizeof(*copy));

    if (copy != NULL)
        memcpy(copy, vmd2, sizeof(*copy));
    return copy;
}

static int md2_init(void *vmd2, const OSSL_PARAM params[])
{
    (void)params;
    memset(vmd2, 0, sizeof(struct md2));
    return 1;
}

static int md2_update(void *vmd2, const unsigned char *in, size_t size)
{
    struct md2 *md2 = vmd2;

    for (size_t n = 0; n < size; n++) {
        md2->buffer[md2->buffered++] = in[n];
        if (md2->buffered == SIZE) {
            absorb(md2, md2->buffer);
            md2->buffered = 0;
        }
    }
    return 1;
}

static int md2_final(void *vmd2, unsigned char *out, size_t *written, size_t room)
{
    struct md2 *md2 = vmd2;
    const size_t padding = SIZE - md2->buffered;

    if (room < SIZE)
        return 0;
    memset(md2->buffer + md2->buffered, (int)padding, padding);
    absorb(md2, md2->buffer);
    compress(md2, md2->checksum);
    memcpy(out, md2->state, SIZE);
    *written = SIZE;
    return 1;
}

static int md2_get_params(OSSL_PARAM params[])
{
    OSSL_PARAM *size = OSSL_PARAM_locate(params, OSSL_DIGEST_PARAM_SIZE);
    OSSL_PARAM *block = OSSL_PARAM_locate(params, OSSL_DIGEST_PARAM_BLOCK_SIZE);

    return (size == NULL || OSSL_PARAM_set_size_t(size, SIZE)) &&
           (block == NULL || OSSL_PARAM_set_size_t(block, SIZE));
}

static const OSSL_DISPATCH md2_functions[] = {
    { OSSL_FUNC_DIGEST_NEWCTX, (void (*)(void))md2_new },
    { OSSL_FUNC_DIGEST_FREECTX, (void (*)(void))md2_free },
    { OSSL_FUNC_DIGEST_DUPCTX, (void (*)(void))md2_dup },
    { OSSL_FUNC_DIGEST_INIT, (void (*)(void))md2_init },
    { OSSL_FUNC_DIGEST_UPDATE, (void (*)(void))md2_update },
    { OSSL_FUNC_DIGEST_FINAL, (void (*)(void))md2_final },
    { OSSL_FUNC_DIGEST_GET_PARAMS, (void (*)(void))md2_get_params },
    { 0, NULL },
};

/* ---- the provider ---- */

static const OSSL_ALGORITHM *md2_query(void *provctx, int operation_id, int *no_cache)
{
    static const OSSL_ALGORITHM digests[] = {
        { "MD2:1.2.840.113549.2.2", "provider=md2", md2_functions, NULL },
        { NULL, NULL, NULL, NULL },
    };

    (void)provctx;
    *no_cache = 0;
    return operation_id == OSSL_OP_DIGEST ? digests : NULL;
}

static const OSSL_DISPATCH provider_functions[] = {
    { OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))md2_query },
    { 0, NULL },
};

static int md2_provider_init(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in,
                             const OSSL_DISPATCH **out, void **provctx)
{
    (void)in;
    *out = provider_functions;
    *provctx = (void *)(uintptr_t)core;
    return 1;
}

OSSL_PROVIDER *md2_provider_load(OSSL_LIB_CTX *libctx)
{
    return OSSL_PROVIDER_add_builtin(libctx, "md2", md2_provider_init) == 1
               ? OSSL_PROVIDER_load(libctx, "md2")
               : NULL;
}
