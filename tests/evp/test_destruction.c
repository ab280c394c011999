/*
 * Destruction: `retire` and the last EVP_PKEY_free leave no copy of a secret in the process.
 *
 * Every key is made of a secret that this process holds masked only (memory_scan.h).  Each
 * operation runs deep in the stack, so that its dead frames are still there when all writable memory
 * is scanned: for the secret, and for what follows from it.  Heap, anonymous memory and data must
 * hold nothing.  What lies in dead stack frames is libcrypto's when libcrypto alone, given the same
 * secret, leaves the same; anything else is ours.
 */
/* The low-level ciphers and digests are used to compute what must not be found. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "fixture.h"
#include "memory_scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/aes.h>
#include <openssl/crypto.h>
#include <openssl/decoder.h>
#include <openssl/des.h>
#include <openssl/encoder.h>
#include <openssl/kdf.h>
#include <openssl/md5.h>
#include <openssl/rc2.h>
#include <openssl/rc4.h>
#include <openssl/sha.h>

#define DEPTH          65536 /* of the stack between the scan and the operations */
#define MAX_ALIVE      16
#define MESSAGE_SIZE   100
#define KEY_BLOCK_SIZE (2 * 20 + 2 * 32) /* SHA-1 and AES-256, without the IVs */
#define BLOB_ID_AT     40                /* blob/opaque.h */
#define ITERATIONS     600000
#define PASSPHRASE     40

/* Kinds of keys that an operation is for. */
enum { CIPHERS = 1, MACS = 2, MASTERS = 4, ALL = 7, CONTEXT_CIPHERS = 8, CONTEXT_MACS = 16 };

struct row {
    const char *name, *alg, *parameter, *digest, *cipher;
    unsigned kind;
    size_t key_size, iv_size;
    const char *alive; /* a mark that has to be found while the key lives */
};

