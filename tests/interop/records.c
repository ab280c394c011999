/*
 * Record protection, see records.h.  What is encrypted stands in brackets:
 *
 *     PCT 1.0             header [ data, padding ] MAC         draft-benaloh-pct-00, section 4.2
 *     SSL 2.0             header [ MAC, data, padding ]        draft-hickman-netscape-ssl-00, 1.2
 *     SSL 3.0, stream     header [ data, MAC ]                 RFC 6101, section 5.2.3.1
 *              block      header [ data, MAC, padding, n ]     RFC 6101, section 5.2.3.2
 *     TLS 1.0             the same two                         RFC 2246, section 6.2.3
 *
 * In the older two the length of the padding is public: it stands in the header, and the MAC covers
 * data and padding.  In the newer two it stands in the last byte, encrypted, and the MAC does not
 * cover it.  An attacker who can send records and measure the answers must not learn where such a
 * record was wrong, or he decrypts (Vaudenay 2002; "Lucky Thirteen", AlFardan and Paterson 2013).
 * So in open_block the length of the padding is a secret until the MAC has verified.
 *
 * Independent of it are: the padding check, fetching the MAC out of the record, the comparison,
 * and the number of blocks that the hash compresses.  Not independent are some instructions inside
 * EVP_MAC_update and EVP_MAC_final, which copy a last partial block of that length: a few
 * cycles, where a compression is some hundred.  SSL 3.0 has no check of the padding's contents that
 * anything could save ("POODLE", 2014): keep it to where it cannot be avoided.
 */
#include "records.h"

#include <string.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <schannel/names.h>

#define KEY_HANDLE_SIZE 16
#define ALGORITHM_SIZE  32

/* SSL 3.0 and TLS 1.0 */
#define TYPED_HEADER_SIZE   5 /* type, version, length */
#define MAX_CIPHERTEXT      (RECORD_MAX_FRAGMENT + 2048)
#define MAX_TLS_PADDING     256 /* with the length byte */
#define HASH_BLOCK_SIZE     64  /* MD5 and SHA-1 */
#define HASH_TRAILER_SIZE   9   /* 0x80 and the bit count */
#define TLS_MAC_HEADER_SIZE 13  /* sequence, type, version and length before the data */
#define SSL_MAC_HEADER_SIZE 11  /* the same without version */
/* by how many blocks the longest and the shortest padding can differ */
#define MAX_SPARE_BLOCKS (MAX_TLS_PADDING / HASH_BLOCK_SIZE + 1)

/* PCT 1.0 and SSL 2.0 */
#define SHORT_HEADER_SIZE 2 /* 1 bit set, 15 bits of length */
#define LONG_HEADER_SIZE  3 /* 1 bit clear, 1 bit escape, 14 bits of length, padding length */
#define SHORT_HEADER_MAX  32767
#define LONG_HEADER_MAX   16383
#define SHORT_HEADER_FLAG 0x80
#define ESCAPE_FLAG       0x40

static const struct {
    const char *mac;
    unsigned version; /* in the header; 0: the header has none */
} protocols[RECORD_PROTOCOL_COUNT] = {
    [RECORD_PCT1] = { SCHANNEL_MAC_PCT1, 0 },
    [RECORD_SSL2] = { SCHANNEL_MAC_SSL2, 0 },
    [RECORD_SSL3] = { SCHANNEL_MAC_SSL3, 0x0300 },
    [RECORD_TLS1] = { SCHANNEL_MAC_TLS1, 0x0301 },
};

static int is_typed(enum record_protocol protocol)
{
    return protocols[protocol].version != 0;
}

/* ---- binding ---- */

static int get_handle(EVP_PKEY *key, uint8_t handle[KEY_HANDLE_SIZE])
{
    size_t size = 0;

    return EVP_PKEY_get_octet_string_param(key, SCHANNEL_PARAM_KEY_HANDLE, handle, KEY_HANDLE_SIZE,
                                           &size) &&
           size == KEY_HANDLE_SIZE;
}

