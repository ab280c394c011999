/* Records made by stock OpenSSL, see reference.h. */
#include "fixture.h"
#include "reference.h"

#include <openssl/kdf.h>

#define STOCK        "provider!=schannel"
#define MAX_PARAMS   12
#define MASTER_SIZE  48
#define CLEAR_SIZE   11
#define SHORT_SECRET 5 /* SSL 2.0: the secret part of an export master */
#define CERTIFICATE  "the certificate of SERVER_HELLO"
#define MAX_HASHED   (RECORD_MAX_SIZE + 128)

#define OLD          (1u << RECORD_PCT1 | 1u << RECORD_SSL2)
#define NEW          (1u << RECORD_SSL3 | 1u << RECORD_TLS1)

/* Each cipher in each form that it has in some protocol. */
static const struct {
    const char *cipher;
    unsigned bits;
    int is_export;
    unsigned protocols;
} forms[] = {
    { "RC4", 128, 0, OLD | NEW },
    { "RC4", 40, 0, OLD },
    { "RC4", 40, 1, NEW },
    { "RC4", 56, 1, NEW },
    { "RC2-CBC", 128, 0, OLD | NEW },
    { "RC2-CBC", 40, 0, OLD },
    { "RC2-CBC", 40, 1, NEW },
    { "RC2-CBC", 56, 1, NEW },
    { "DES-CBC", 64, 0, OLD | NEW },
    { "DES-CBC", 40, 0, 1u << RECORD_PCT1 },
    { "DES-CBC", 40, 1, NEW },
    { "DES-CBC", 64, 1, NEW },
    { "DES-EDE-CBC", 128, 0, 1u << RECORD_PCT1 | NEW },
    { "DES-EDE3-CBC", 192, 0, OLD | NEW },
    { "AES-128-CBC", 128, 0, NEW },
    { "AES-192-CBC", 192, 0, NEW },
    { "AES-256-CBC", 256, 0, NEW },
};

#define FORMS (sizeof(forms) / sizeof(forms[0]))

static const struct {
    const char *name, *master, *kdf;
    size_t master_size, random_size, digests;
} protocols[RECORD_PROTOCOL_COUNT] = {
    [RECORD_PCT1] = { "PCT 1.0", SCHANNEL_ALG_PCT1_MASTER, SCHANNEL_KDF_PCT1, 16, 32, 2 },
    [RECORD_SSL2] = { "SSL 2.0", SCHANNEL_ALG_SSL2_MASTER, SCHANNEL_KDF_SSL2, 16, 16, 1 },
    [RECORD_SSL3] = { "SSL 3.0", SCHANNEL_ALG_SSL3_MASTER, SCHANNEL_KDF_SSL3, 48, 32, 2 },
    [RECORD_TLS1] = { "TLS 1.0", SCHANNEL_ALG_TLS1_MASTER, SCHANNEL_KDF_TLS1, 48, 32, 2 },
};

/* ---- suites ---- */

/* Steps through protocol, form and digest; 0 past the last. */
static int find_suite(size_t n, struct reference_suite *suite)
{
    static const char *const digests[] = { "MD5", "SHA1" };

    for (size_t protocol = 0; protocol < RECORD_PROTOCOL_COUNT; protocol++)
        for (size_t form = 0; form < FORMS; form++)
            for (size_t digest = 0; digest < protocols[protocol].digests; digest++) {
                if ((forms[form].protocols >> protocol & 1) == 0 || n-- != 0)
                    continue;
                *suite = (struct reference_suite){ (enum record_protocol)protocol,
                                                   forms[form].cipher, forms[form].bits,
                                                   digests[digest], forms[form].is_export };
                return 1;
            }
    return 0;
}

size_t reference_suite_count(void)
{
    struct reference_suite suite;
    size_t count = 0;

    while (find_suite(count, &suite))
        count++;
    return count;
}

struct reference_suite reference_suite_at(size_t n)
{
    struct reference_suite suite = { 0 };

    assert_true(find_suite(n, &suite));
    return suite;
}

const char *reference_suite_name(const struct reference_suite *suite)
{
    static char name[64];

    snprintf(name, sizeof(name), "%s %s %u%s %s", protocols[suite->protocol].name, suite->cipher,
             suite->cipher_bits, suite->is_export ? " export" : "", suite->digest);
    return name;
}

/* ---- masters and keys ---- */

static int is_old(const struct reference_suite *suite)
{
    return (OLD >> suite->protocol & 1) != 0;
}

static int has_clear_key(const struct reference_suite *suite)
{
    return is_old(suite) && suite->cipher_bits == 40;
}