static const struct row rows[] = {
    { "RC4", "RC4", "secret", NULL, "RC4", CIPHERS, 16, 0, "secret" },
    { "RC4 40", "RC4", "secret", NULL, "RC4", CIPHERS, 5, 0, "permutation" },
    { "3DES", "DES-EDE3-CBC", "secret", NULL, "DES-EDE3-CBC", CIPHERS, 24, 8, "secret" },
    { "AES-128", "AES-128-CBC", "secret", NULL, "AES-128-CBC", CIPHERS, 16, 16, "secret" },
    { "AES-256", "AES-256-CBC", "secret", NULL, "AES-256-CBC", CIPHERS, 32, 16, "secret" },
    { "MAC MD5", "TLS1-MAC", "secret", "MD5", NULL, MACS, 16, 0, "secret" },
    { "MAC SHA1", "TLS1-MAC", "secret", "SHA1", NULL, MACS, 20, 0, "secret" },
    { "master", "TLS1-MASTER", "secret", "SHA1", "AES-256-CBC", MASTERS, 48, 0, "secret" },
    { "premaster", "TLS1-MASTER", "premaster", "SHA1", "AES-256-CBC", MASTERS, 48, 0, NULL },
    { "premaster of 128 bytes", "TLS1-MASTER", "premaster", "SHA1", "AES-256-CBC", MASTERS, 128, 0,
      NULL },
    /* keys that only a context can have */
    { "RC4 of 100 bytes", NULL, NULL, NULL, "RC4", CONTEXT_CIPHERS, 100, 0, NULL },
    { "MAC of 100 bytes", NULL, NULL, "SHA1", NULL, CONTEXT_MACS, 100, 0, NULL },
    /* what the older protocols have */
    { "RC2", "RC2-CBC", "secret", NULL, "RC2-CBC", CIPHERS, 16, 8, "secret" },
    { "DES", "DES-CBC", "secret", NULL, "DES-CBC", CIPHERS, 8, 8, "secret" },
    { "3DES with two keys", "DES-EDE-CBC", "secret", NULL, "DES-EDE-CBC", CIPHERS, 16, 8,
      "secret" },
    { "AES-192", "AES-192-CBC", "secret", NULL, "AES-192-CBC", CIPHERS, 24, 16, "secret" },
    { "PCT1 MAC MD5", "PCT1-MAC", "secret", "MD5", NULL, MACS, 40, 0, "secret" },
    { "PCT1 MAC SHA1", "PCT1-MAC", "secret", "SHA1", NULL, MACS, 40, 0, "secret" },
    { "SSL2 MAC", "SSL2-MAC", "secret", "MD5", NULL, MACS, 32, 0, "secret" },
    { "SSL3 MAC MD5", "SSL3-MAC", "secret", "MD5", NULL, MACS, 16, 0, "secret" },
    { "SSL3 MAC SHA1", "SSL3-MAC", "secret", "SHA1", NULL, MACS, 20, 0, "secret" },
    { "PCT1 master", "PCT1-MASTER", "secret", "MD5", "RC4", MASTERS, 16, 0, "secret" },
    { "SSL2 master", "SSL2-MASTER", "secret", "MD5", "RC4", MASTERS, 24, 0, "secret" },
    { "SSL3 master", "SSL3-MASTER", "secret", "SHA1", "AES-256-CBC", MASTERS, 48, 0, "secret" },
    { "SSL3 premaster", "SSL3-MASTER", "premaster", "SHA1", "AES-256-CBC", MASTERS, 48, 0, NULL },
    /* less than a block of the random number generator, which keeps the rest of one */
    { "RC4 64", "RC4", "secret", NULL, "RC4", CIPHERS, 8, 0, "secret" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* Is the row of |protocol|, "TLS1" and so on?  Without an |alg| it is of TLS 1.0. */
static int is_of(const struct row *row, const char *protocol)
{
    return strncmp(row->alg != NULL ? row->alg : "TLS1", protocol, 4) == 0;
}

/* The key that an operation works on. */
struct subject {
    const struct row *row;
    EVP_PKEY *key;
    struct hidden secret;
    int is_generated, has_no_seal_key;
};

struct operation {
    const char *name;
    unsigned kinds;
    void (*run)(struct subject *subject);
};

static struct mark_list marks;
static uint8_t shown[160], output[2048]; /* cleansed before every scan */
static uint8_t client_random[32], server_random[32];
static char claims[96];

/* Known to somebody else, so that the compiler does not leave out what is stored there. */
uint8_t *volatile destruction_known[5];

/* What lives on until the key has been retired. */
static struct {
    void *object;
    void (*release)(void *);
} alive[MAX_ALIVE];
static size_t alive_count;

#if WITH_SANITIZER
/* Dead frames on a heap of the sanitizer's own would be taken for heap. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_stack_use_after_return=0";
}
#endif

/* ---- objects that stay alive ---- */

static void release_key(void *object)
{
    EVP_PKEY_free(object);
}

static void release_key_context(void *object)
{
    EVP_PKEY_CTX_free(object);
}

static void release_cipher(void *object)
{
    EVP_CIPHER_CTX_free(object);
}

static void release_mac(void *object)
{
    EVP_MAC_CTX_free(object);
}

static void release_digest(void *object)
{
    EVP_MD_CTX_free(object);
}

static void keep_alive(void *object, void (*release)(void *))
{
    assert_non_null(object);
    assert_true(alive_count < MAX_ALIVE);
    alive[alive_count].object = object;
    alive[alive_count++].release = release;
}

static void release_alive(void)
{
    while (alive_count > 0) {
        alive_count--;
        alive[alive_count].release(alive[alive_count].object);
    }
}

/* ---- marks: computed in a child process ---- */

/* The chaining value behind |block|, as words of this machine and as bytes. */
static void add_chaining_value(const char *digest, const uint8_t block[64], const char *name)
{
    uint8_t big_endian[20];
    MD5_CTX md5;
    SHA_CTX sha1;
    uint32_t words[5];

    if (strcmp(digest, "MD5") == 0) {
        MD5_Init(&md5);
        MD5_Update(&md5, block, 64);
        memcpy(words, (uint32_t[]){ md5.A, md5.B, md5.C, md5.D }, 16);
        mark_add(name, words, 16, MARK_RUN);
        return;
    }
    SHA1_Init(&sha1);
    SHA1_Update(&sha1, block, 64);
    memcpy(words, (uint32_t[]){ sha1.h0, sha1.h1, sha1.h2, sha1.h3, sha1.h4 }, 20);
    mark_add(name, words, 20, MARK_RUN);
    for (size_t n = 0; n < 20; n++)
        big_endian[n] = (uint8_t)(words[n / 4] >> (24 - 8 * (n % 4)));
    mark_add("big-endian midstate", big_endian, 20, MARK_RUN);
}

/* Behind the one block key XOR pad. */
static void add_midstate(const char *digest, const uint8_t *key, size_t size, uint8_t pad,
                         const char *name)
{
    uint8_t block[64];

    memset(block, pad, sizeof(block));
    for (size_t n = 0; n < size; n++)
        block[n] ^= key[n];
    add_chaining_value(digest, block, name);
}

/* SSL 2.0 and SSL 3.0: behind the block that begins with the key, in front of data that begins with
 * zeros.  That of PCT 1.0 has the answer in it. */
static void add_keyed_hash(const struct row *row, const uint8_t *key)
{
    static const uint8_t pads[] = { 0x36, 0x5c };
    const size_t pad_size = strcmp(row->digest, "MD5") == 0 ? 48 : 40;

    for (size_t n = 0; n < 2 && !is_of(row, "PCT1"); n++) {
        uint8_t block[64] = { 0 };

        memcpy(block, key, row->key_size);
        if (is_of(row, "SSL3"))
            memset(block + row->key_size, pads[n], pad_size);
        add_chaining_value(row->digest, block, n == 0 ? "inner midstate" : "outer midstate");
    }
}

static void add_hmac(const char *digest, const uint8_t *key, size_t size)
{
    add_midstate(digest, key, size, 0x36, "inner midstate");
    add_midstate(digest, key, size, 0x5c, "outer midstate");
}

static void add_padded(const uint8_t *key, size_t size)
{
    uint8_t padded[128];

    for (size_t n = 0; n < size; n++)
        padded[n] = key[n] ^ 0x36;
    mark_add("secret XOR ipad", padded, size, MARK_RUN);
    for (size_t n = 0; n < size; n++)
        padded[n] = key[n] ^ 0x5c;
    mark_add("secret XOR opad", padded, size, MARK_RUN);
}

/* The round keys behind the key itself, in both byte orders. */
static void add_aes(const uint8_t *key, size_t size)
{
    AES_KEY schedule;
    uint8_t *bytes = (uint8_t *)schedule.rd_key, swapped[sizeof(schedule.rd_key)];
    size_t all;

    AES_set_encrypt_key(key, (int)(8 * size), &schedule);
    all = 16 * ((size_t)schedule.rounds + 1);
    for (size_t n = 0; n < all; n++)
        swapped[n] = bytes[n ^ 3];
    mark_add("AES encryption schedule", bytes + size, all - size, MARK_RUN);
    mark_add("AES encryption schedule, swapped", swapped + size, all - size, MARK_RUN);
    AES_set_decrypt_key(key, (int)(8 * size), &schedule);
    for (size_t n = 0; n < all; n++)
        swapped[n] = bytes[n ^ 3];
    mark_add("AES decryption schedule", bytes, all - size, MARK_RUN);
    mark_add("AES decryption schedule, swapped", swapped, all - size, MARK_RUN);
}

/* libcrypto's rounds leave the round keys in their order and in reverse: two words each. */
static void add_des(const uint8_t *key, size_t size)
{
    DES_key_schedule schedule;
    uint64_t round_keys[16], reversed[16];

    _Static_assert(sizeof(schedule) == sizeof(round_keys), "two words for each round");

    for (size_t n = 0; n < size; n += 8) {
        DES_set_key_unchecked((const_DES_cblock *)(uintptr_t)(key + n), &schedule);
        memcpy(round_keys, &schedule, sizeof(schedule));
        for (size_t round = 0; round < 16; round++)
            reversed[round] = round_keys[15 - round];
        mark_add("DES schedule", round_keys, sizeof(round_keys), MARK_RUN);
        mark_add("DES schedule", reversed, sizeof(reversed), MARK_RUN);
    }
}

static void add_rc2(const uint8_t *key, size_t size)
{
    RC2_KEY schedule;

    RC2_set_key(&schedule, (int)size, key, (int)(8 * size));
    mark_add("RC2 schedule", schedule.data, sizeof(schedule.data), 4 * MARK_RUN);
}

/*
 * The permutation at every sixteenth byte of the stream: sixteen steps leave most of it in place.
 * Expanded to words, as libcrypto works on it, where the operations stop.
 */
static void add_rc4(const uint8_t *key, size_t size)
{
    uint8_t s[256], i = 0, j = 0;
    uint32_t wide[256];

    for (size_t n = 0; n < 256; n++)
        s[n] = (uint8_t)n;
    for (size_t n = 0; n < 256; n++) {
        uint8_t kept = s[n];

        j = (uint8_t)(j + kept + key[n % size]);
        s[n] = s[j];
        s[j] = kept;
    }
    j = 0;
    for (size_t position = 0; position <= 480; position++) {
        uint8_t kept;

        if (position % 16 == 0)
            mark_add("permutation", s, sizeof(s), MARK_RUN);
        if (position % 100 == 0) {
            for (size_t n = 0; n < 256; n++)
                wide[n] = s[n];
            mark_add("expanded permutation", wide, sizeof(wide), 4 * MARK_RUN);
        }
        i++;
        kept = s[i];
        j = (uint8_t)(j + kept);
        s[i] = s[j];
        s[j] = kept;
    }
}

static void prf(const uint8_t *secret, size_t secret_size, const char *label, const uint8_t *one,
                const uint8_t *other, uint8_t *out, size_t size)
{
    uint8_t seed[64];
    OSSL_PARAM params[] = { text_param("digest", "MD5-SHA1"),
                            octets_param("secret", secret, secret_size),
                            octets_param("seed", label, strlen(label)),
                            octets_param("seed", seed, sizeof(seed)), OSSL_PARAM_construct_end() };
    EVP_KDF *kdf = EVP_KDF_fetch(libctx, "TLS1-PRF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);

    memcpy(seed, one, 32);
    memcpy(seed + 32, other, 32);
    if (EVP_KDF_derive(context, out, size, params) != 1)
        abort();
}

static void add_master(const uint8_t *master)
{
    uint8_t block[KEY_BLOCK_SIZE];

    add_hmac("MD5", master, 24);
    add_hmac("SHA1", master + 24, 24);
    add_padded(master, 48);
    prf(master, 48, "key expansion", server_random, client_random, block, sizeof(block));
    mark_add("key block", block, sizeof(block), MARK_RUN);
    add_hmac("SHA1", block, 20);
    add_hmac("SHA1", block + 20, 20);
    add_aes(block + 40, 32);
}

static EVP_KDF *fetch_kdf(const struct row *row)
{
    char name[16];
    EVP_KDF *kdf;

    snprintf(name, sizeof(name), "%.4s-KDF", row->alg);
    kdf = EVP_KDF_fetch(libctx, name, NULL);
    assert_non_null(kdf);
    return kdf;
}

/* The whole keys of a connection, and its master secret. */
static void add_derived(const struct row *row, const uint8_t *key)
{
    static const char *const wanted[] = { "master-secret", "client-write-key", "server-write-key",
                                          "client-write-mac", "server-write-mac" };
    EVP_KDF *kdf = fetch_kdf(row);
    uint8_t out[64];

    for (size_t n = 0; n < sizeof(wanted) / sizeof(wanted[0]); n++) {
        OSSL_PARAM params[] = {
            octets_param(row->parameter, key, row->key_size),
            octets_param("client-random", client_random, 32),
            octets_param("server-random", server_random, 32),
            text_param("cipher", row->cipher),
            text_param("digest", row->digest),
            text_param("usage", wanted[n]),
            OSSL_PARAM_construct_end(),
        };
        EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
        size_t size = 0;

        if (EVP_KDF_CTX_set_params(context, params) == 1)
            size = n == 0 ? 48 : EVP_KDF_CTX_get_kdf_size(context);
        if (size >= MARK_RUN && size <= sizeof(out) &&
            EVP_KDF_derive(context, out, size, NULL) == 1)
            mark_add(n == 0 ? "master secret" : wanted[n], out, size, MARK_RUN);
    }
}

static void add_key_marks(const void *argument)
{
    const struct subject *subject = argument;
    const struct row *row = subject->row;
    uint8_t key[128], master[48];

    hidden_show(&subject->secret, key);
    if (row->key_size >= 8)
        mark_add("secret", key, row->key_size, row->key_size < MARK_RUN ? 8 : MARK_RUN);
    if (row->kind == CONTEXT_MACS) {
        SHA1(key, row->key_size, key);
        mark_add("hashed key", key, 20, MARK_RUN);
        add_padded(key, 20);
        add_hmac("SHA1", key, 20);
    } else if (row->kind == MACS && !is_of(row, "TLS1")) {
        add_keyed_hash(row, key);
    } else if (row->kind == MACS) {
        add_padded(key, row->key_size);
        add_hmac(row->digest, key, row->key_size);
    } else if (row->kind == MASTERS && !is_of(row, "TLS1")) {
        add_derived(row, key);
    } else if (row->kind == MASTERS && strcmp(row->parameter, "secret") == 0) {
        add_master(key);
    } else if (row->kind == MASTERS) {
        add_padded(key, row->key_size);
        add_hmac("MD5", key, row->key_size / 2);
        add_hmac("SHA1", key + row->key_size / 2, row->key_size / 2);
        prf(key, row->key_size, "master secret", client_random, server_random, master,
            sizeof(master));
        mark_add("master secret", master, sizeof(master), MARK_RUN);
        add_master(master);
    } else if (strcmp(row->cipher, "RC4") == 0) {
        /* a generated key of 40 bits has a salt of zeros */
        memset(key + row->key_size, 0, sizeof(key) - row->key_size);
        add_rc4(key, row->key_size == 5 && subject->is_generated ? 16 : row->key_size);
    } else if (strcmp(row->cipher, "RC2-CBC") == 0) {
        add_rc2(key, row->key_size);
    } else if (row->iv_size == 8) {
        add_des(key, row->key_size);
    } else {
        add_aes(key, row->key_size);
    }
}

/* ---- scanning ---- */

/* What was left, of all keys: by region. */
static unsigned totals[REGIONS], scans;
/* Kept in dead frames by libcrypto alone, by row and by name of the mark. */
static struct {
    const struct row *row;
    char name[40];
} leaves[64];
static size_t leaves_count;

static int libcrypto_leaves(const struct row *row, const char *name)
{
    for (size_t n = 0; n < leaves_count; n++) {
        if (leaves[n].row == row && strcmp(leaves[n].name, name) == 0)
            return 1;
    }
    return 0;
}

static void scan(void)
{
    OPENSSL_cleanse(shown, sizeof(shown));
    OPENSSL_cleanse(output, sizeof(output));
    memory_scan(&marks);
    scans++;
}

static unsigned found_anywhere(const char *name)
{
    unsigned found = 0;

    for (size_t n = 0; n < marks.count; n++) {
        for (size_t region = 0; strcmp(marks.mark[n].name, name) == 0 && region < REGIONS; region++)
            found += marks.mark[n].found[region];
    }
    return found;
}

/* Where it is judged in this build: see report(). */
static unsigned found_judged(const char *name)
{
    unsigned found = found_anywhere(name);

    for (size_t n = 0; WITH_SANITIZER && n < marks.count; n++) {
        if (strcmp(marks.mark[n].name, name) == 0)
            found -= marks.mark[n].found[REGION_STACK];
    }
    return found;
}

/* 1 when something is left that is ours; whatever is left is printed. */
static int report(const char *operation, const struct row *row, const char *when)
{
    int bad = 0;

    for (size_t n = 0; n < marks.count; n++) {
        const struct mark *mark = &marks.mark[n];

        for (size_t region = 0; region < REGIONS; region++) {
            const char *whose = "OURS";

            if (mark->found[region] == 0)
                continue;
            totals[region] += mark->found[region];
            if (region == REGION_STACK && libcrypto_leaves(row, mark->name))
                whose = "libcrypto's";
            else if (region == REGION_STACK && WITH_SANITIZER)
                whose = "not judged in this build";
            else
                bad = 1;
            print_message("%s, %s, %s: %s %u times in %s (%s)\n", operation, row->name, when,
                          mark->name, mark->found[region], region_name((enum region)region), whose);
        }
    }
    return bad;
}

/* Runs |function| far below the frames of whoever scans afterwards. */
static __attribute__((noinline)) void deep(void (*function)(struct subject *),
                                           struct subject *subject)
{
    uint8_t gap[DEPTH];

    destruction_known[0] = gap;
    function(subject);
    destruction_known[0] = NULL;
}

/* What was left in the stack right after one call, see step(). */
static const char *current = "";
static const struct row *current_row;
static unsigned steps, steps_ours, steps_libcrypto;
static int learns; /* a control: what is left is libcrypto's */

static void remember_leaf(const struct row *row, const char *name)
{
    assert_true(leaves_count < sizeof(leaves) / sizeof(leaves[0]));
    leaves[leaves_count].row = row;
    snprintf(leaves[leaves_count++].name, sizeof(leaves[0].name), "%s", name);
}

static void judge_stack(const char *call)
{
    for (size_t n = 0; n < marks.count; n++) {
        const struct mark *mark = &marks.mark[n];

        if (mark->found[REGION_STACK] == 0)
            continue;
        if (libcrypto_leaves(current_row, mark->name)) {
            steps_libcrypto++;
            continue;
        }
        print_message("%s, %s, after %.50s: %s %u times in stack (%s)\n", current,
                      current_row->name, call, mark->name, mark->found[REGION_STACK],
                      learns ? "libcrypto's" : "OURS");
        if (learns)
            remember_leaf(current_row, mark->name);
        else
            steps_ours++;
    }
}

/* After a call: its dead frames are scanned before anything else can overwrite them. */
static intptr_t check_stack(intptr_t result, const char *call)
{
    if (WITH_SANITIZER)
        return result;
    memory_scan_stack(&marks);
    steps++;
    judge_stack(call);
    return result;
}

#define step(call)        ((int)check_stack((call), #call))
#define TEXT_OF(number)   #number
#define LINE_TEXT(number) TEXT_OF(number)
/* The same after calls whose result is not a number. */
#define look() ((void)check_stack(0, "line " LINE_TEXT(__LINE__)))

/* ---- keys ---- */

static OSSL_PARAM *add_description(const struct subject *subject, OSSL_PARAM *p)
{
    static int yes = 1;
    static uint8_t iv[16];
    const struct row *row = subject->row;

    *p++ = text_param("alg", row->alg);
    if (!subject->has_no_seal_key)
        *p++ = text_param("seal-key", seal_key_a);
    *p++ = OSSL_PARAM_construct_int("exportable", &yes);
    if (row->digest != NULL)
        *p++ = text_param("digest", row->digest);
    if (row->iv_size != 0)
        *p++ = octets_param("iv", iv, row->iv_size);
    if (row->kind == MASTERS) {
        *p++ = text_param("cipher", row->cipher);
        *p++ = octets_param("client-random", client_random, 32);
        *p++ = octets_param("server-random", server_random, 32);
    }
    return p;
}

/* from_data of the fixture, with a look right after the import. */
static EVP_PKEY *import_parameters(OSSL_PARAM params[])
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(libctx, "SCHANNEL", NULL);
    EVP_PKEY *key = NULL;

    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    if (step(EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params)) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

static void import_key(struct subject *subject)
{
    OSSL_PARAM params[12], *p = add_description(subject, params);

    *p++ = octets_param(subject->row->parameter, shown, subject->secret.size);
    *p = OSSL_PARAM_construct_end();
    hidden_show(&subject->secret, shown);
    subject->key = import_parameters(params);
    OPENSSL_cleanse(shown, sizeof(shown));
    assert_non_null(subject->key);
}

/* The parameters of EVP_PKEY_todata are the caller's, who has to cleanse them. */
static void free_parameters(OSSL_PARAM *params)
{
    for (OSSL_PARAM *p = params; p->key != NULL; p++)
        OPENSSL_cleanse(p->data, p->data_size);
    OSSL_PARAM_free(params);
}

static void generate_key(struct subject *subject)
{
    unsigned bits = 8 * (unsigned)subject->row->key_size;
    OSSL_PARAM params[12], *p = add_description(subject, params), *all = NULL, *secret;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(libctx, "SCHANNEL", NULL);

    *p++ = OSSL_PARAM_construct_uint("bits", &bits);
    *p = OSSL_PARAM_construct_end();
    assert_int_equal(step(EVP_PKEY_keygen_init(context)), 1);
    assert_int_equal(step(EVP_PKEY_CTX_set_params(context, params)), 1);
    assert_int_equal(step(EVP_PKEY_generate(context, &subject->key)), 1);
    EVP_PKEY_CTX_free(context);
    look();
    assert_int_equal(step(EVP_PKEY_todata(subject->key, EVP_PKEY_KEYPAIR, &all)), 1);
    secret = OSSL_PARAM_locate(all, subject->row->parameter);
    assert_non_null(secret);
    assert_int_equal(secret->data_size, subject->row->key_size);
    hidden_take(&subject->secret, secret->data, secret->data_size);
    free_parameters(all);
}

static void make_key(struct subject *subject)
{
    alive_count = 0;
    if ((subject->row->kind & ALL) == 0)
        return;
    if (subject->is_generated)
        generate_key(subject);
    else
        import_key(subject);
}

static void free_key(struct subject *subject)
{
    release_alive();
    EVP_PKEY_free(subject->key);
    look();
    subject->key = NULL;
    assert_no_errors();
}

static void retire(EVP_PKEY *key)
{
    int yes = 1;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_int("retire", &yes), OSSL_PARAM_construct_end() };

    assert_int_equal(step(EVP_PKEY_set_params(key, params)), 1);
}

/* A retired key refuses, and what it refuses reads nothing. */
static void retire_key(struct subject *subject)
{
    size_t size = 0;

    if (subject->key == NULL)
        return;
    retire(subject->key);
    assert_null(EVP_PKEY_dup(subject->key));
    assert_int_equal(
        step(EVP_PKEY_get_octet_string_param(subject->key, "opaque-blob", NULL, 0, &size)), 0);
    ERR_clear_error();
}

/* ---- operations: on every key ---- */

static void nothing(struct subject *subject)
{
    (void)subject;
}

static void show(struct subject *subject)
{
    char id[32];
    uint8_t handle[KEY_HANDLE_SIZE];
    BIO *out = BIO_new(BIO_s_mem());

    get_id(subject->key, id);
    get_handle(subject->key, handle);
    assert_true(EVP_PKEY_get_bits(subject->key) > 0);
    assert_int_equal(step(EVP_PKEY_print_private(out, subject->key, 0, NULL)), 1);
    BIO_free(out);
}

static void duplicate(struct subject *subject)
{
    EVP_PKEY *copy = EVP_PKEY_dup(subject->key), *second;

    look();
    assert_int_equal(step(EVP_PKEY_eq(subject->key, copy)), 1);
    second = EVP_PKEY_dup(copy);
    retire(copy);
    keep_alive(copy, release_key);
    assert_int_equal(step(EVP_PKEY_eq(subject->key, second)), 1);
    EVP_PKEY_free(second);
    look();
}

static int refuse(const OSSL_PARAM params[], void *argument)
{
    (void)argument;
    return OSSL_PARAM_locate_const(params, "no such parameter") != NULL;
}

static void export_raw(struct subject *subject)
{
    OSSL_PARAM *params = NULL;
    EVP_PKEY *copy;

    assert_int_equal(step(EVP_PKEY_todata(subject->key, EVP_PKEY_KEYPAIR, &params)), 1);
    copy = import_parameters(params);
    assert_non_null(copy);
    EVP_PKEY_free(copy);
    look();
    free_parameters(params);
    assert_int_equal(step(EVP_PKEY_export(subject->key, EVP_PKEY_KEYPAIR, refuse, NULL)), 0);
}

static void export_sealed(struct subject *subject)
{
    uint8_t blob[MAX_BLOB];
    size_t size = export_blob(subject->key, blob);
    EVP_PKEY *copy;

    look();
    copy = import_blob(blob, size, seal_key_a);
    look();

    assert_non_null(copy);
    assert_int_equal(step(EVP_PKEY_eq(subject->key, copy)), 1);
    assert_int_equal(export_blob(copy, blob), size);
    retire(copy);
    keep_alive(copy, release_key);
    /* what does not open */
    assert_null(import_blob(blob, size, seal_key_b));
    look();
    assert_null(import_blob(blob, size - 1, seal_key_a));
    look();
    blob[size - 1] ^= 1;
    assert_null(import_blob(blob, size, seal_key_a));
    look();
    ERR_clear_error();
}

/* Alone, so that nothing comes after it that could use its memory again. */
static void export_alone(struct subject *subject)
{
    uint8_t blob[MAX_BLOB];

    assert_true(export_blob(subject->key, blob) > 0);
    look();
}

static void encode_and_decode(struct subject *subject)
{
    static const char *const types[] = { "PEM", "DER" };

    for (size_t n = 0; n < 2; n++) {
        OSSL_PARAM params[] = { text_param("seal-key", seal_key_a), OSSL_PARAM_construct_end() };
        OSSL_ENCODER_CTX *encoder =
            OSSL_ENCODER_CTX_new_for_pkey(subject->key, EVP_PKEY_KEYPAIR, types[n], NULL, NULL);
        OSSL_DECODER_CTX *decoder;
        EVP_PKEY *copy = NULL;
        unsigned char *data = NULL;
        const unsigned char *position;
        size_t size = 0;

        assert_int_equal(step(OSSL_ENCODER_to_data(encoder, &data, &size)), 1);
        OSSL_ENCODER_CTX_free(encoder);
        decoder = OSSL_DECODER_CTX_new_for_pkey(&copy, NULL, NULL, "SCHANNEL", EVP_PKEY_KEYPAIR,
                                                libctx, NULL);
        assert_int_equal(step(OSSL_DECODER_CTX_set_params(decoder, params)), 1);
        position = data;
        assert_int_equal(step(OSSL_DECODER_from_data(decoder, &position, &size)), 1);
        OSSL_DECODER_CTX_free(decoder);
        OPENSSL_free(data);
        assert_int_equal(step(EVP_PKEY_eq(subject->key, copy)), 1);
        EVP_PKEY_free(copy);
        look();
    }
    ERR_clear_error();
}

static void transfer(struct subject *subject)
{
    uint8_t blob[MAX_BLOB];
    OSSL_PARAM mode[] = { text_param("blob-mode", "transfer"), text_param("claim-dir", claims),
                          text_param("audience", "the next process"), OSSL_PARAM_construct_end() };
    OSSL_PARAM params[] = { octets_param("opaque-blob", blob, 0), text_param("claim-dir", claims),
                            text_param("audience", "the next process"),
                            text_param("seal-key", seal_key_a), OSSL_PARAM_construct_end() };
    EVP_PKEY *claimed, *late, *copy;

    assert_int_equal(step(EVP_PKEY_set_params(subject->key, mode)), 1);
    params[0].data_size = export_blob(subject->key, blob);
    claimed = import_parameters(params);
    late = import_parameters(params);
    copy = EVP_PKEY_dup(claimed);
    assert_non_null(copy);
    EVP_PKEY_free(copy);
    look();
    assert_null(EVP_PKEY_dup(late));
    assert_reason("blob was opened before", "");
    retire(claimed);
    keep_alive(claimed, release_key);
    EVP_PKEY_free(late);
    look();
}

/* Imports and derivations that fail half way. */
static void fail_half_way(struct subject *subject)
{
    OSSL_PARAM params[14], *p = add_description(subject, params), *secret = p;
    unsigned bits = 8, sequence = 1;
    uint8_t iv[3] = { 0 };

    hidden_show(&subject->secret, shown);
    *p++ = octets_param(subject->row->parameter, shown, subject->secret.size + 1);
    *p = OSSL_PARAM_construct_end();
    if (strcmp(subject->row->alg, "RC4") != 0 && strcmp(subject->row->alg, "SSL2-MASTER") != 0 &&
        strcmp(subject->row->parameter, "secret") == 0)
        assert_null(import_parameters(params));
    secret->data_size = subject->secret.size;
    /* after the secret was taken */
    p[0] = OSSL_PARAM_construct_uint("bits", &bits);
    p[1] = OSSL_PARAM_construct_end();
    assert_null(import_parameters(params));
    p[0] = octets_param("iv", iv, sizeof(iv));
    assert_null(import_parameters(params));
    p[0] = text_param("salt-mode", "zero");
    if (subject->row->key_size != 5)
        assert_null(import_parameters(params));
    p[0] = OSSL_PARAM_construct_uint("sequence", &sequence);
    if (subject->row->kind != MACS)
        assert_null(import_parameters(params));
    p[0] = octets_param("premaster", shown, subject->secret.size);
    if (strcmp(subject->row->parameter, "secret") == 0)
        assert_null(import_parameters(params));
    p[0] = text_param("fork", "perhaps");
    assert_null(import_parameters(params));
    ERR_clear_error();
    OPENSSL_cleanse(shown, sizeof(shown));
}

/* ---- operations: ciphers ---- */

static EVP_CIPHER *fetch_cipher(const struct row *row)
{
    char name[64];
    EVP_CIPHER *cipher;

    snprintf(name, sizeof(name), "SCHANNEL-%s", row->cipher);
    cipher = EVP_CIPHER_fetch(libctx, name, NULL);
    assert_non_null(cipher);
    return cipher;
}

static size_t suspend_cipher(EVP_CIPHER_CTX *context, uint8_t blob[MAX_BLOB])
{
    OSSL_PARAM params[] = { octets_param("opaque-blob", blob, MAX_BLOB),
                            OSSL_PARAM_construct_end() };

    assert_int_equal(step(EVP_CIPHER_CTX_get_params(context, params)), 1);
    return params[0].return_size;
}

static EVP_CIPHER_CTX *resume_cipher(const EVP_CIPHER *cipher, const uint8_t *blob, size_t size)
{
    OSSL_PARAM params[] = { octets_param("opaque-blob", blob, size),
                            text_param("seal-key", seal_key_a), OSSL_PARAM_construct_end() };
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

    assert_int_equal(step(EVP_CipherInit_ex2(context, cipher, NULL, NULL, 1, params)), 1);
    return context;
}

/* Whole blocks, a rest, a copy in the middle, and the way through a blob. */
static void advance(EVP_CIPHER_CTX *context, const EVP_CIPHER *cipher, int can_suspend)
{
    static const uint8_t text[MESSAGE_SIZE];
    uint8_t blob[MAX_BLOB];
    int written = 0;
    EVP_CIPHER_CTX *copy, *resumed;

    assert_int_equal(step(EVP_CipherUpdate(context, output, &written, text, sizeof(text) - 3)), 1);
    copy = EVP_CIPHER_CTX_new();
    assert_int_equal(step(EVP_CIPHER_CTX_copy(copy, context)), 1);
    assert_int_equal(step(EVP_CipherUpdate(copy, output, &written, text, sizeof(text))), 1);
    EVP_CIPHER_CTX_free(copy);
    look();
    assert_int_equal(step(EVP_CipherUpdate(context, output, &written, text, 5)), 1);
    if (!can_suspend)
        return;
    resumed = resume_cipher(cipher, blob, suspend_cipher(context, blob));
    assert_int_equal(step(EVP_CipherUpdate(resumed, output, &written, text, sizeof(text))), 1);
    EVP_CIPHER_CTX_free(resumed);
    look();
}

static void bound_cipher(struct subject *subject)
{
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };
    OSSL_PARAM seal[] = { text_param("seal-key", seal_key_a), OSSL_PARAM_construct_end() };
    EVP_CIPHER *cipher = fetch_cipher(subject->row);
    uint8_t iv[16] = { 0 };

    get_handle(subject->key, handle);
    for (int encrypt = 0; encrypt < 2; encrypt++) {
        EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

        keep_alive(context, release_cipher);
        assert_int_equal(
            step(EVP_CipherInit_ex2(context, cipher, NULL, subject->row->iv_size != 0 ? iv : NULL,
                                    encrypt, bind)),
            1);
        assert_int_equal(step(EVP_CIPHER_CTX_set_params(context, seal)), 1);
        advance(context, cipher, encrypt);
    }
    EVP_CIPHER_free(cipher);
    assert_no_errors();
}

static void plain_cipher(struct subject *subject)
{
    OSSL_PARAM seal[] = { text_param("seal-key", seal_key_a), OSSL_PARAM_construct_end() };
    EVP_CIPHER *cipher = fetch_cipher(subject->row);
    uint8_t iv[16] = { 0 };
    const uint8_t *given_iv = subject->row->iv_size != 0 ? iv : NULL;
    int written = 0;

    for (int encrypt = 0; encrypt < 2; encrypt++) {
        EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

        assert_int_equal(step(EVP_CipherInit_ex2(context, cipher, NULL, NULL, encrypt, seal)), 1);
        assert_int_equal(step(EVP_CIPHER_CTX_set_key_length(context, (int)subject->row->key_size)),
                         1);
        hidden_show(&subject->secret, shown);
        assert_int_equal(step(EVP_CipherInit_ex2(context, NULL, shown, given_iv, encrypt, NULL)),
                         1);
        advance(context, cipher, encrypt);
        /* a message that ends, with a wrong padding when it is decrypted */
        EVP_CipherFinal_ex(context, output, &written);
        /* the same key again, then another one in its place */
        assert_int_equal(step(EVP_CipherInit_ex2(context, NULL, shown, given_iv, encrypt, NULL)),
                         1);
        OPENSSL_cleanse(shown, sizeof(shown));
        assert_int_equal(step(EVP_CipherUpdate(context, output, &written, iv, sizeof(iv))), 1);
        assert_int_equal(step(EVP_CipherInit_ex2(context, NULL, shown, given_iv, encrypt, NULL)),
                         1);
        keep_alive(context, release_cipher);
    }
    EVP_CIPHER_free(cipher);
    ERR_clear_error();
}

static void message(struct subject *subject)
{
    static const uint8_t text[MESSAGE_SIZE];
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, subject->key, NULL);
    uint8_t sealed[MESSAGE_SIZE + 16];
    size_t size = sizeof(sealed), size2 = sizeof(output);

    keep_alive(context, release_key_context);
    assert_int_equal(step(EVP_PKEY_encrypt_init(context)), 1);
    assert_int_equal(step(EVP_PKEY_encrypt(context, sealed, &size, text, sizeof(text))), 1);
    assert_int_equal(step(EVP_PKEY_decrypt_init(context)), 1);
    assert_int_equal(step(EVP_PKEY_decrypt(context, output, &size2, sealed, size)), 1);
    if (subject->row->iv_size != 0) {
        sealed[size - 1] ^= 1;
        sealed[size - 20] ^= 1;
        size2 = sizeof(output);
        assert_int_equal(step(EVP_PKEY_decrypt(context, output, &size2, sealed, size - 3)), 0);
    }
    ERR_clear_error();
}