/* Padding is off in a bound context: EVP_CipherUpdate gives as many bytes as it takes. */
static EVP_CIPHER_CTX *bind_cipher(OSSL_LIB_CTX *libctx, EVP_PKEY *key, int encrypt)
{
    uint8_t handle[KEY_HANDLE_SIZE];
    char algorithm[ALGORITHM_SIZE], name[ALGORITHM_SIZE + sizeof("SCHANNEL-")];
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_KEY_HANDLE, handle, sizeof(handle)),
        OSSL_PARAM_END,
    };
    EVP_CIPHER *cipher;
    EVP_CIPHER_CTX *ctx = NULL;

    if (!get_handle(key, handle) ||
        !EVP_PKEY_get_utf8_string_param(key, SCHANNEL_PARAM_ALG, algorithm, sizeof(algorithm),
                                        NULL))
        return NULL;
    OPENSSL_strlcpy(name, "SCHANNEL-", sizeof(name));
    OPENSSL_strlcat(name, algorithm, sizeof(name));
    cipher = EVP_CIPHER_fetch(libctx, name, SCHANNEL_PROPERTIES);
    if (cipher != NULL)
        ctx = EVP_CIPHER_CTX_new();
    if (ctx != NULL && !EVP_CipherInit_ex2(ctx, cipher, NULL, NULL, encrypt, params)) {
        EVP_CIPHER_CTX_free(ctx);
        ctx = NULL;
    }
    EVP_CIPHER_free(cipher);
    return ctx;
}

/* In record mode, where the provider puts sequence number and header before the data. */
static EVP_MAC_CTX *bind_mac(OSSL_LIB_CTX *libctx, enum record_protocol protocol, EVP_PKEY *key)
{
    uint8_t handle[KEY_HANDLE_SIZE];
    unsigned version = protocols[protocol].version;
    int record_mode = 1;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_KEY_HANDLE, handle, sizeof(handle)),
        OSSL_PARAM_construct_int(SCHANNEL_PARAM_RECORD_MODE, &record_mode),
        /* TLS 1.0 alone authenticates it, and alone takes it */
        protocol == RECORD_TLS1 ? OSSL_PARAM_construct_uint(SCHANNEL_PARAM_RECORD_VERSION, &version)
                                : OSSL_PARAM_construct_end(),
        OSSL_PARAM_END,
    };
    EVP_MAC *mac;
    EVP_MAC_CTX *ctx = NULL;

    if (!get_handle(key, handle))
        return NULL;
    mac = EVP_MAC_fetch(libctx, protocols[protocol].mac, SCHANNEL_PROPERTIES);
    if (mac != NULL)
        ctx = EVP_MAC_CTX_new(mac);
    if (ctx != NULL && !EVP_MAC_init(ctx, NULL, 0, params)) {
        EVP_MAC_CTX_free(ctx);
        ctx = NULL;
    }
    EVP_MAC_free(mac);
    return ctx;
}

int record_bind(struct record_direction *direction, OSSL_LIB_CTX *libctx,
                enum record_protocol protocol, EVP_PKEY *cipher_key, EVP_PKEY *mac_key, int encrypt)
{
    memset(direction, 0, sizeof(*direction));
    direction->protocol = protocol;
    direction->cipher = bind_cipher(libctx, cipher_key, encrypt);
    if (direction->cipher != NULL)
        direction->mac = bind_mac(libctx, protocol, protocol == RECORD_SSL2 ? cipher_key : mac_key);
    if (direction->mac != NULL) {
        direction->block_size = (size_t)EVP_CIPHER_CTX_get_block_size(direction->cipher);
        direction->mac_size = EVP_MAC_CTX_get_mac_size(direction->mac);
        direction->digest =
            EVP_MD_fetch(libctx, direction->mac_size == RECORD_MAX_MAC ? "SHA1" : "MD5", NULL);
    }
    if (direction->digest != NULL && direction->block_size <= RECORD_MAX_BLOCK &&
        direction->mac_size <= RECORD_MAX_MAC)
        return 1;
    record_release(direction);
    return 0;
}

void record_release(struct record_direction *direction)
{
    EVP_CIPHER_CTX_free(direction->cipher);
    EVP_MAC_CTX_free(direction->mac);
    EVP_MD_free(direction->digest);
    memset(direction, 0, sizeof(*direction));
}

