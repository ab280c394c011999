/*
 * TLS 1.0 record protection, see record_layer.h.
 *
 *     struct {
 *         opaque fragment[length];
 *         opaque MAC[mac_size];        -- HMAC(sequence, type, version, length, fragment)
 *         uint8 padding[padding_length];  -- each byte is padding_length
 *         uint8 padding_length;
 *     } GenericBlockCipher;            -- encrypted, chained from record to record
 *
 * An attacker who can send records and measure the answers must not learn where a forged record
 * was wrong, or he decrypts (Vaudenay 2002; "Lucky Thirteen", AlFardan and Paterson 2013).  So in
 * record_open the length of the padding is a secret until the MAC has verified.
 *
 * Independent of it are: the padding check, fetching the MAC out of the record, the comparison,
 * and the number of blocks that the hash compresses.  Not independent are some instructions inside
 * EVP_MAC_update and EVP_MAC_final, which copy a last partial block of that length: a few
 * cycles, where a compression is some hundred.  A suite with encrypt-then-MAC has no such
 * remainder.
 */
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <schannel/names.h>
#include "keys.h"
#include "record_layer.h"

#define MAX_MAC_SIZE     20
#define MAX_BLOCK_SIZE   16
#define MAX_PADDING_SIZE 256 /* with the length byte */
#define HASH_BLOCK_SIZE  64  /* MD5 and SHA-1 */
/* sequence, type, version and length before the fragment; 0x80 and the bit count behind it */
#define MAC_HEADER_SIZE   13
#define HASH_TRAILER_SIZE 9
/* by how many blocks the longest and the shortest padding can differ */
#define MAX_SPARE_BLOCKS (MAX_PADDING_SIZE / HASH_BLOCK_SIZE + 1)

/* Compilers may turn arithmetic on a known 0 or 1 into a branch; they know nothing of this value. */
static uint32_t hidden(uint32_t value)
{
    volatile uint32_t barrier = value;

    return barrier;
}

/* All ones when a < b, else zero.  Both below 2^31.  Hidden before as well: of a number that it knows
 * to be small, gcc takes the sign of 0 - a for a test of a, and branches on it. */
static uint32_t mask_less(uint32_t a, uint32_t b)
{
    return 0 - hidden((hidden(a) - hidden(b)) >> 31);
}

static uint32_t mask_equal(uint32_t a, uint32_t b)
{
    return ~(mask_less(a, b) | mask_less(b, a));
}

static EVP_CIPHER_CTX *bind_cipher(EVP_PKEY *key, int encrypt)
{
    uint8_t handle[KEY_HANDLE_SIZE];
    char algorithm[KEY_TEXT_SIZE], name[KEY_TEXT_SIZE + sizeof("SCHANNEL-")];
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_KEY_HANDLE, handle, sizeof(handle)),
        OSSL_PARAM_END,
    };
    EVP_CIPHER *cipher = NULL;
    EVP_CIPHER_CTX *ctx = NULL;

    if (!keys_get_handle(key, handle) || !keys_get_text(key, SCHANNEL_PARAM_ALG, algorithm))
        return NULL;
    OPENSSL_strlcpy(name, "SCHANNEL-", sizeof(name));
    OPENSSL_strlcat(name, algorithm, sizeof(name));
    cipher = EVP_CIPHER_fetch(NULL, name, SCHANNEL_PROPERTIES);
    if (cipher != NULL)
        ctx = EVP_CIPHER_CTX_new();
    if (ctx != NULL && !EVP_CipherInit_ex2(ctx, cipher, NULL, NULL, encrypt, params)) {
        EVP_CIPHER_CTX_free(ctx);
        ctx = NULL;
    }
    EVP_CIPHER_free(cipher);
    return ctx;
}