/* ---- operations: MACs ---- */

static EVP_MAC_CTX *new_mac(const char *name)
{
    EVP_MAC *mac = EVP_MAC_fetch(libctx, name != NULL ? name : "TLS1-MAC", NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);

    EVP_MAC_free(mac);
    assert_non_null(context);
    return context;
}

static size_t suspend_mac(EVP_MAC_CTX *context, uint8_t blob[MAX_BLOB])
{
    OSSL_PARAM params[] = { octets_param("opaque-blob", blob, MAX_BLOB),
                            OSSL_PARAM_construct_end() };

    assert_int_equal(step(EVP_MAC_CTX_get_params(context, params)), 1);
    return params[0].return_size;
}

/* The parameters of a record, of |row|'s protocol.  |length| NULL: a signature counts by itself. */
static void describe_record(const struct row *row, unsigned *length, OSSL_PARAM params[4])
{
    static unsigned type = 23, version = 0x301, yes = 1;

    if (is_of(row, "PCT1") || is_of(row, "SSL2")) {
        *params++ = OSSL_PARAM_construct_uint("record-mode", &yes);
    } else {
        *params++ = OSSL_PARAM_construct_uint("record-type", &type);
        if (is_of(row, "TLS1"))
            *params++ = OSSL_PARAM_construct_uint("record-version", &version);
        if (length != NULL)
            *params++ = OSSL_PARAM_construct_uint("record-length", length);
    }
    *params = OSSL_PARAM_construct_end();
}

