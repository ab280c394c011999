/* The physical limit of a derivation: see limit.h. */
#include "limit.h"

#include <stdio.h>
#include <openssl/crypto.h>
#include "material.h"
#include "timing.h"

#define BLOCK_SIZE 64
#define MD5_SIZE   16
#define SHA1_SIZE  20

/* A message of |size| bytes with its padding: one byte and a length of eight. */
static unsigned blocks(size_t size)
{
    return (unsigned)((size + 1 + 8 + BLOCK_SIZE - 1) / BLOCK_SIZE);
}

/* HMAC with both key blocks done: the message behind one of them, the inner digest behind the other. */
static unsigned hmac_blocks(size_t size)
{
    return blocks(size) + 1;
}

/* P_hash of RFC 2246 section 5: A(1) of the seed, the other A of one another, a block from each. */
static unsigned p_hash(size_t hash_size, size_t seed_size, size_t size)
{
    const unsigned steps = (unsigned)((size + hash_size - 1) / hash_size);

    return hmac_blocks(seed_size) + (steps - 1) * hmac_blocks(hash_size) +
           steps * hmac_blocks(hash_size + seed_size);
}

struct compressions tls1_compressions(size_t size)
{
    const size_t seed_size = 13 + 2 * RANDOM_SIZE; /* "key expansion" */

    return (struct compressions){ p_hash(MD5_SIZE, seed_size, size),
                                  p_hash(SHA1_SIZE, seed_size, size) };
}

/* RFC 6101 section 6.2.2 */
struct compressions ssl3_compressions(size_t size)
{
    struct compressions needed = { 0, 0 };

    for (size_t n = 0; MD5_SIZE * n < size; n++) {
        needed.sha1 += blocks(n + 1 + MASTER_SIZE + 2 * RANDOM_SIZE);
        needed.md5 += blocks(MASTER_SIZE + SHA1_SIZE);
    }
    return needed;
}

/* ---- what one costs ---- */

struct hashing {
    EVP_MD_CTX *context;
    unsigned char *data;
};

static void *open_hashing(const struct job *job)
{
    EVP_MD *digest = EVP_MD_fetch(NULL, job->digest, NULL);
    struct hashing *hashing = OPENSSL_zalloc(sizeof(*hashing));

    if (digest == NULL || hashing == NULL || (hashing->context = EVP_MD_CTX_new()) == NULL ||
        !EVP_DigestInit_ex2(hashing->context, digest, NULL))
        die(job->digest);
    EVP_MD_free(digest);
    hashing->data = make_data();
    return hashing;
}

static void run_hashing(void *state, size_t count)
{
    struct hashing *hashing = state;

    for (; count != 0; count--) {
        if (!EVP_DigestUpdate(hashing->context, hashing->data, MAX_DATA))
            die("hashing");
    }
}

static void close_hashing(void *state)
{
    struct hashing *hashing = state;

    EVP_MD_CTX_free(hashing->context);
    OPENSSL_free(hashing->data);
    OPENSSL_free(hashing);
}

static double compression_seconds(const char *digest)
{
    const struct job job = { digest, open_hashing, run_hashing, close_hashing, NULL, digest, 0, 0 };

    return measure(&job) / (MAX_DATA / BLOCK_SIZE);
}

void print_limit(struct compressions needed, double seconds)
{
    const double md5 = compression_seconds("MD5"), sha1 = compression_seconds("SHA1");
    const double limit = needed.md5 * md5 + needed.sha1 * sha1;

    printf("%-30s  %u of MD5 x %.0f ns + %u of SHA-1 x %.0f ns = %.2f us; ours takes %.2f times "
           "that\n",
           "  limit: its compressions", needed.md5, 1e9 * md5, needed.sha1, 1e9 * sha1, 1e6 * limit,
           seconds / limit);
    fflush(stdout);
}