static EVP_MAC_CTX *bind_mac(EVP_PKEY *key)
{
    uint8_t handle[KEY_HANDLE_SIZE];
    unsigned version = TLS_RECORD_VERSION, type = TLS_APPLICATION_DATA;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_KEY_HANDLE, handle, sizeof(handle)),
        OSSL_PARAM_construct_uint(SCHANNEL_PARAM_RECORD_TYPE, &type),
        OSSL_PARAM_construct_uint(SCHANNEL_PARAM_RECORD_VERSION, &version),
        OSSL_PARAM_END,
    };
    EVP_MAC *mac;
    EVP_MAC_CTX *ctx = NULL;

    if (!keys_get_handle(key, handle))
        return NULL;
    mac = EVP_MAC_fetch(NULL, SCHANNEL_MAC_TLS1, SCHANNEL_PROPERTIES);
    if (mac != NULL)
        ctx = EVP_MAC_CTX_new(mac);
    if (ctx != NULL && !EVP_MAC_init(ctx, NULL, 0, params)) {
        EVP_MAC_CTX_free(ctx);
        ctx = NULL;
    }
    EVP_MAC_free(mac);
    return ctx;
}

int record_bind(struct record_direction *direction, EVP_PKEY *cipher_key, EVP_PKEY *mac_key,
                int encrypt)
{
    memset(direction, 0, sizeof(*direction));
    direction->cipher = bind_cipher(cipher_key, encrypt);
    if (direction->cipher != NULL)
        direction->mac = bind_mac(mac_key);
    if (direction->mac != NULL) {
        direction->block_size = (size_t)EVP_CIPHER_CTX_get_block_size(direction->cipher);
        direction->mac_size = EVP_MAC_CTX_get_mac_size(direction->mac);
    }
    if (direction->block_size > 1 && direction->block_size <= MAX_BLOCK_SIZE &&
        direction->mac_size > 0 && direction->mac_size <= MAX_MAC_SIZE)
        return 1;
    record_release(direction);
    return 0;
}

void record_release(struct record_direction *direction)
{
    EVP_CIPHER_CTX_free(direction->cipher);
    EVP_MAC_CTX_free(direction->mac);
    memset(direction, 0, sizeof(*direction));
}

/* The MAC of the next record.  The provider adds sequence number and header. */
static int compute_mac(struct record_direction *direction, unsigned type, const uint8_t *fragment,
                       size_t size, uint8_t mac[MAX_MAC_SIZE])
{
    size_t written = 0;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_uint(SCHANNEL_PARAM_RECORD_TYPE, &type),
        OSSL_PARAM_construct_size_t(SCHANNEL_PARAM_RECORD_LENGTH, &size),
        OSSL_PARAM_END,
    };

    return EVP_MAC_CTX_set_params(direction->mac, params) &&
           EVP_MAC_update(direction->mac, fragment, size) &&
           EVP_MAC_final(direction->mac, mac, &written, MAX_MAC_SIZE) &&
           written == direction->mac_size;
}

/*
 * How many bytes of padding the |size| bytes of |plain| end with, the length byte counted.  When
 * they are wrong it is 1, as if only the length byte were padding, and |*good| zero instead of all
 * ones: the MAC is then computed all the same, and fails.
 */
static uint32_t padding_size(const uint8_t *plain, size_t size, size_t mac_size, uint32_t *good)
{
    const uint32_t length = plain[size - 1];
    const uint32_t room = (uint32_t)(size - mac_size);
    uint32_t i, most = MAX_PADDING_SIZE, wrong = 0;

    if (size < most)
        most = (uint32_t)size;
    for (i = 1; i < most; i++)
        wrong |= ~mask_less(length, i) & (plain[size - 1 - i] ^ length);
    *good = mask_less(length, room) & mask_equal(wrong, 0);
    return 1 + (length & *good);
}

/* Copies the MAC that starts at the secret place |start|, reading every place where it can be. */
static void fetch_mac(const uint8_t *plain, size_t size, size_t start, size_t mac_size,
                      uint8_t mac[MAX_MAC_SIZE])
{
    const size_t longest = MAX_PADDING_SIZE + mac_size;
    const size_t first = size > longest ? size - longest : 0;
    size_t i, j;

    memset(mac, 0, MAX_MAC_SIZE);
    for (i = first; i < size; i++)
        for (j = 0; j < mac_size; j++)
            mac[j] |= (uint8_t)(plain[i] & mask_equal((uint32_t)i, (uint32_t)(start + j)));
}