/* A raw message, a record, and a half-absorbed one that goes through a copy and through a blob. */
static void absorb(EVP_MAC_CTX *context, const struct row *row)
{
    static const uint8_t text[MESSAGE_SIZE];
    uint8_t blob[MAX_BLOB] = { 0 };
    unsigned length = MESSAGE_SIZE;
    size_t size = 0;
    OSSL_PARAM record[4];
    OSSL_PARAM resume[] = { octets_param("opaque-blob", blob, 0),
                            text_param("seal-key", seal_key_a), OSSL_PARAM_construct_end() };
    EVP_MAC_CTX *copy, *resumed;

    describe_record(row, &length, record);
    assert_int_equal(step(EVP_MAC_update(context, text, sizeof(text))), 1);
    assert_int_equal(step(EVP_MAC_final(context, output, &size, sizeof(output))), 1);
    assert_int_equal(step(EVP_MAC_CTX_set_params(context, record)), 1);
    assert_int_equal(step(EVP_MAC_update(context, text, 10)), 1);
    copy = EVP_MAC_CTX_dup(context);
    assert_int_equal(step(EVP_MAC_update(copy, text, sizeof(text) - 10)), 1);
    assert_int_equal(step(EVP_MAC_final(copy, output, &size, sizeof(output))), 1);
    EVP_MAC_CTX_free(copy);
    look();
    if (!is_of(row, "PCT1") && !is_of(row, "SSL2")) /* too short */
        assert_int_equal(step(EVP_MAC_final(context, output, &size, sizeof(output))), 0);
    resume[0].data_size = suspend_mac(context, blob);
    resumed = new_mac(row->alg);
    assert_int_equal(step(EVP_MAC_init(resumed, NULL, 0, resume)), 1);
    assert_int_equal(step(EVP_MAC_update(resumed, text, sizeof(text) - 10)), 1);
    assert_int_equal(step(EVP_MAC_final(resumed, output, &size, sizeof(output))), 1);
    EVP_MAC_CTX_free(resumed);
    look();
    assert_int_equal(step(EVP_MAC_update(context, text, 50)), 1);
    ERR_clear_error();
}