static size_t master_size(const struct reference_suite *suite)
{
    if (suite->protocol != RECORD_SSL2)
        return protocols[suite->protocol].master_size;
    return has_clear_key(suite) ? SHORT_SECRET : suite->cipher_bits / 8;
}

/* The same for a master key object and for a KDF.  |integers| lives as long as the parameters. */
static void make_params(const struct reference_suite *suite, unsigned integers[2],
                        OSSL_PARAM params[MAX_PARAMS])
{
    static uint8_t master[MASTER_SIZE], client[SESSION_RANDOM_SIZE], server[SESSION_RANDOM_SIZE],
        clear[CLEAR_SIZE];
    const size_t random_size = protocols[suite->protocol].random_size;
    size_t n = 0;

    pattern(master, sizeof(master), 3);
    pattern(client, sizeof(client), 50);
    pattern(server, sizeof(server), 150);
    pattern(clear, sizeof(clear), 7);
    integers[0] = suite->cipher_bits;
    integers[1] = (unsigned)suite->is_export;
    params[n++] = octets_param("secret", master, master_size(suite));
    params[n++] = octets_param("client-random", client, random_size);
    params[n++] = octets_param("server-random", server, random_size);
    params[n++] = text_param("cipher", suite->cipher);
    if (suite->protocol != RECORD_SSL2) {
        params[n++] = OSSL_PARAM_construct_uint("cipher-bits", &integers[0]);
        params[n++] = text_param("digest", suite->digest);
    }
    if (!is_old(suite))
        params[n++] = OSSL_PARAM_construct_uint("export", &integers[1]);
    if (has_clear_key(suite))
        params[n++] = octets_param("clear-key", clear, sizeof(clear));
    if (suite->protocol == RECORD_PCT1)
        params[n++] = octets_param("certificate", CERTIFICATE, strlen(CERTIFICATE));
    params[n++] = text_param("alg", protocols[suite->protocol].master);
    params[n] = OSSL_PARAM_construct_end();
}

EVP_PKEY *reference_master(const struct reference_suite *suite)
{
    OSSL_PARAM params[MAX_PARAMS];
    unsigned integers[2];
    EVP_PKEY *master;

    make_params(suite, integers, params);
    master = session_import(libctx, params);
    assert_non_null(master);
    return master;
}

/* KEY-ARG */
static void fixed_iv(uint8_t iv[RECORD_MAX_BLOCK])
{
    pattern(iv, RECORD_MAX_BLOCK, 77);
}

static size_t block_size_of(const struct reference_suite *suite)
{
    if (strcmp(suite->cipher, "RC4") == 0)
        return 1;
    return strncmp(suite->cipher, "AES", 3) == 0 ? 16 : 8;
}

void reference_keys(const struct reference_suite *suite, struct session_keys *keys)
{
    EVP_PKEY *master = reference_master(suite);
    uint8_t iv[RECORD_MAX_BLOCK];

    assert_true(session_derive(libctx, suite->protocol, master, keys));
    EVP_PKEY_free(master);
    fixed_iv(iv);
    if (is_old(suite) && block_size_of(suite) > 1)
        assert_true(session_set_iv(keys, iv, block_size_of(suite)));
}