/* How many blocks HMAC's inner hash compresses for a fragment of |size| bytes. */
static size_t hash_blocks(size_t size)
{
    return (MAC_HEADER_SIZE + size + HASH_TRAILER_SIZE + HASH_BLOCK_SIZE - 1) / HASH_BLOCK_SIZE;
}

/* Compresses as many blocks as the MAC would have taken more, had the padding been shortest. */
static int spend_spare_blocks(size_t size, size_t longest_size)
{
    static const uint8_t zeros[MAX_SPARE_BLOCKS * HASH_BLOCK_SIZE];
    const size_t spare = hash_blocks(longest_size) - hash_blocks(size);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const int ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha1(), NULL) &&
                   EVP_DigestUpdate(ctx, zeros, spare * HASH_BLOCK_SIZE);

    EVP_MD_CTX_free(ctx);
    return ok;
}

/* What the ciphertext decrypted to: checks padding and MAC as one. */
static enum record_result verify(struct record_direction *direction, unsigned type,
                                 const uint8_t *plain, size_t size, size_t *length)
{
    const size_t longest = size - direction->mac_size - 1;
    uint8_t expected[MAX_MAC_SIZE], received[MAX_MAC_SIZE];
    uint32_t good;
    const size_t fragment =
        size - direction->mac_size - padding_size(plain, size, direction->mac_size, &good);
    enum record_result result = RECORD_FAILED;

    if (compute_mac(direction, type, plain, fragment, expected) &&
        spend_spare_blocks(fragment, longest)) {
        fetch_mac(plain, size, fragment, direction->mac_size, received);
        good &= mask_equal((uint32_t)CRYPTO_memcmp(expected, received, direction->mac_size), 0);
        *length = fragment;
        result = good != 0 ? RECORD_OK : RECORD_BAD;
    }
    OPENSSL_cleanse(expected, sizeof(expected));
    OPENSSL_cleanse(received, sizeof(received));
    return result;
}

enum record_result record_open(struct record_direction *direction, uint8_t *record, size_t size,
                               size_t *length)
{
    uint8_t *body = record + TLS_RECORD_HEADER_SIZE;
    size_t body_size = 0;
    int written = 0;
    enum record_result result = RECORD_FAILED;

    /* lengths are public: a record that cannot hold a MAC needs no hiding */
    if (size > TLS_RECORD_HEADER_SIZE && size <= TLS_MAX_RECORD)
        body_size = size - TLS_RECORD_HEADER_SIZE;
    if (body_size % direction->block_size != 0 || body_size < direction->mac_size + 1)
        return RECORD_BAD;
    if (EVP_CipherUpdate(direction->cipher, body, &written, body, (int)body_size) &&
        (size_t)written == body_size)
        result = verify(direction, record[0], body, body_size, length);
    if (result != RECORD_OK)
        OPENSSL_cleanse(body, body_size);
    return result;
}

static void write_header(uint8_t *record, enum tls_content_type type, size_t body_size)
{
    record[0] = (uint8_t)type;
    record[1] = TLS_RECORD_VERSION >> 8;
    record[2] = TLS_RECORD_VERSION & 0xff;
    record[3] = (uint8_t)(body_size >> 8);
    record[4] = (uint8_t)body_size;
}

int record_seal(struct record_direction *direction, enum tls_content_type type,
                const void *fragment, size_t size, uint8_t *record, size_t *record_size)
{
    uint8_t *body = record + TLS_RECORD_HEADER_SIZE;
    const size_t content = size + direction->mac_size;
    size_t body_size, padding;
    int written = 0;

    if (size > TLS_MAX_FRAGMENT)
        return 0;
    padding = direction->block_size - content % direction->block_size;
    body_size = content + padding;
    if (size > 0)
        memcpy(body, fragment, size);
    if (!compute_mac(direction, type, body, size, body + size))
        return 0;
    memset(body + content, (int)(padding - 1), padding);
    if (!EVP_CipherUpdate(direction->cipher, body, &written, body, (int)body_size) ||
        (size_t)written != body_size) {
        OPENSSL_cleanse(body, body_size);
        return 0;
    }
    write_header(record, type, body_size);
    *record_size = TLS_RECORD_HEADER_SIZE + body_size;
    return 1;
}