static void bound_mac(struct subject *subject)
{
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                          text_param("seal-key", seal_key_a), OSSL_PARAM_construct_end() };
    EVP_MAC_CTX *context = new_mac(subject->row->alg);

    keep_alive(context, release_mac);
    get_handle(subject->key, handle);
    assert_int_equal(step(EVP_MAC_init(context, NULL, 0, bind)), 1);
    absorb(context, subject->row);
}

static void plain_mac(struct subject *subject)
{
    OSSL_PARAM digest[] = { text_param("digest", subject->row->digest),
                            text_param("seal-key", seal_key_a), OSSL_PARAM_construct_end() };
    OSSL_PARAM other[] = { text_param("digest", "MD5"), OSSL_PARAM_construct_end() };
    OSSL_PARAM key[] = { octets_param("key", shown, subject->secret.size),
                         OSSL_PARAM_construct_end() };
    EVP_MAC_CTX *context = new_mac(subject->row->alg);

    /* the key before the digest, as a parameter */
    hidden_show(&subject->secret, shown);
    assert_int_equal(step(EVP_MAC_CTX_set_params(context, key)), 1);
    assert_int_equal(step(EVP_MAC_init(context, NULL, 0, digest)), 1);
    absorb(context, subject->row);
    EVP_MAC_CTX_free(context);
    look();
    /* at initialisation, under two digests, and another key in its place */
    context = new_mac(subject->row->alg);
    assert_int_equal(step(EVP_MAC_init(context, shown, subject->secret.size, digest)), 1);
    absorb(context, subject->row);
    assert_int_equal(step(EVP_MAC_init(context, NULL, 0, other)), 1);
    OPENSSL_cleanse(shown, sizeof(shown));
    assert_int_equal(step(EVP_MAC_init(context, shown, subject->secret.size, digest)), 1);
    keep_alive(context, release_mac);
}

static void sign(struct subject *subject)
{
    static const uint8_t text[MESSAGE_SIZE];
    OSSL_PARAM record[4];

    describe_record(subject->row, NULL, record);
    for (int n = 0; n < 4; n++) {
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        const OSSL_PARAM *params = n < 2 ? NULL : record;
        size_t size = sizeof(output);

        keep_alive(context, release_digest);
        if (n % 2 == 0) {
            assert_int_equal(step(EVP_DigestSignInit_ex(context, NULL, NULL, libctx, NULL,
                                                        subject->key, params)),
                             1);
            assert_int_equal(step(EVP_DigestSignUpdate(context, text, sizeof(text))), 1);
            assert_int_equal(step(EVP_DigestSignFinal(context, output, &size)), 1);
        } else {
            assert_int_equal(step(EVP_DigestVerifyInit_ex(context, NULL, NULL, libctx, NULL,
                                                          subject->key, params)),
                             1);
            assert_int_equal(step(EVP_DigestVerify(context, text, 20, text, sizeof(text))), 0);
        }
    }
    ERR_clear_error();
}

/* ---- operations: masters ---- */

static const char *const usages[] = { "client-write-key", "server-write-key", "client-write-mac",
                                      "server-write-mac" };

/* The MAC of a key of SSL 2.0, which is one key for both. */
static void absorb_with(const OSSL_PARAM bind[])
{
    EVP_MAC_CTX *context = new_mac("SSL2-MAC");
    size_t size = 0;

    assert_int_equal(step(EVP_MAC_init(context, NULL, 0, bind)), 1);
    assert_int_equal(step(EVP_MAC_update(context, client_random, 32)), 1);
    assert_int_equal(step(EVP_MAC_final(context, output, &size, sizeof(output))), 1);
    assert_int_equal(step(EVP_MAC_update(context, client_random, 10)), 1);
    EVP_MAC_CTX_free(context);
    look();
}

static void derive(struct subject *subject)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, subject->key, NULL);
    static const uint8_t text[MESSAGE_SIZE];
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };
    EVP_PKEY *key = NULL;
    int written = 0;

    assert_int_equal(step(EVP_PKEY_keygen_init(context)), 1);
    assert_int_equal(step(EVP_PKEY_generate(context, &key)), 0); /* no usage */
    for (size_t n = 0; n < (is_of(subject->row, "SSL2") ? 2 : 4); n++) {
        OSSL_PARAM params[] = { text_param("usage", usages[n]), OSSL_PARAM_construct_end() };

        assert_int_equal(step(EVP_PKEY_CTX_set_params(context, params)), 1);
        key = NULL;
        assert_int_equal(step(EVP_PKEY_generate(context, &key)), 1);
        get_handle(key, handle);
        if (n < 2) {
            EVP_CIPHER_CTX *cipher_context = EVP_CIPHER_CTX_new();
            EVP_CIPHER *cipher = fetch_cipher(subject->row);

            assert_int_equal(
                step(EVP_CipherInit_ex2(cipher_context, cipher, NULL, NULL, n == 0, bind)), 1);
            assert_int_equal(
                step(EVP_CipherUpdate(cipher_context, output, &written, text, sizeof(text))), 1);
            EVP_CIPHER_free(cipher);
            EVP_CIPHER_CTX_free(cipher_context);
            look();
        }
        if (is_of(subject->row, "SSL2"))
            absorb_with(bind);
        if (n % 2 == 0) {
            EVP_PKEY_free(key);
            look();
        } else {
            retire(key);
            keep_alive(key, release_key);
        }
    }
    /* a generation context has a copy of the master for as long as it lives */
    EVP_PKEY_CTX_free(context);
    look();
    ERR_clear_error();
}

/* Finished values, the PRF and the key block of a master key. */
static void exchange(struct subject *subject)
{
    static const struct {
        const char *usage, *input;
        size_t size;
    } all[] = { { "prf", "seed", 100 },
                { "finished-client", "handshake", 0 },
                { "finished-server", "handshake", 0 },
                { "key-block", NULL, 48 } };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, subject->key, NULL);
    size_t derived = 0;

    keep_alive(context, release_key_context);
    for (size_t n = 0; n < sizeof(all) / sizeof(all[0]); n++) {
        size_t size = sizeof(output), keylen = all[n].size;
        OSSL_PARAM params[] = { text_param("usage", all[n].usage), OSSL_PARAM_construct_end(),
                                OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end() };

        if (keylen != 0)
            params[1] = OSSL_PARAM_construct_size_t("keylen", &keylen);
        if (all[n].input != NULL)
            params[keylen != 0 ? 2 : 1] = octets_param(all[n].input, client_random, 32);
        assert_int_equal(step(EVP_PKEY_derive_init(context)), 1);
        if (step(EVP_PKEY_CTX_set_params(context, params)) == 1)
            derived += step(EVP_PKEY_derive(context, output, &size)) == 1;
    }
    /* SSL 2.0 has a key block, PCT 1.0 nothing */
    assert_int_equal(derived, is_of(subject->row, "PCT1")   ? 0
                              : is_of(subject->row, "SSL2") ? 1
                                                            : 4);
    ERR_clear_error();
}

/* Every usage, from contexts that were set, copied and reset. */
static void derive_bytes(struct subject *subject)
{
    static const struct {
        const char *usage;
        size_t size;
    } all[] = {
        { "key-block", 136 },        { "client-write-key", 32 }, { "server-write-key", 32 },
        { "client-write-mac", 20 },  { "server-write-mac", 20 }, { "client-write-iv", 16 },
        { "server-write-iv", 16 },   { "master-secret", 48 },    { "prf", 100 },
        { "finished-client", 12 },   { "finished-server", 12 },  { "key-block", 5000 },
        { "client-write-key", 100 }, { "client-write-key", 16 },
    };
    EVP_KDF *kdf = fetch_kdf(subject->row);
    const int is_tls1 = is_of(subject->row, "TLS1");
    unsigned yes = 1, bits = 40;

    for (size_t n = 0; n < sizeof(all) / sizeof(all[0]); n++) {
        EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf), *copy;
        int is_export = n == sizeof(all) / sizeof(all[0]) - 1;
        OSSL_PARAM params[] = {
            octets_param(subject->row->parameter, shown, subject->secret.size),
            octets_param("client-random", client_random, 32),
            octets_param("server-random", server_random, 32),
            text_param("cipher", is_export ? "RC4" : subject->row->cipher),
            text_param("digest", subject->row->digest),
            text_param("usage", all[n].usage),
            octets_param("label", "label", 5),
            octets_param("seed", client_random, 32),
            octets_param("handshake", client_random, 32),
            OSSL_PARAM_construct_end(),
            OSSL_PARAM_construct_uint("cipher-bits", &bits),
            OSSL_PARAM_construct_end(),
        };
        OSSL_PARAM export[] = { OSSL_PARAM_construct_uint("export", &yes),
                                OSSL_PARAM_construct_uint("cipher-bits", &bits),
                                OSSL_PARAM_construct_end() };

        if (!is_tls1) /* the others lack some usages, and what belongs to them */
            params[6] = OSSL_PARAM_construct_end();
        hidden_show(&subject->secret, shown);
        if (step(EVP_KDF_CTX_set_params(context, params)) != 1)
            assert_false(is_tls1);
        OPENSSL_cleanse(shown, sizeof(shown));
        if (is_export)
            assert_int_equal(step(EVP_KDF_CTX_set_params(context, export)), 1);
        copy = EVP_KDF_CTX_dup(context);
        if (all[n].size <= sizeof(output))
            (void)step(EVP_KDF_derive(context, output, all[n].size, NULL));
        EVP_KDF_CTX_reset(context);
        look();
        assert_int_equal(step(EVP_KDF_derive(context, output, 48, NULL)), 0);
        (void)step(
            EVP_KDF_derive(copy, output, all[n].size <= sizeof(output) ? all[n].size : 1, NULL));
        EVP_KDF_CTX_free(copy);
        look();
        EVP_KDF_CTX_free(context);
        look();
    }
    EVP_KDF_free(kdf);
    ERR_clear_error();
}

