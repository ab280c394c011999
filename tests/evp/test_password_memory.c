/*
 * A password leaves no copy in the process: not itself, not its hash, nothing of the key.
 *
 * The password is random and masked (memory_scan.h).  Everything that can be done with it is done
 * deep in the stack, so that dead frames are still there when all writable memory is scanned.
 * Heap, anonymous memory and data must hold nothing.  Of the stack only that may remain which
 * libcrypto leaves when it hashes the same bytes alone.
 */
#include "fixture.h"
#include "memory_scan.h"

#include <openssl/crypto.h>
#include <openssl/kdf.h>

#define DEPTH         65536
#define PASSWORD_SIZE 40
#define HASH_SIZE     20
#define KEY_SIZE      32

#if WITH_SANITIZER
/* Dead frames on a heap of the sanitizer's own would be taken for heap. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_stack_use_after_return=0";
}
#endif

static struct hidden password, password_hash;
static int gives_hash; /* the hash instead of the password */
static struct mark_list marks;
static uint8_t shown[PASSWORD_SIZE], output[KEY_SIZE]; /* cleansed before every scan */
static EVP_MD *sha1;

/* Known to somebody else, so that the compiler does not leave out what is stored there. */
uint8_t *volatile password_memory_known;

/* ---- marks: computed in a child process ---- */

static void add_padded(const uint8_t *hash, uint8_t pad, uint8_t *out)
{
    uint8_t block[64];

    memset(block, pad, sizeof(block));
    for (size_t n = 0; n < HASH_SIZE; n++)
        block[n] ^= hash[n];
    mark_add("padded hash", block, HASH_SIZE, MARK_RUN);
    EVP_Digest(block, sizeof(block), out, NULL, sha1, NULL);
}

static void add_marks(const void *unused)
{
    uint8_t text[PASSWORD_SIZE], hash[HASH_SIZE], key[2 * HASH_SIZE];

    (void)unused;
    hidden_show(&password, text);
    mark_add("password", text, sizeof(text), MARK_RUN);
    EVP_Digest(text, sizeof(text), hash, NULL, sha1, NULL);
    mark_add("hash", hash, sizeof(hash), MARK_RUN);
    add_padded(hash, 0x36, key);
    add_padded(hash, 0x5c, key + HASH_SIZE);
    mark_add("key", key, sizeof(key), MARK_RUN);
}

/* ---- right after a call: its dead frames, before anything else overwrites them ---- */

static unsigned libcryptos[MARK_MAX]; /* how often libcrypto alone leaves each mark */
static unsigned ours;
static int learns;

static int look(int result)
{
    if (WITH_SANITIZER)
        return result;
    memory_scan_stack(&marks);
    for (size_t n = 0; n < marks.count; n++) {
        const unsigned found = marks.mark[n].found[REGION_STACK];

        if (learns) {
            libcryptos[n] += found;
        } else if (found != 0 && libcryptos[n] == 0) {
            print_message("%s: %u times in the stack\n", marks.mark[n].name, found);
            ours++;
        }
    }
    return result;
}

/* ---- what is done with a password ---- */

static OSSL_PARAM password_param(void)
{
    return gives_hash ? octets_param("hash", shown, HASH_SIZE)
                      : octets_param("pass", shown, PASSWORD_SIZE);
}

static void show_password(void)
{
    hidden_show(gives_hash ? &password_hash : &password, shown);
}

/* Shown for one call only. */
static int set_kdf_password(EVP_KDF_CTX *context, OSSL_PARAM other)
{
    OSSL_PARAM params[] = { password_param(), other, OSSL_PARAM_construct_end() };
    int ok;

    show_password();
    ok = look(EVP_KDF_CTX_set_params(context, params));
    OPENSSL_cleanse(shown, sizeof(shown));
    return ok;
}

static void use_kdf(void)
{
    EVP_KDF *kdf = EVP_KDF_fetch(libctx, "CRYPTDERIVEKEY", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf), *copy;
    OSSL_PARAM wanted[] = { octets_param("salt", output, sizeof(output)),
                            OSSL_PARAM_construct_end() };
    OSSL_PARAM cipher[] = { text_param("cipher", "AES-256-CBC"), OSSL_PARAM_construct_end() };
    OSSL_PARAM rc4[] = { text_param("cipher", "RC4"), text_param("salt-mode", "create"),
                         OSSL_PARAM_construct_end() };

    /* replaced, refused, copied */
    assert_int_equal(set_kdf_password(context, text_param("digest", "SHA1")), 1);
    assert_int_equal(set_kdf_password(context, text_param("digest", "SHA1")), 1);
    assert_int_equal(set_kdf_password(context, text_param("digest", "SHA224")), 0);
    assert_int_equal(look(EVP_KDF_derive(context, output, KEY_SIZE, NULL)), 0);
    assert_int_equal(look(EVP_KDF_derive(context, output, KEY_SIZE, cipher)), 1);
    assert_int_equal(look(EVP_KDF_derive(context, output, KEY_SIZE - 1, NULL)), 0);
    copy = EVP_KDF_CTX_dup(context);
    assert_int_equal(look(EVP_KDF_derive(copy, output, 16, rc4)), 1);
    assert_int_equal(look(EVP_KDF_CTX_get_params(copy, wanted)), 1);
    EVP_KDF_CTX_reset(context);
    EVP_KDF_CTX_free(context);
    EVP_KDF_CTX_free(copy);
    EVP_KDF_free(kdf);
    ERR_clear_error();
    OPENSSL_cleanse(output, sizeof(output));
}