int record_get_sequence(EVP_PKEY *key, uint64_t *sequence)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_uint64(SCHANNEL_PARAM_SEQUENCE, sequence),
        OSSL_PARAM_END,
    };

    return EVP_PKEY_get_params(key, params);
}

int record_set_sequence(EVP_PKEY *key, uint64_t sequence)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_uint64(SCHANNEL_PARAM_SEQUENCE, &sequence),
        OSSL_PARAM_END,
    };

    return EVP_PKEY_set_params(key, params);
}

/* ---- what all protocols share ---- */

/* En- or decrypts whole blocks in place, and moves the key's state on. */
static int run_cipher(struct record_direction *direction, uint8_t *data, size_t size)
{
    int written = 0;

    if (size == 0)
        return 1;
    return EVP_CipherUpdate(direction->cipher, data, &written, data, (int)size) &&
           (size_t)written == size;
}

/* The MAC of the next record, whose number the key counts. */
static int compute_mac(struct record_direction *direction, unsigned type, const uint8_t *data,
                       size_t size, uint8_t mac[RECORD_MAX_MAC])
{
    size_t written = 0;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_uint(SCHANNEL_PARAM_RECORD_TYPE, &type),
        OSSL_PARAM_construct_size_t(SCHANNEL_PARAM_RECORD_LENGTH, &size),
        OSSL_PARAM_END,
    };

    if (is_typed(direction->protocol) && !EVP_MAC_CTX_set_params(direction->mac, params))
        return 0;
    return EVP_MAC_update(direction->mac, data, size) &&
           EVP_MAC_final(direction->mac, mac, &written, RECORD_MAX_MAC) &&
           written == direction->mac_size;
}

/* Is |received| the MAC of the next record?  Takes as long whatever the answer is. */
static enum record_result check_mac(struct record_direction *direction, unsigned type,
                                    const uint8_t *data, size_t size, const uint8_t *received)
{
    uint8_t expected[RECORD_MAX_MAC];
    enum record_result result = RECORD_FAILED;

    if (compute_mac(direction, type, data, size, expected))
        result =
            CRYPTO_memcmp(expected, received, direction->mac_size) == 0 ? RECORD_OK : RECORD_BAD;
    OPENSSL_cleanse(expected, sizeof(expected));
    return result;
}

/* How many bytes bring |size| up to whole blocks. */
static size_t missing_to_block(const struct record_direction *direction, size_t size)
{
    return (direction->block_size - size % direction->block_size) % direction->block_size;
}

/* ---- headers ---- */

/* A header that was read. */
struct header {
    unsigned type;
    size_t size;      /* of the header itself */
    size_t body_size; /* of what follows */
    size_t padding;   /* PCT 1.0 and SSL 2.0 */
};

static int read_typed_header(enum record_protocol protocol, const uint8_t *record,
                             struct header *header)
{
    header->type = record[0];
    header->size = TYPED_HEADER_SIZE;
    header->body_size = (size_t)record[3] << 8 | record[4];
    return ((unsigned)record[1] << 8 | record[2]) == protocols[protocol].version &&
           header->body_size <= MAX_CIPHERTEXT;
}

static int read_untyped_header(const uint8_t *record, struct header *header)
{
    const int is_short = (record[0] & SHORT_HEADER_FLAG) != 0;

    header->type = RECORD_NO_TYPE;
    header->size = is_short ? SHORT_HEADER_SIZE : LONG_HEADER_SIZE;
    header->body_size = (size_t)(record[0] & (is_short ? 0x7f : 0x3f)) << 8 | record[1];
    header->padding = is_short ? 0 : record[2];
    return is_short || (record[0] & ESCAPE_FLAG) == 0;
}

size_t record_whole_size(enum record_protocol protocol, const uint8_t *start, size_t size)
{
    struct header header;

    if (size < (size_t)(is_typed(protocol) ? TYPED_HEADER_SIZE : LONG_HEADER_SIZE))
        return 0;
    if (is_typed(protocol))
        read_typed_header(protocol, start, &header);
    else
        read_untyped_header(start, &header);
    return header.size + header.body_size;
}