static const struct operation operations[] = {
    { "import", ALL, nothing },
    { "parameters and text", ALL, show },
    { "duplicate and compare", ALL, duplicate },
    { "raw export", ALL, export_raw },
    { "sealed export", ALL, export_sealed },
    { "sealed export alone", ALL, export_alone },
    { "encoder and decoder", ALL, encode_and_decode },
    { "transfer", ALL, transfer },
    { "failures", ALL, fail_half_way },
    { "bound cipher", CIPHERS, bound_cipher },
    { "plain cipher", CIPHERS | CONTEXT_CIPHERS, plain_cipher },
    { "message", CIPHERS, message },
    { "bound MAC", MACS, bound_mac },
    { "plain MAC", MACS | CONTEXT_MACS, plain_mac },
    { "signature", MACS, sign },
    { "derivation", MASTERS, derive },
    { "exchange", MASTERS, exchange },
    { "KDF", MASTERS, derive_bytes },
};

#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

/* ---- libcrypto alone ---- */

/* One HMAC block, and a message of |size| bytes behind it. */
static void hash_block(const char *digest, const uint8_t *key, size_t key_size, uint8_t pad,
                       size_t size)
{
    static const uint8_t text[128];
    static uint8_t block[64];
    static MD5_CTX md5;
    static SHA_CTX sha1;

    memset(block, pad, sizeof(block));
    for (size_t n = 0; n < key_size; n++)
        block[n] ^= key[n];
    if (strcmp(digest, "MD5") == 0) {
        MD5_Init(&md5);
        MD5_Update(&md5, block, sizeof(block));
        MD5_Update(&md5, text, size);
        MD5_Final(output, &md5);
    } else {
        SHA1_Init(&sha1);
        SHA1_Update(&sha1, block, sizeof(block));
        SHA1_Update(&sha1, text, size);
        SHA1_Final(output, &sha1);
    }
    OPENSSL_cleanse(block, sizeof(block));
    OPENSSL_cleanse(&md5, sizeof(md5));
    OPENSSL_cleanse(&sha1, sizeof(sha1));
}

/* Deeper than what frees the context afterwards, as it is when the provider calls. */
static __attribute__((noinline)) void update(EVP_CIPHER_CTX *context, uint8_t *out,
                                             const uint8_t *in, size_t size)
{
    uint8_t gap[1024];
    int written = 0;

    destruction_known[1] = gap;
    assert_int_equal(step(EVP_CipherUpdate(context, out, &written, in, (int)size)), 1);
    destruction_known[1] = NULL;
}

static void run_cipher(const char *name, const uint8_t *key, int encrypt, const uint8_t *in,
                       uint8_t *out, size_t first, size_t last)
{
    static const uint8_t iv[16];
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, name, "provider!=schannel");
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

    assert_int_equal(step(EVP_CipherInit_ex2(context, cipher, key, iv, encrypt, NULL)), 1);
    if (first != 0)
        update(context, out, in, first);
    if (last != 0)
        update(context, out, in, last);
    EVP_CIPHER_free(cipher);
    keep_alive(context, release_cipher);
}

/* What the present control does: set before it runs. */
static size_t first_size, last_size;
static int encrypts;

/* What a seal does with the secret in its payload. */
static void seal_alone(struct subject *subject)
{
    static const uint8_t key[32];
    static uint8_t sealed_text[128];

    if (encrypts) {
        hidden_show(&subject->secret, shown);
        run_cipher("AES-256-GCM", key, 1, shown, output, subject->secret.size, 0);
    } else {
        hidden_show(&subject->secret, shown);
        run_cipher("AES-256-GCM", key, 1, shown, sealed_text, subject->secret.size, 0);
        OPENSSL_cleanse(shown, sizeof(shown));
        run_cipher("AES-256-GCM", key, 0, sealed_text, shown, subject->secret.size, 0);
    }
    OPENSSL_cleanse(shown, sizeof(shown));
}

static void cipher_alone(struct subject *subject)
{
    static const uint8_t text[128];
    static RC4_KEY rc4;

    hidden_show(&subject->secret, shown);
    if (subject->row->iv_size == 0) {
        RC4_set_key(&rc4, (int)subject->secret.size, shown);
        RC4(&rc4, first_size + last_size, text, output);
        OPENSSL_cleanse(&rc4, sizeof(rc4));
    } else {
        run_cipher(subject->row->cipher, shown, encrypts, text, output, first_size, last_size);
    }
    OPENSSL_cleanse(shown, sizeof(shown));
}

static void digest_alone(struct subject *subject)
{
    uint8_t pad = encrypts ? 0x36 : 0x5c;
    size_t half = subject->secret.size / 2;

    hidden_show(&subject->secret, shown);
    if (subject->row->kind == MACS) {
        hash_block(subject->row->digest, shown, subject->secret.size, pad, last_size);
    } else {
        hash_block("MD5", shown, half, pad, last_size);
        hash_block("SHA1", shown + half, half, pad, last_size);
    }
    OPENSSL_cleanse(shown, sizeof(shown));
}

static const struct operation controls[] = {
    { "seal", ALL, seal_alone },
    { "cipher", CIPHERS, cipher_alone },
    { "digest", MACS | MASTERS, digest_alone },
};

static void remember_leaves(const char *control, const struct row *row)
{
    for (size_t m = 0; m < marks.count; m++) {
        const struct mark *mark = &marks.mark[m];

        if (mark->found[REGION_STACK] == 0 || libcrypto_leaves(row, mark->name))
            continue;
        print_message("libcrypto's %s alone, %s, %s %zu + %zu bytes: %s %u times in stack\n",
                      control, row->name, encrypts ? "encrypt" : "decrypt", first_size, last_size,
                      mark->name, mark->found[REGION_STACK]);
        remember_leaf(row, mark->name);
    }
}

static void what_libcrypto_alone_leaves_is_known(void **state)
{
    static const size_t sizes[][2] = { { 0, 8 }, { 0, 16 }, { 16, 16 }, { 0, 96 }, { 96, 16 } };

    (void)state;
    for (size_t n = 0; n < ROWS * sizeof(controls) / sizeof(controls[0]); n++) {
        const struct row *row = &rows[n % ROWS];
        const struct operation *control = &controls[n / ROWS];
        struct subject subject = { .row = row };

        if ((control->kinds & row->kind) == 0)
            continue;
        hidden_make(&subject.secret, row->key_size);
        marks_compute(&marks, add_key_marks, &subject);
        for (size_t m = 0; m < 2 * sizeof(sizes) / sizeof(sizes[0]); m++) {
            encrypts = (int)(m % 2);
            first_size = sizes[m / 2][0];
            last_size = sizes[m / 2][1];
            current = control->name;
            current_row = row;
            learns = 1;
            deep(control->run, &subject);
            scan();
            release_alive();
            learns = 0;
            remember_leaves(control->name, row);
        }
    }
}

/* ---- the tests ---- */

/* Found while it lives: else a scan that finds nothing says nothing. */
static int check_alive(const char *operation, const struct subject *subject)
{
    const char *name = subject->row->alive;

    if (subject->key == NULL)
        return 0;
    scan();
    if (name == NULL)
        name = marks_have(&marks, "master secret") && found_anywhere("secret") == 0
                   ? "master secret"
                   : "secret";
    if (found_anywhere(name) != 0)
        return 0;
    print_message("%s, %s: the %s of a live key was not found\n", operation, subject->row->name,
                  name);
    return 1;
}

static int check_operation(const struct operation *operation, const struct row *row,
                           int is_generated)
{
    unsigned before = steps_ours;
    int bad = 0;

    for (int with_retire = 0; with_retire < 2; with_retire++) {
        struct subject subject = { .row = row, .is_generated = is_generated };

        current = operation->name;
        current_row = row;
        hidden_make(&subject.secret, row->key_size);
        if (!is_generated)
            marks_compute(&marks, add_key_marks, &subject);
        deep(make_key, &subject);
        if (is_generated)
            marks_compute(&marks, add_key_marks, &subject);
        if (with_retire) {
            if (operation->run == nothing)
                bad |= check_alive(operation->name, &subject);
            deep(operation->run, &subject);
            deep(retire_key, &subject);
            scan();
            bad |= report(operation->name, row, "retired");
        } else {
            deep(operation->run, &subject);
        }
        deep(free_key, &subject);
        scan();
        bad |= report(operation->name, row, with_retire ? "retired and freed" : "freed");
    }
    return bad | (steps_ours != before);
}

static void print_totals(void)
{
    print_message("%u scans, the last one of %zu KiB; left in heap %u, anonymous %u, data %u, "
                  "stack %u\n",
                  scans, memory_scan_size() / 1024, totals[REGION_HEAP], totals[REGION_ANONYMOUS],
                  totals[REGION_DATA], totals[REGION_STACK]);
    if (WITH_SANITIZER)
        print_message("the stack is not judged in this build, whose frames are not those of a "
                      "release\n");
    else
        print_message("%u calls followed by a scan of the stack: %u remains of ours, %u of "
                      "libcrypto's\n",
                      steps, steps_ours, steps_libcrypto);
}

static void no_operation_leaves_a_secret_behind(void **state)
{
    int bad = 0;

    (void)state;
    for (size_t o = 0; o < OPERATIONS; o++) {
        for (size_t n = 0; n < ROWS; n++) {
            if ((operations[o].kinds & rows[n].kind) != 0)
                bad |= check_operation(&operations[o], &rows[n], 0);
        }
    }
    print_totals();
    assert_int_equal(bad, 0);
}