static EVP_PKEY_CTX *new_generation(const char *alg)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(libctx, "SCHANNEL", NULL);
    OSSL_PARAM params[] = { text_param("alg", alg), text_param("digest", "SHA1"), password_param(),
                            OSSL_PARAM_construct_end() };

    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    show_password();
    assert_int_equal(look(EVP_PKEY_CTX_set_params(context, params)), 1);
    OPENSSL_cleanse(shown, sizeof(shown));
    return context;
}

static void use_generation(void)
{
    OSSL_PARAM wrong[] = { text_param("salt-mode", "wrong"), OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *context = new_generation("AES-256-CBC");
    EVP_PKEY *key = NULL, *copy;

    assert_int_equal(EVP_PKEY_CTX_set_params(context, wrong), 0);
    assert_int_equal(look(EVP_PKEY_generate(context, &key)), 1);
    copy = EVP_PKEY_dup(key);
    EVP_PKEY_free(copy);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(context);
    key = NULL;
    context = new_generation("TLS1-MASTER");
    assert_int_equal(look(EVP_PKEY_generate(context, &key)), 0);
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
}

/* The same hash without the provider. */
static void hash_alone(void)
{
    hidden_show(&password, shown);
    assert_int_equal(look(EVP_Digest(shown, sizeof(shown), output, NULL, sha1, NULL)), 1);
    OPENSSL_cleanse(shown, sizeof(shown));
    OPENSSL_cleanse(output, sizeof(output));
}

/* ---- scans ---- */

static __attribute__((noinline)) void deep(void (*function)(void))
{
    uint8_t gap[DEPTH];

    password_memory_known = gap;
    function();
    password_memory_known = NULL;
}

static unsigned found_in(const struct mark *mark, enum region first, enum region last)
{
    unsigned found = 0;

    for (size_t region = first; region <= last; region++)
        found += mark->found[region];
    return found;
}

static void assert_nothing_is_left(void (*function)(void))
{
    int bad = 0;

    learns = 1;
    deep(hash_alone);
    memory_scan(&marks);
    for (size_t n = 0; n < marks.count; n++)
        libcryptos[n] += marks.mark[n].found[REGION_STACK];
    learns = 0;
    ours = 0;
    deep(function);
    memory_scan(&marks);
    for (size_t n = 0; n < marks.count; n++) {
        const struct mark *mark = &marks.mark[n];
        const unsigned elsewhere = found_in(mark, REGION_HEAP, REGION_DATA);
        const unsigned in_stack = mark->found[REGION_STACK];

        if (elsewhere != 0 || in_stack != 0)
            print_message("%s: %u times in the stack (libcrypto alone: %u), %u times elsewhere\n",
                          mark->name, in_stack, libcryptos[n], elsewhere);
        bad |= elsewhere != 0 || (!WITH_SANITIZER && in_stack != 0 && libcryptos[n] == 0);
    }
    assert_int_equal(bad, 0);
    assert_int_equal(ours, 0);
}

static void a_password_is_found_while_a_context_has_it(void **state)
{
    EVP_PKEY_CTX *context;
    unsigned found;

    (void)state;
    context = new_generation("AES-256-CBC");
    memory_scan(&marks);
    found = found_in(&marks.mark[0], REGION_HEAP, REGION_ANONYMOUS);
    EVP_PKEY_CTX_free(context);
    assert_int_not_equal(found, 0);
}

static void the_kdf_leaves_nothing(void **state)
{
    (void)state;
    for (gives_hash = 0; gives_hash < 2; gives_hash++)
        assert_nothing_is_left(use_kdf);
    gives_hash = 0;
}

static void a_generation_leaves_nothing(void **state)
{
    (void)state;
    for (gives_hash = 0; gives_hash < 2; gives_hash++)
        assert_nothing_is_left(use_generation);
    gives_hash = 0;
}

static void hide_hash(void)
{
    hidden_show(&password, shown);
    assert_int_equal(EVP_Digest(shown, sizeof(shown), output, NULL, sha1, NULL), 1);
    OPENSSL_cleanse(shown, sizeof(shown));
    hidden_take(&password_hash, output, HASH_SIZE);
}

static int setup(void **state)
{
    memory_scan_setup();
    if (fixture_setup(state) != 0)
        return -1;
    sha1 = EVP_MD_fetch(libctx, "SHA1", "provider!=schannel");
    hidden_make(&password, PASSWORD_SIZE);
    deep(hide_hash);
    marks_compute(&marks, add_marks, NULL);
    return sha1 == NULL;
}

static int teardown(void **state)
{
    EVP_MD_free(sha1);
    return fixture_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_is_found_while_a_context_has_it),
        cmocka_unit_test(the_kdf_leaves_nothing),
        cmocka_unit_test(a_generation_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