size_t reference_bytes(const struct reference_suite *suite, const char *usage, uint8_t *out,
                       size_t room)
{
    OSSL_PARAM params[MAX_PARAMS], usage_param[] = { text_param("usage", usage), OSSL_PARAM_END };
    EVP_KDF *kdf = EVP_KDF_fetch(libctx, protocols[suite->protocol].kdf, NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    unsigned integers[2];
    size_t size;

    assert_non_null(ctx);
    make_params(suite, integers, params);
    assert_int_equal(EVP_KDF_CTX_set_params(ctx, params), 1);
    assert_int_equal(EVP_KDF_CTX_set_params(ctx, usage_param), 1);
    size = EVP_KDF_CTX_get_kdf_size(ctx);
    assert_true(size > 0 && size <= room);
    assert_int_equal(EVP_KDF_derive(ctx, out, size, NULL), 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return size;
}

/* ---- writing ---- */

static void start_cipher(struct reference_writer *writer, enum session_side side)
{
    const struct reference_suite *suite = &writer->suite;
    const int is_client = side == SESSION_CLIENT;
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, suite->cipher, STOCK);
    uint8_t key[REFERENCE_MAX_KEY], iv[RECORD_MAX_BLOCK];

    assert_non_null(cipher);
    writer->block_size = block_size_of(suite);
    reference_bytes(suite, is_client ? "client-write-key" : "server-write-key", key, sizeof(key));
    if (is_old(suite))
        fixed_iv(iv);
    else if (writer->block_size > 1)
        reference_bytes(suite, is_client ? "client-write-iv" : "server-write-iv", iv, sizeof(iv));
    writer->cipher = EVP_CIPHER_CTX_new();
    assert_int_equal(EVP_EncryptInit_ex2(writer->cipher, cipher, key, iv, NULL), 1);
    EVP_CIPHER_CTX_set_padding(writer->cipher, 0);
    EVP_CIPHER_free(cipher);
}

void reference_start(struct reference_writer *writer, const struct reference_suite *suite,
                     enum session_side side)
{
    const char *const usages[SESSION_SIDES][2] = { { "client-write-mac", "client-write-key" },
                                                   { "server-write-mac", "server-write-key" } };
    /* SSL 2.0: the write key is the MAC secret */
    const char *usage = usages[side][suite->protocol == RECORD_SSL2];

    memset(writer, 0, sizeof(*writer));
    writer->suite = *suite;
    writer->mac_size = strcmp(suite->digest, "MD5") == 0 ? 16 : 20;
    writer->mac_key_size = reference_bytes(suite, usage, writer->mac_key, sizeof(writer->mac_key));
    start_cipher(writer, side);
}

void reference_stop(struct reference_writer *writer)
{
    EVP_CIPHER_CTX_free(writer->cipher);
    memset(writer, 0, sizeof(*writer));
}

/* What is going to be hashed. */
struct hashed {
    uint8_t data[MAX_HASHED];
    size_t size;
};

static void add(struct hashed *hashed, const void *data, size_t size)
{
    assert_true(size <= sizeof(hashed->data) - hashed->size);
    if (size > 0)
        memcpy(hashed->data + hashed->size, data, size);
    hashed->size += size;
}

static void add_byte(struct hashed *hashed, int byte, size_t count)
{
    const uint8_t value = (uint8_t)byte;

    while (count-- > 0)
        add(hashed, &value, 1);
}

/* Big-endian. */
static void add_number(struct hashed *hashed, uint64_t number, size_t size)
{
    while (size-- > 0)
        add_byte(hashed, (int)(number >> 8 * size & 0xff), 1);
}

/* Replaces what is there by its hash. */
static void hash(const struct reference_writer *writer, struct hashed *hashed)
{
    assert_int_equal(EVP_Q_digest(libctx, writer->suite.digest, STOCK, hashed->data, hashed->size,
                                  hashed->data, &hashed->size),
                     1);
}

/* H(key || pad || the hash that is there), the outer hash of PCT 1.0 and SSL 3.0. */
static void hash_again(const struct reference_writer *writer, size_t pad_size,
                       struct hashed *hashed)
{
    uint8_t inner[RECORD_MAX_MAC];

    memcpy(inner, hashed->data, writer->mac_size);
    hashed->size = 0;
    add(hashed, writer->mac_key, writer->mac_key_size);
    add_byte(hashed, 0x5c, pad_size);
    add(hashed, inner, writer->mac_size);
    hash(writer, hashed);
}

/* MD5(SECRET, ACTUAL-DATA, PADDING-DATA, SEQUENCE-NUMBER): draft-hickman-netscape-ssl-00, 1.2. */
static void mac_ssl2(const struct reference_writer *writer, const uint8_t *data, size_t size,
                     struct hashed *hashed)
{
    add(hashed, writer->mac_key, writer->mac_key_size);
    add(hashed, data, size);
    add_number(hashed, writer->sequence, 4);
    hash(writer, hashed);
}

/* Hash(MAC_KEY, Hash(ACTUAL_DATA, PADDING_DATA, SEQUENCE_NUMBER)): draft-benaloh-pct-00, section 4.2. */
static void mac_pct1(const struct reference_writer *writer, const uint8_t *data, size_t size,
                     struct hashed *hashed)
{
    add(hashed, data, size);
    add_number(hashed, writer->sequence, 4);
    hash(writer, hashed);
    hash_again(writer, 0, hashed);
}

/* RFC 6101, section 5.2.3.1. */
static void mac_ssl3(const struct reference_writer *writer, unsigned type, const uint8_t *data,
                     size_t size, struct hashed *hashed)
{
    const size_t pad_size = writer->mac_size == 16 ? 48 : 40;

    add(hashed, writer->mac_key, writer->mac_key_size);
    add_byte(hashed, 0x36, pad_size);
    add_number(hashed, writer->sequence, 8);
    add_number(hashed, type, 1);
    add_number(hashed, size, 2);
    add(hashed, data, size);
    hash(writer, hashed);
    hash_again(writer, pad_size, hashed);
}

/* RFC 2246, section 6.2.3.1. */
static void mac_tls1(const struct reference_writer *writer, unsigned type, const uint8_t *data,
                     size_t size, struct hashed *hashed)
{
    uint8_t mac[RECORD_MAX_MAC];

    add_number(hashed, writer->sequence, 8);
    add_number(hashed, type, 1);
    add_number(hashed, 0x0301, 2);
    add_number(hashed, size, 2);
    add(hashed, data, size);
    assert_non_null(EVP_Q_mac(libctx, "HMAC", STOCK, writer->suite.digest, NULL, writer->mac_key,
                              writer->mac_key_size, hashed->data, hashed->size, mac, sizeof(mac),
                              &hashed->size));
    memcpy(hashed->data, mac, hashed->size);
}

/* The MAC of the next record; the caller counts. */
static void compute_mac(const struct reference_writer *writer, unsigned type, const uint8_t *data,
                        size_t size, uint8_t *mac)
{
    static struct hashed hashed;

    hashed.size = 0;
    if (writer->suite.protocol == RECORD_PCT1)
        mac_pct1(writer, data, size, &hashed);
    else if (writer->suite.protocol == RECORD_SSL2)
        mac_ssl2(writer, data, size, &hashed);
    else if (writer->suite.protocol == RECORD_SSL3)
        mac_ssl3(writer, type, data, size, &hashed);
    else
        mac_tls1(writer, type, data, size, &hashed);
    assert_int_equal(hashed.size, writer->mac_size);
    memcpy(mac, hashed.data, hashed.size);
}

static void encrypt(struct reference_writer *writer, uint8_t *data, size_t size)
{
    int written = 0;

    if (size == 0)
        return;
    assert_int_equal(EVP_EncryptUpdate(writer->cipher, data, &written, data, (int)size), 1);
    assert_int_equal(written, size);
}

/* PCT 1.0 and SSL 2.0: MAC over data and padding, whose length is in the header. */
static size_t seal_old(struct reference_writer *writer, const uint8_t *data, size_t size,
                       const uint8_t *padding, size_t padding_size, uint8_t *record)
{
    const int is_ssl2 = writer->suite.protocol == RECORD_SSL2;
    const size_t header = padding_size == 0 ? 2 : 3;
    const size_t covered = size + padding_size, whole = covered + writer->mac_size;
    uint8_t *plain = record + header + (is_ssl2 ? writer->mac_size : 0);

    record[0] = (uint8_t)(whole >> 8 | (padding_size == 0 ? 0x80 : 0));
    record[1] = (uint8_t)whole;
    if (padding_size > 0)
        record[2] = (uint8_t)padding_size;
    if (size > 0)
        memcpy(plain, data, size);
    if (padding_size > 0)
        memcpy(plain + size, padding, padding_size);
    compute_mac(writer, 0, plain, covered, is_ssl2 ? record + header : plain + covered);
    encrypt(writer, record + header, is_ssl2 ? whole : covered);
    return header + whole;
}

static size_t seal_new(struct reference_writer *writer, unsigned type, const uint8_t *data,
                       size_t size, const uint8_t *padding, size_t padding_size, uint8_t *record)
{
    const size_t whole = size + writer->mac_size + padding_size;

    record[0] = (uint8_t)type;
    record[1] = 3;
    record[2] = writer->suite.protocol == RECORD_SSL3 ? 0 : 1;
    record[3] = (uint8_t)(whole >> 8);
    record[4] = (uint8_t)whole;
    if (size > 0)
        memcpy(record + 5, data, size);
    compute_mac(writer, type, data, size, record + 5 + size);
    if (padding_size > 0)
        memcpy(record + 5 + size + writer->mac_size, padding, padding_size);
    encrypt(writer, record + 5, whole);
    return 5 + whole;
}

size_t reference_seal_padded(struct reference_writer *writer, enum record_type type,
                             const uint8_t *data, size_t size, const uint8_t *padding,
                             size_t padding_size, uint8_t *record)
{
    const size_t whole = is_old(&writer->suite)
                             ? seal_old(writer, data, size, padding, padding_size, record)
                             : seal_new(writer, type, data, size, padding, padding_size, record);

    writer->sequence++;
    return whole;
}

size_t reference_seal(struct reference_writer *writer, enum record_type type, const uint8_t *data,
                      size_t size, uint8_t *record)
{
    const size_t covered = writer->suite.protocol == RECORD_PCT1 ? size : size + writer->mac_size;
    size_t padding_size = 0;
    uint8_t padding[RECORD_MAX_BLOCK] = { 0 };

    if (is_old(&writer->suite)) {
        while ((covered + padding_size) % writer->block_size != 0)
            padding_size++;
    } else if (writer->block_size > 1) {
        do {
            padding_size++;
        } while ((covered + padding_size) % writer->block_size != 0);
        memset(padding, (int)padding_size - 1, padding_size);
    }
    return reference_seal_padded(writer, type, data, size, padding, padding_size, record);
}