static void a_generated_key_leaves_nothing_behind(void **state)
{
    static const struct operation generation = { "generation", ALL, nothing },
                                  copies = { "generation and duplicate", ALL, duplicate };
    int bad = 0;

    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        /* a generated master of SSL 3.0 or TLS 1.0 is a premaster */
        if (strcmp(rows[n].name, "master") == 0 || strcmp(rows[n].name, "SSL3 master") == 0 ||
            rows[n].key_size == 128 || (rows[n].kind & ALL) == 0)
            continue;
        bad |= check_operation(&generation, &rows[n], 1);
        bad |= check_operation(&copies, &rows[n], 1);
    }
    print_totals();
    assert_int_equal(bad, 0);
}

/* ---- what seals ---- */

/* The blobs that were sealed under one hidden sealing key or passphrase. */
struct sealed {
    struct hidden secret;
    int is_passphrase;
    const char *path; /* where a child is to write the sealing key; NULL: nowhere */
    size_t count;
    uint8_t blob_id[4][16];
};

static void run_kdf(const char *name, OSSL_PARAM params[], uint8_t *out, size_t size)
{
    EVP_KDF *kdf = EVP_KDF_fetch(libctx, name, "provider!=schannel");
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);

    if (EVP_KDF_derive(context, out, size, params) != 1)
        abort();
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

static void pbkdf2(const uint8_t *text, size_t size, const uint8_t salt[16], uint8_t out[32])
{
    unsigned iterations = ITERATIONS;
    OSSL_PARAM params[] = { octets_param("pass", text, size), octets_param("salt", salt, 16),
                            OSSL_PARAM_construct_uint("iter", &iterations),
                            text_param("digest", "SHA256"), OSSL_PARAM_construct_end() };

    run_kdf("PBKDF2", params, out, 32);
}

static void hkdf(const uint8_t key[32], const uint8_t salt[16], const char *mode, uint8_t *out,
                 size_t size)
{
    OSSL_PARAM params[] = { text_param("mode", mode),
                            text_param("digest", "SHA256"),
                            octets_param("key", key, 32),
                            octets_param("salt", salt, 16),
                            octets_param("info", "schannel opaque key blob seal 1", 31),
                            OSSL_PARAM_construct_end() };

    run_kdf("HKDF", params, out, size);
}

static void add_sha256(const uint8_t *key, size_t size, uint8_t pad, const char *name)
{
    uint8_t block[64];
    SHA256_CTX sha256;

    memset(block, pad, sizeof(block));
    for (size_t n = 0; n < size; n++)
        block[n] ^= key[n];
    SHA256_Init(&sha256);
    SHA256_Update(&sha256, block, sizeof(block));
    mark_add(name, sha256.h, 32, MARK_RUN);
}

static void write_file(const char *path, const uint8_t *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size || close(fd) != 0)
        abort();
}

static void add_seal_marks(const void *argument)
{
    const struct sealed *sealed = argument;
    uint8_t secret[128], sealing_key[32], prk[32], out[32 + 12 + 32];

    hidden_show(&sealed->secret, secret);
    if (sealed->path != NULL)
        write_file(sealed->path, secret, sealed->secret.size);
    mark_add(sealed->is_passphrase ? "passphrase" : "sealing key", secret, sealed->secret.size,
             MARK_RUN);
    add_padded(secret, sealed->secret.size);
    add_sha256(secret, sealed->secret.size, 0x36, "inner midstate");
    add_sha256(secret, sealed->secret.size, 0x5c, "outer midstate");
    for (size_t n = 0; n < sealed->count; n++) {
        memcpy(sealing_key, secret, sizeof(sealing_key));
        if (sealed->is_passphrase) {
            pbkdf2(secret, sealed->secret.size, sealed->blob_id[n], sealing_key);
            mark_add("sealing key", sealing_key, sizeof(sealing_key), MARK_RUN);
        }
        hkdf(sealing_key, sealed->blob_id[n], "EXTRACT_ONLY", prk, sizeof(prk));
        mark_add("PRK", prk, sizeof(prk), MARK_RUN);
        add_padded(prk, sizeof(prk));
        add_sha256(prk, sizeof(prk), 0x36, "inner midstate");
        add_sha256(prk, sizeof(prk), 0x5c, "outer midstate");
        hkdf(sealing_key, sealed->blob_id[n], "EXTRACT_AND_EXPAND", out, sizeof(out));
        mark_add("AEAD key", out, 32, MARK_RUN);
        add_aes(out, 32);
    }
}

static struct sealed sealed;
static const struct row sealed_row = { "RC4", "RC4", "secret", NULL, "RC4", CIPHERS, 16, 0, NULL };

static void note_blob(const uint8_t *blob, size_t size)
{
    assert_true(size > BLOB_ID_AT + 16 && sealed.count < 4);
    memcpy(sealed.blob_id[sealed.count++], blob + BLOB_ID_AT, 16);
}

static void export_under_file(struct subject *subject)
{
    uint8_t blob[MAX_BLOB];
    char seal_key[160] = "";
    OSSL_PARAM seal[] = { text_param("seal-key", seal_key), OSSL_PARAM_construct_end() };
    EVP_PKEY *copy;
    size_t size;

    snprintf(seal_key, sizeof(seal_key), "file:%s", sealed.path);
    seal[0] = text_param("seal-key", seal_key);
    assert_int_equal(step(EVP_PKEY_set_params(subject->key, seal)), 1);
    size = export_blob(subject->key, blob);
    look();
    note_blob(blob, size);
    copy = import_blob(blob, size, seal_key);
    assert_non_null(copy);
    EVP_PKEY_free(copy);
    look();
    blob[size - 1] ^= 1;
    assert_null(import_blob(blob, size, seal_key));
    look();
    ERR_clear_error();
}

static void a_sealing_key_from_a_file_is_forgotten_after_each_blob(void **state)
{
    struct subject subject = { .row = &sealed_row };
    char path[128];

    (void)state;
    snprintf(path, sizeof(path), "%s/marked", directory);
    sealed = (struct sealed){ .path = path };
    hidden_make(&sealed.secret, 32);
    marks_compute(&marks, add_seal_marks, &sealed); /* writes the file */
    current = "export under a file";
    current_row = &sealed_row;
    hidden_make(&subject.secret, 16);
    deep(make_key, &subject);
    deep(export_under_file, &subject);
    marks_compute(&marks, add_seal_marks, &sealed);
    assert_int_equal(unlink(path), 0);
    scan();
    assert_int_equal(report("export under a file", &sealed_row, "key alive"), 0);
    free_key(&subject);
}

static int give_passphrase(char *text, size_t room, size_t *size, const OSSL_PARAM params[],
                           void *argument)
{
    (void)params;
    (void)argument;
    if (room < sealed.secret.size)
        return 0;
    hidden_show(&sealed.secret, (uint8_t *)text);
    *size = sealed.secret.size;
    return 1;
}

/* By value and by callback: what libcrypto copies of it goes with its contexts. */
static void export_under_passphrase(struct subject *subject)
{
    for (int by_callback = 0; by_callback < 2; by_callback++) {
        OSSL_ENCODER_CTX *encoder =
            OSSL_ENCODER_CTX_new_for_pkey(subject->key, EVP_PKEY_KEYPAIR, "DER", NULL, NULL);
        OSSL_DECODER_CTX *decoder;
        EVP_PKEY *copy = NULL;
        unsigned char *data = NULL;
        const unsigned char *position;
        size_t size = 0;

        assert_int_equal(step(OSSL_ENCODER_CTX_set_cipher(encoder, "AES-256-CBC", NULL)), 1);
        hidden_show(&sealed.secret, shown);
        if (by_callback)
            assert_int_equal(
                step(OSSL_ENCODER_CTX_set_passphrase_cb(encoder, give_passphrase, NULL)), 1);
        else
            assert_int_equal(
                step(OSSL_ENCODER_CTX_set_passphrase(encoder, shown, sealed.secret.size)), 1);
        assert_int_equal(step(OSSL_ENCODER_to_data(encoder, &data, &size)), 1);
        OSSL_ENCODER_CTX_free(encoder);
        note_blob(data, size);
        decoder = OSSL_DECODER_CTX_new_for_pkey(&copy, NULL, NULL, "SCHANNEL", EVP_PKEY_KEYPAIR,
                                                libctx, NULL);
        if (by_callback)
            assert_int_equal(
                step(OSSL_DECODER_CTX_set_passphrase_cb(decoder, give_passphrase, NULL)), 1);
        else
            assert_int_equal(
                step(OSSL_DECODER_CTX_set_passphrase(decoder, shown, sealed.secret.size)), 1);
        OPENSSL_cleanse(shown, sizeof(shown));
        position = data;
        assert_int_equal(step(OSSL_DECODER_from_data(decoder, &position, &size)), 1);
        OSSL_DECODER_CTX_free(decoder);
        OPENSSL_free(data);
        EVP_PKEY_free(copy);
        look();
    }
    ERR_clear_error();
}

/* Has written it when it finds that it cannot answer. */
static int give_passphrase_and_fail(char *text, size_t room, size_t *size,
                                    const OSSL_PARAM params[], void *argument)
{
    give_passphrase(text, room, size, params, argument);
    return 0;
}

static void fail_to_give_passphrase(struct subject *subject)
{
    OSSL_ENCODER_CTX *encoder =
        OSSL_ENCODER_CTX_new_for_pkey(subject->key, EVP_PKEY_KEYPAIR, "DER", NULL, NULL);
    unsigned char *data = NULL;
    size_t size = 0;

    assert_int_equal(OSSL_ENCODER_CTX_set_cipher(encoder, "AES-256-CBC", NULL), 1);
    assert_int_equal(OSSL_ENCODER_CTX_set_passphrase_cb(encoder, give_passphrase_and_fail, NULL),
                     1);
    assert_int_equal(step(OSSL_ENCODER_to_data(encoder, &data, &size)), 0);
    OSSL_ENCODER_CTX_free(encoder);
    assert_reason("no passphrase", "");
}

/* PBKDF2 of libcrypto alone. */
static void pbkdf2_alone(struct subject *subject)
{
    static const uint8_t salt[16];

    (void)subject;
    hidden_show(&sealed.secret, shown);
    pbkdf2(shown, sealed.secret.size, salt, output);
    OPENSSL_cleanse(shown, sizeof(shown));
}