static void write_typed_header(uint8_t *record, unsigned version, unsigned type, size_t body_size)
{
    record[0] = (uint8_t)type;
    record[1] = (uint8_t)(version >> 8);
    record[2] = (uint8_t)version;
    record[3] = (uint8_t)(body_size >> 8);
    record[4] = (uint8_t)body_size;
}

/* Without padding the short header, which has room for a greater length. */
static void write_untyped_header(uint8_t *record, size_t body_size, size_t padding)
{
    record[0] = (uint8_t)(body_size >> 8);
    record[1] = (uint8_t)body_size;
    if (padding == 0)
        record[0] |= SHORT_HEADER_FLAG;
    else
        record[2] = (uint8_t)padding;
}

/* ---- PCT 1.0 ---- */

static enum record_result open_pct1(struct record_direction *direction, uint8_t *body,
                                    const struct header *header, struct record_content *content)
{
    const size_t size = header->body_size - direction->mac_size; /* of data and padding */

    if (header->body_size < direction->mac_size + header->padding ||
        size % direction->block_size != 0)
        return RECORD_BAD;
    content->data = body;
    content->size = size - header->padding;
    if (!run_cipher(direction, body, size))
        return RECORD_FAILED;
    return check_mac(direction, 0, body, size, body + size);
}

static int seal_pct1(struct record_direction *direction, const uint8_t *data, size_t size,
                     uint8_t *record, size_t *record_size)
{
    const size_t padding = missing_to_block(direction, size);
    const size_t header_size = padding == 0 ? SHORT_HEADER_SIZE : LONG_HEADER_SIZE;
    const size_t body_size = size + padding + direction->mac_size;
    uint8_t *body = record + header_size;

    write_untyped_header(record, body_size, padding);
    if (size > 0)
        memcpy(body, data, size);
    memset(body + size, 0, padding);
    *record_size = header_size + body_size;
    return compute_mac(direction, 0, body, size + padding, body + size + padding) &&
           run_cipher(direction, body, size + padding);
}

/* ---- SSL 2.0 ---- */

static enum record_result open_ssl2(struct record_direction *direction, uint8_t *body,
                                    const struct header *header, struct record_content *content)
{
    const size_t size = header->body_size - direction->mac_size; /* of data and padding */

    if (header->body_size < direction->mac_size + header->padding ||
        header->body_size % direction->block_size != 0)
        return RECORD_BAD;
    content->data = body + direction->mac_size;
    content->size = size - header->padding;
    if (!run_cipher(direction, body, header->body_size))
        return RECORD_FAILED;
    return check_mac(direction, 0, content->data, size, body);
}

static int seal_ssl2(struct record_direction *direction, const uint8_t *data, size_t size,
                     uint8_t *record, size_t *record_size)
{
    const size_t padding = missing_to_block(direction, direction->mac_size + size);
    const size_t header_size = padding == 0 ? SHORT_HEADER_SIZE : LONG_HEADER_SIZE;
    const size_t body_size = direction->mac_size + size + padding;
    uint8_t *body = record + header_size, *plain = body + direction->mac_size;

    write_untyped_header(record, body_size, padding);
    if (size > 0)
        memcpy(plain, data, size);
    memset(plain + size, 0, padding);
    *record_size = header_size + body_size;
    return compute_mac(direction, 0, plain, size + padding, body) &&
           run_cipher(direction, body, body_size);
}

/* ---- SSL 3.0 and TLS 1.0: a secret length of padding ---- */

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

/* How many bytes the longest padding of the protocol has, the length byte counted. */
static size_t longest_padding(const struct record_direction *direction)
{
    return direction->protocol == RECORD_TLS1 ? MAX_TLS_PADDING : direction->block_size;
}

/* TLS 1.0: do the |length| bytes before the last of |plain| all have its value?  0 or not. */
static uint32_t padding_differs(const uint8_t *plain, size_t size, uint32_t length)
{
    uint32_t i, most = MAX_TLS_PADDING, wrong = 0;

    if (size < most)
        most = (uint32_t)size;
    for (i = 1; i < most; i++)
        wrong |= ~mask_less(length, i) & (plain[size - 1 - i] ^ length);
    return wrong;
}