static void export_under_wrong_file(struct subject *subject)
{
    uint8_t blob[MAX_BLOB] = { 0 };
    char seal_key[160] = "";
    OSSL_PARAM params[] = { octets_param("opaque-blob", blob, sizeof(blob)),
                            OSSL_PARAM_construct_end() };
    OSSL_PARAM seal[] = { text_param("seal-key", seal_key), OSSL_PARAM_construct_end() };

    snprintf(seal_key, sizeof(seal_key), "file:%s", sealed.path);
    assert_int_equal(step(EVP_PKEY_set_params(subject->key, seal)), 1);
    assert_int_equal(step(EVP_PKEY_get_params(subject->key, params)), 0);
    assert_reason("sealing key is invalid", "33 bytes");
}

/* Refused for its length, when it has been read. */
static void a_sealing_key_that_is_refused_is_forgotten(void **state)
{
    struct subject subject = { .row = &sealed_row };
    char path[128];

    (void)state;
    snprintf(path, sizeof(path), "%s/marked", directory);
    sealed = (struct sealed){ .path = path };
    hidden_make(&sealed.secret, 33);
    marks_compute(&marks, add_seal_marks, &sealed); /* writes the file */
    current = "export under a wrong file";
    current_row = &sealed_row;
    hidden_make(&subject.secret, 16);
    deep(make_key, &subject);
    deep(export_under_wrong_file, &subject);
    assert_int_equal(unlink(path), 0);
    scan();
    assert_int_equal(report(current, &sealed_row, "key alive"), 0);
    free_key(&subject);
}

static void a_passphrase_is_forgotten_after_each_blob(void **state)
{
    struct subject subject = { .row = &sealed_row, .has_no_seal_key = 1 };

    (void)state;
    sealed = (struct sealed){ .is_passphrase = 1 };
    hidden_make(&sealed.secret, PASSPHRASE);
    marks_compute(&marks, add_seal_marks, &sealed);
    current = "PBKDF2";
    current_row = &sealed_row;
    learns = 1;
    deep(pbkdf2_alone, &subject);
    scan();
    learns = 0;
    remember_leaves("PBKDF2", &sealed_row);
    current = "export under a passphrase";
    hidden_make(&subject.secret, 16);
    deep(make_key, &subject);
    deep(fail_to_give_passphrase, &subject);
    scan();
    assert_int_equal(report("refused passphrase", &sealed_row, "key alive"), 0);
    deep(export_under_passphrase, &subject);
    marks_compute(&marks, add_seal_marks, &sealed);
    scan();
    assert_int_equal(report("export under a passphrase", &sealed_row, "key alive"), 0);
    free_key(&subject);
}

/* ---- what has to be found ---- */

/* Left behind on purpose, once in each region. */
static uint8_t data_copy[64];

static void leave_in_stack(struct subject *subject)
{
    uint8_t copy[128];

    destruction_known[0] = copy;
    hidden_show(&subject->secret, copy);
    destruction_known[0] = NULL;
}

static void a_scan_finds_what_is_left_in_any_region(void **state)
{
    struct subject subject = { .row = &rows[7] };
    uint8_t *heap = malloc(48), *anonymous = malloc(1 << 20), *freed = malloc(4000);

    (void)state;
    hidden_make(&subject.secret, 48);
    marks_compute(&marks, add_key_marks, &subject);
    scan();
    assert_int_equal(found_anywhere("secret"), 0);
    deep(leave_in_stack, &subject);
    destruction_known[1] = heap;
    destruction_known[2] = anonymous;
    destruction_known[3] = data_copy;
    destruction_known[4] = freed;
    hidden_show(&subject.secret, heap);
    hidden_show(&subject.secret, anonymous + 12345);
    hidden_show(&subject.secret, data_copy);
    hidden_show(&subject.secret, freed + 2000);
    OPENSSL_cleanse(freed + 2000, 32); /* the last 16 bytes are enough */
    free(freed);
    scan();
    assert_int_equal(marks.mark[0].found[REGION_STACK], 1);
    assert_int_equal(marks.mark[0].found[REGION_DATA], 1);
    assert_int_equal(marks.mark[0].found[REGION_HEAP] + marks.mark[0].found[REGION_ANONYMOUS], 3);
    OPENSSL_cleanse(data_copy, sizeof(data_copy));
    OPENSSL_cleanse(heap, 48);
    OPENSSL_cleanse(anonymous, 1 << 20);
    free(heap);
    free(anonymous);
}

/* Half a message, absorbed in the context. */
static void sign_half(struct subject *subject)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    keep_alive(context, release_digest);
    assert_int_equal(EVP_DigestSignInit_ex(context, NULL, NULL, libctx, NULL, subject->key, NULL),
                     1);
    assert_int_equal(EVP_DigestSignUpdate(context, "half", 4), 1);
}

static void generate_once(struct subject *subject)
{
    OSSL_PARAM params[] = { text_param("usage", is_of(subject->row, "SSL2") ? "client-write-key"
                                                                            : "client-write-mac"),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, subject->key, NULL);
    EVP_PKEY *key = NULL;

    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_params(context, params), 1);
    assert_int_equal(EVP_PKEY_generate(context, &key), 1);
    EVP_PKEY_free(key);
    look();
    keep_alive(context, release_key_context);
}

static void a_scan_finds_what_a_key_in_use_is_made_of(void **state)
{
    static const struct {
        size_t row;
        void (*run)(struct subject *subject);
        const char *marks[3];
    } all[] = {
        { 0, bound_cipher, { "secret", "permutation" } },
        { 1, bound_cipher, { "permutation" } },
        { 2, bound_cipher, { "secret", "DES schedule" } },
        { 3, bound_cipher, { "secret", "AES decryption schedule" } },
        { 4, message, { "secret" } },
        { 5, bound_mac, { "secret", "inner midstate", "outer midstate" } },
        { 6, bound_mac, { "secret", "inner midstate", "outer midstate" } },
        { 7, nothing, { "secret" } },
        { 8, nothing, { "secret" } },
        { 8, derive, { "master secret" } },
        { 12, bound_cipher, { "secret", "RC2 schedule" } },
        { 13, bound_cipher, { "secret", "DES schedule" } },
        { 14, bound_cipher, { "secret", "DES schedule" } },
        { 16, bound_mac, { "secret" } },
        { 18, bound_mac, { "secret", "inner midstate" } },
        { 19, sign_half, { "secret", "inner midstate" } },
        { 20, bound_mac, { "secret" } },
        { 21, generate_once, { "secret" } },
        { 24, exchange, { "master secret" } },
    };

    (void)state;
    for (size_t n = 0; n < sizeof(all) / sizeof(all[0]); n++) {
        struct subject subject = { .row = &rows[all[n].row] };

        hidden_make(&subject.secret, subject.row->key_size);
        current_row = subject.row;
        marks_compute(&marks, add_key_marks, &subject);
        deep(make_key, &subject);
        deep(all[n].run, &subject);
        scan();
        for (size_t m = 0; m < 3 && all[n].marks[m] != NULL; m++) {
            if (found_anywhere(all[n].marks[m]) == 0)
                fail_msg("%s: the %s was not found", subject.row->name, all[n].marks[m]);
        }
        free_key(&subject);
    }
}

/* ---- known to stay ---- */

/*
 * What a signature context has absorbed ends with the key.  A generation context has a copy of the
 * master, as the master hash of CryptoAPI: that stays until the context goes.
 */
static void what_contexts_keep_of_a_retired_key_goes_with_them(void **state)
{
    static const struct operation keepers[] = { { "half a signature", MACS, sign_half },
                                                { "generation context", MASTERS, generate_once } };
    int bad = 0;

    (void)state;
    for (size_t n = 0; n < 2 * ROWS; n++) {
        const struct operation *keeper = &keepers[n / ROWS];
        struct subject subject = { .row = &rows[n % ROWS] };

        if ((keeper->kinds & subject.row->kind) == 0)
            continue;
        current = keeper->name;
        current_row = subject.row;
        hidden_make(&subject.secret, subject.row->key_size);
        marks_compute(&marks, add_key_marks, &subject);
        deep(make_key, &subject);
        deep(keeper->run, &subject);
        deep(retire_key, &subject);
        scan();
        for (size_t m = 0; m < marks.count; m++) {
            unsigned kept = found_judged(marks.mark[m].name);

            bad |= kept != 0 && keeper == &keepers[0];
            if (kept != 0)
                print_message("%s of a retired %s key keeps: %s\n", keeper->name, subject.row->name,
                              marks.mark[m].name);
        }
        deep(free_key, &subject);
        scan();
        bad |= report(keeper->name, subject.row, "freed");
    }
    assert_int_equal(bad, 0);
}

static void no_call_left_anything_of_ours_in_the_stack(void **state)
{
    (void)state;
    print_totals();
    assert_int_equal(steps_ours, 0);
}

static int remove_claims(void)
{
    DIR *claims_directory = opendir(claims);
    const struct dirent *entry;

    if (claims_directory == NULL)
        return -1;
    while ((entry = readdir(claims_directory)) != NULL)
        unlinkat(dirfd(claims_directory), entry->d_name, 0);
    closedir(claims_directory);
    return rmdir(claims);
}

static int setup(void **state)
{
    memory_scan_setup();
    pattern(client_random, sizeof(client_random), 5);
    pattern(server_random, sizeof(server_random), 9);
    if (fixture_setup(state) != 0)
        return -1;
    snprintf(claims, sizeof(claims), "%s/claims", directory);
    return mkdir(claims, 0700);
}

static int teardown(void **state)
{
    return remove_claims() != 0 ? -1 : fixture_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scan_finds_what_is_left_in_any_region),
        cmocka_unit_test(what_libcrypto_alone_leaves_is_known),
        cmocka_unit_test(a_scan_finds_what_a_key_in_use_is_made_of),
        cmocka_unit_test(no_operation_leaves_a_secret_behind),
        cmocka_unit_test(a_generated_key_leaves_nothing_behind),
        cmocka_unit_test(what_contexts_keep_of_a_retired_key_goes_with_them),
        cmocka_unit_test(a_sealing_key_from_a_file_is_forgotten_after_each_blob),
        cmocka_unit_test(a_sealing_key_that_is_refused_is_forgotten),
        cmocka_unit_test(a_passphrase_is_forgotten_after_each_blob),
        cmocka_unit_test(no_call_left_anything_of_ours_in_the_stack),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