/*
 * How many bytes of padding the |size| bytes of |plain| end with, the length byte counted.  When
 * they are wrong it is 1, as if only the length byte were padding, and |*good| zero instead of all
 * ones: the MAC is then computed all the same, and fails.
 */
static uint32_t padding_size(const struct record_direction *direction, const uint8_t *plain,
                             size_t size, uint32_t *good)
{
    const uint32_t length = plain[size - 1];
    const uint32_t room = (uint32_t)(size - direction->mac_size);

    *good = mask_less(length, room);
    if (direction->protocol == RECORD_TLS1)
        *good &= mask_equal(padding_differs(plain, size, length), 0);
    else /* SSL 3.0: any contents, but less than a block */
        *good &= mask_less(length, (uint32_t)direction->block_size);
    return 1 + (length & *good);
}

/* Copies the MAC that starts at the secret place |start|, reading every place where it can be. */
static void fetch_mac(const struct record_direction *direction, const uint8_t *plain, size_t size,
                      size_t start, uint8_t mac[RECORD_MAX_MAC])
{
    const size_t longest = longest_padding(direction) + direction->mac_size;
    const size_t first = size > longest ? size - longest : 0;
    size_t i, j;

    memset(mac, 0, RECORD_MAX_MAC);
    for (i = first; i < size; i++)
        for (j = 0; j < direction->mac_size; j++)
            mac[j] |= (uint8_t)(plain[i] & mask_equal((uint32_t)i, (uint32_t)(start + j)));
}

/*
 * How many blocks the MAC's inner hash compresses for |size| bytes of data.  Before them HMAC hashes
 * one block of key, SSL 3.0 the secret and as many whole bytes of pad as 48 (MD5) or 40 (SHA-1).
 */
static size_t hash_blocks(const struct record_direction *direction, size_t size)
{
    size_t before = HASH_BLOCK_SIZE + TLS_MAC_HEADER_SIZE;

    if (direction->protocol == RECORD_SSL3)
        before = direction->mac_size + (direction->mac_size == RECORD_MAX_MAC ? 40 : 48) +
                 SSL_MAC_HEADER_SIZE;
    return (before + size + HASH_TRAILER_SIZE + HASH_BLOCK_SIZE - 1) / HASH_BLOCK_SIZE;
}

/* Compresses as many blocks as the MAC would have taken more, had the padding been shortest. */
static int spend_spare_blocks(const struct record_direction *direction, size_t size,
                              size_t longest_size)
{
    static const uint8_t zeros[MAX_SPARE_BLOCKS * HASH_BLOCK_SIZE];
    const size_t spare = hash_blocks(direction, longest_size) - hash_blocks(direction, size);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const int ok = ctx != NULL && EVP_DigestInit_ex(ctx, direction->digest, NULL) &&
                   EVP_DigestUpdate(ctx, zeros, spare * HASH_BLOCK_SIZE);

    EVP_MD_CTX_free(ctx);
    return ok;
}

/* What a block cipher decrypted: checks padding and MAC as one. */
static enum record_result verify_block(struct record_direction *direction, unsigned type,
                                       uint8_t *plain, size_t size, struct record_content *content)
{
    const size_t longest = size - direction->mac_size - 1;
    uint8_t expected[RECORD_MAX_MAC], received[RECORD_MAX_MAC];
    uint32_t good;
    const size_t data_size =
        size - direction->mac_size - padding_size(direction, plain, size, &good);
    enum record_result result = RECORD_FAILED;

    if (compute_mac(direction, type, plain, data_size, expected) &&
        spend_spare_blocks(direction, data_size, longest)) {
        fetch_mac(direction, plain, size, data_size, received);
        good &= mask_equal((uint32_t)CRYPTO_memcmp(expected, received, direction->mac_size), 0);
        content->data = plain;
        content->size = data_size;
        result = good != 0 ? RECORD_OK : RECORD_BAD;
    }
    OPENSSL_cleanse(expected, sizeof(expected));
    OPENSSL_cleanse(received, sizeof(received));
    return result;
}

static enum record_result open_typed(struct record_direction *direction, uint8_t *body,
                                     const struct header *header, struct record_content *content)
{
    const size_t size = header->body_size;
    const int has_padding = direction->block_size > 1;
    enum record_result result;

    /* lengths are public: a record that cannot hold a MAC needs no hiding */
    if (size % direction->block_size != 0 || size < direction->mac_size + (has_padding ? 1 : 0))
        return RECORD_BAD;
    if (!run_cipher(direction, body, size))
        return RECORD_FAILED;
    if (has_padding) {
        result = verify_block(direction, header->type, body, size, content);
    } else {
        content->data = body;
        content->size = size - direction->mac_size;
        result = check_mac(direction, header->type, body, content->size, body + content->size);
    }
    return result == RECORD_OK && content->size > RECORD_MAX_FRAGMENT ? RECORD_BAD : result;
}

static int seal_typed(struct record_direction *direction, enum record_type type,
                      const uint8_t *data, size_t size, uint8_t *record, size_t *record_size)
{
    uint8_t *body = record + TYPED_HEADER_SIZE;
    size_t body_size = size + direction->mac_size, padding = 0;

    if (direction->block_size > 1) /* the length byte is there in any case */
        padding = 1 + missing_to_block(direction, body_size + 1);
    if (size > 0)
        memcpy(body, data, size);
    if (!compute_mac(direction, type, body, size, body + size))
        return 0;
    /* TLS 1.0 asks for this value in every byte of padding, SSL 3.0 in the last */
    if (padding > 0)
        memset(body + body_size, (int)(padding - 1), padding);
    body_size += padding;
    write_typed_header(record, protocols[direction->protocol].version, type, body_size);
    *record_size = TYPED_HEADER_SIZE + body_size;
    return run_cipher(direction, body, body_size);
}

/* ---- any protocol ---- */

static enum record_result open_body(struct record_direction *direction, uint8_t *record,
                                    const struct header *header, struct record_content *content)
{
    uint8_t *body = record + header->size;

    content->type = (enum record_type)header->type;
    if (is_typed(direction->protocol))
        return open_typed(direction, body, header, content);
    /* a shorter padding fills the block; RC4 has none to fill */
    if (header->padding >= direction->block_size)
        return RECORD_BAD;
    return direction->protocol == RECORD_PCT1 ? open_pct1(direction, body, header, content)
                                              : open_ssl2(direction, body, header, content);
}

enum record_result record_open(struct record_direction *direction, uint8_t *record, size_t size,
                               struct record_content *content)
{
    struct header header = { 0 };
    enum record_result result = RECORD_BAD;
    int fits = size > 0 && size <= RECORD_MAX_SIZE &&
               size == record_whole_size(direction->protocol, record, size);

    if (fits)
        fits = is_typed(direction->protocol)
                   ? read_typed_header(direction->protocol, record, &header)
                   : read_untyped_header(record, &header);
    memset(content, 0, sizeof(*content));
    if (!direction->has_failed && fits)
        result = open_body(direction, record, &header, content);
    if (result != RECORD_OK) {
        direction->has_failed = 1;
        OPENSSL_cleanse(record, size);
        memset(content, 0, sizeof(*content));
    }
    return result;
}

int record_fits(const struct record_direction *direction, size_t size)
{
    const size_t covered = direction->protocol == RECORD_SSL2 ? direction->mac_size + size : size;
    const size_t padding = missing_to_block(direction, covered);

    if (is_typed(direction->protocol))
        return size <= RECORD_MAX_FRAGMENT;
    return size <= SHORT_HEADER_MAX &&
           size + padding + direction->mac_size <=
               (size_t)(padding == 0 ? SHORT_HEADER_MAX : LONG_HEADER_MAX);
}

int record_seal(struct record_direction *direction, enum record_type type, const void *data,
                size_t size, uint8_t *record, size_t *record_size)
{
    int ok;

    if (direction->has_failed || !record_fits(direction, size))
        return 0;
    if (direction->protocol == RECORD_PCT1)
        ok = seal_pct1(direction, data, size, record, record_size);
    else if (direction->protocol == RECORD_SSL2)
        ok = seal_ssl2(direction, data, size, record, record_size);
    else
        ok = seal_typed(direction, type, data, size, record, record_size);
    if (ok)
        return 1;
    direction->has_failed = 1;
    OPENSSL_cleanse(record, RECORD_MAX_SIZE);
    return 0;
}
