/*
 * Exchanged, plaintext and signed blobs leave no copy of the key in the process: not of its bytes, and
 * not in the order that RSA works on them.
 *
 * The key is random and masked (memory_scan.h).  Every export and import is done deep in the stack,
 * successes and failures, so that dead frames are still there when all writable memory is scanned.
 * Only that may remain which libcrypto leaves when it does the same RSA alone.
 */
#include "blob_calls.h"
#include "memory_scan.h"

#include <fcntl.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include <openssl/rsa.h>

#define DEPTH    131072
#define MAX_KEY  48
#define RSA_SIZE 256

#if WITH_SANITIZER
/* Dead frames on a heap of the sanitizer's own would be taken for heap. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_stack_use_after_return=0";
}
#endif

/* What is exchanged now. */
static const struct row {
    const char *alg, *parameter;
    size_t size;
    unsigned is_marked; /* with ssl2-fallback */
} rows[] = {
    { "AES-256-CBC", "secret", 32, 0 },
    { "RC4", "secret", 16, 0 },
    { "TLS1-MASTER", "premaster", 48, 0 },
    { "SSL2-MASTER", "secret", 24, 1 },
};

static const struct row *row;
static struct hidden secret;
static struct mark_list marks;
static uint8_t shown[MAX_KEY], block[RSA_SIZE]; /* cleansed before every scan */
static char private_path[96], public_path[96], other_path[96], other_public[96], file_path[96];
static EVP_PKEY *rsa;
static struct exported pkcs1, oaep, signed_simple, scratch;

/* Known to somebody else, so that the compiler does not leave out what is stored there. */
uint8_t *volatile exchange_memory_known;

/* ---- marks: computed in a child process ---- */

static void add_marks(const void *unused)
{
    uint8_t bytes[MAX_KEY], reversed[MAX_KEY];

    (void)unused;
    hidden_show(&secret, bytes);
    for (size_t n = 0; n < secret.size; n++)
        reversed[n] = bytes[secret.size - 1 - n];
    mark_add("key", bytes, secret.size, MARK_RUN);
    mark_add("key in reverse", reversed, secret.size, MARK_RUN);
}

/* ---- scans ---- */

static unsigned libcryptos[MARK_MAX]; /* how often libcrypto alone leaves each mark */
static unsigned ours, calls;
static int learns;

/* Right after a call: its dead frames, before anything else overwrites them. */
static int look(int result, const char *call)
{
    if (WITH_SANITIZER)
        return result;
    memory_scan_stack(&marks);
    calls++;
    for (size_t n = 0; n < marks.count; n++) {
        const unsigned found = marks.mark[n].found[REGION_STACK];

        if (learns) {
            libcryptos[n] += found;
        } else if (found != 0 && libcryptos[n] == 0) {
            print_message("%s, after %s: %s %u times in the stack\n", row->alg, call,
                          marks.mark[n].name, found);
            ours++;
        }
    }
    return result;
}

static __attribute__((noinline)) void deep(void (*function)(void))
{
    uint8_t gap[DEPTH];

    exchange_memory_known = gap;
    function();
    exchange_memory_known = NULL;
}

/* Everything: 1 when something of ours is left. */
static int scan(const char *what)
{
    int bad = 0;

    OPENSSL_cleanse(shown, sizeof(shown));
    OPENSSL_cleanse(block, sizeof(block));
    OPENSSL_cleanse(&scratch, sizeof(scratch));
    memory_scan(&marks);
    for (size_t n = 0; n < marks.count; n++) {
        for (size_t region = 0; region < REGIONS; region++) {
            const unsigned found = marks.mark[n].found[region];
            const int is_stack = region == REGION_STACK;

            if (found == 0)
                continue;
            if (learns && is_stack)
                libcryptos[n] += found;
            if (learns || (is_stack && (WITH_SANITIZER || libcryptos[n] != 0)))
                continue;
            print_message("%s, %s: %s %u times in %s\n", row->alg, what, marks.mark[n].name, found,
                          region_name((enum region)region));
            bad = 1;
        }
    }
    return bad;
}

/* ---- libcrypto alone ---- */

static void run_rsa(int padding)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, rsa, "provider!=schannel");
    size_t size = sizeof(block);
    uint8_t ciphertext[RSA_SIZE];

    memset(block, 0xaa, sizeof(block));
    block[0] = 0;
    hidden_show(&secret, padding == RSA_NO_PADDING ? block + RSA_SIZE - secret.size : shown);
    assert_int_equal(EVP_PKEY_encrypt_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, padding), 1);
    assert_int_equal(look(padding == RSA_NO_PADDING
                              ? EVP_PKEY_encrypt(context, ciphertext, &size, block, RSA_SIZE)
                              : EVP_PKEY_encrypt(context, ciphertext, &size, shown, secret.size),
                          "RSA"),
                     1);
    OPENSSL_cleanse(block, sizeof(block));
    OPENSSL_cleanse(shown, sizeof(shown));
    assert_int_equal(EVP_PKEY_decrypt_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, padding), 1);
    size = sizeof(block);
    assert_int_equal(look(EVP_PKEY_decrypt(context, block, &size, ciphertext, RSA_SIZE), "RSA"), 1);
    EVP_PKEY_CTX_free(context);
    OPENSSL_cleanse(block, sizeof(block));
}

static void rsa_alone(void)
{
    run_rsa(RSA_PKCS1_PADDING);
    run_rsa(RSA_PKCS1_OAEP_PADDING);
    run_rsa(RSA_NO_PADDING);
}

/* ---- the calls ---- */

static unsigned yes = 1, no = 0;

static EVP_PKEY *make_key(void)
{
    int exportable = 1;
    OSSL_PARAM params[] = { text_param("alg", row->alg),
                            octets_param(row->parameter, shown, secret.size),
                            OSSL_PARAM_construct_int("exportable", &exportable),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY *key;

    hidden_show(&secret, shown);
    key = from_data(params);
    OPENSSL_cleanse(shown, sizeof(shown));
    assert_non_null(key);
    return key;
}

static OSSL_PARAM pad_param(const char *mode)
{
    return row->is_marked && strcmp(mode, "pkcs1") == 0
               ? OSSL_PARAM_construct_uint("ssl2-fallback", &yes)
               : text_param("pad-mode", mode);
}

static int export_simple(EVP_PKEY *key, const char *mode, struct exported *blob)
{
    OSSL_PARAM params[] = { text_param("exchange-key", public_path), pad_param(mode),
                            OSSL_PARAM_construct_end() };

    return look(export_as(key, "simpleblob", params, blob), mode);
}

static int export_plaintext(EVP_PKEY *key, int allowed)
{
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint("allow-plaintext", allowed ? &yes : &no),
                            OSSL_PARAM_construct_end() };

    return look(export_as(key, "plaintextblob", params, &scratch), "a plaintext export");
}

static int export_signed(EVP_PKEY *key, const char *inner, const char *signer,
                         struct exported *blob)
{
    OSSL_PARAM params[] = { text_param("signature-key", signer), text_param("inner", inner),
                            strcmp(inner, "simpleblob") == 0
                                ? text_param("exchange-key", public_path)
                                : OSSL_PARAM_construct_uint("allow-plaintext", &yes),
                            OSSL_PARAM_construct_end() };

    return look(export_as(key, "signedblob", params, blob), "a signed export");
}

static void use_exports(void)
{
    EVP_PKEY *key = make_key();

    assert_int_equal(export_simple(key, "pkcs1", &scratch), 1);
    assert_int_equal(export_simple(key, "oaep", &scratch), 1);
    assert_int_equal(export_plaintext(key, 0), 0);
    ERR_clear_error();
    assert_int_equal(export_plaintext(key, 1), 1);
    OPENSSL_cleanse(&scratch, sizeof(scratch));
    assert_int_equal(export_signed(key, "simpleblob", private_path, &scratch), 1);
    assert_int_equal(export_signed(key, "plaintextblob", private_path, &scratch), 1);
    OPENSSL_cleanse(&scratch, sizeof(scratch));
    assert_int_equal(export_signed(key, "plaintextblob", public_path, &scratch), 0);
    EVP_PKEY_free(key);
    ERR_clear_error();
}

static EVP_PKEY *import(const struct exported *blob, const char *exchange_key, const char *mode,
                        const char *signature_key)
{
    OSSL_PARAM params[4], *p = params;
    EVP_PKEY *key;

    if (exchange_key != NULL)
        *p++ = text_param("exchange-key", exchange_key);
    if (mode != NULL)
        *p++ = text_param("pad-mode", mode);
    if (signature_key != NULL)
        *p++ = text_param("signature-key", signature_key);
    *p = OSSL_PARAM_construct_end();
    key = import_from(libctx, blob, params);
    look(0, "an import");
    return key;
}

static void import_and_free(const struct exported *blob, const char *mode,
                            const char *signature_key)
{
    EVP_PKEY *key = import(blob, private_path, mode, signature_key);

    assert_non_null(key);
    EVP_PKEY_free(key);
    look(0, "a free");
    EVP_PKEY_free(import(blob, other_path, mode, signature_key));
    ERR_clear_error();
    /* The other way round libcrypto's OAEP frees the block of PKCS #1 as it is, with the key. */
    if (strcmp(mode, "oaep") == 0)
        EVP_PKEY_free(import(blob, private_path, "pkcs1", signature_key));
    ERR_clear_error();
}

static void use_imports(void)
{
    EVP_PKEY *key;
    char uri[200];

    import_and_free(&pkcs1, "pkcs1", NULL);
    import_and_free(&oaep, "oaep", NULL);
    import_and_free(&signed_simple, "pkcs1", public_path);
    /* the file holds the key in the clear */
    snprintf(uri, sizeof(uri), "schannel:%s", file_path);
    assert_non_null(key = import_uri(libctx, uri));
    look(0, "an import from the store");
    EVP_PKEY_free(key);
    snprintf(uri, sizeof(uri), "schannel:%s?salt-mode=wrong", file_path);
    assert_null(import_uri(libctx, uri));
    snprintf(uri, sizeof(uri), "schannel:%s", directory);
    assert_null(import_uri(libctx, uri)); /* a listing */
    ERR_clear_error();
}

/* ---- the tests ---- */

/* stdio would keep a copy. */
static void write_without_buffer(const char *path, const uint8_t *data, size_t size)
{
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(file >= 0);
    assert_int_equal(write(file, data, size), size);
    close(file);
}

static void make_blobs(void)
{
    EVP_PKEY *key = make_key();

    learns = 1; /* nothing is judged here */
    assert_int_equal(export_simple(key, "pkcs1", &pkcs1), 1);
    if (row->is_marked) { /* an import asks for the mark to be missing, or does not ask */
        OSSL_PARAM params[] = { text_param("exchange-key", public_path),
                                OSSL_PARAM_construct_end() };

        assert_int_equal(export_as(key, "simpleblob", params, &pkcs1), 1);
    }
    assert_int_equal(export_simple(key, "oaep", &oaep), 1);
    assert_int_equal(export_signed(key, "simpleblob", private_path, &signed_simple), 1);
    assert_int_equal(export_plaintext(key, 1), 1);
    write_without_buffer(file_path, scratch.data, scratch.size);
    learns = 0;
    EVP_PKEY_free(key);
}

static int check_row(void (*function)(void), const char *what)
{
    int bad;

    hidden_make(&secret, row->size);
    marks_compute(&marks, add_marks, NULL);
    memset(libcryptos, 0, sizeof(libcryptos));
    learns = 1;
    deep(rsa_alone);
    (void)scan("control");
    learns = 0;
    deep(make_blobs);
    bad = scan("preparation");
    ours = 0;
    deep(function);
    bad |= scan(what) | (ours != 0);
    unlink(file_path);
    return bad;
}

static void check_all(void (*function)(void), const char *what)
{
    int bad = 0;

    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        row = &rows[n];
        bad |= check_row(function, what);
    }
    print_message("%s: %u calls followed by a scan of the stack, %zu KiB scanned in the end\n",
                  what, calls, memory_scan_size() / 1024);
    assert_int_equal(bad, 0);
}

static void exports_leave_nothing(void **state)
{
    (void)state;
    check_all(use_exports, "exports");
}

static void imports_leave_nothing(void **state)
{
    (void)state;
    check_all(use_imports, "imports");
}

/* Else a scan that finds nothing says nothing. */
static void a_live_key_is_found(void **state)
{
    EVP_PKEY *key;

    (void)state;
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        row = &rows[n];
        hidden_make(&secret, row->size);
        marks_compute(&marks, add_marks, NULL);
        key = make_key();
        memory_scan(&marks);
        /* AddressSanitizer's heap is mapped memory without a name. */
        assert_int_not_equal(marks.mark[0].found[WITH_SANITIZER ? REGION_ANONYMOUS : REGION_HEAP],
                             0);
        EVP_PKEY_free(key);
    }
}

static int setup(void **state)
{
    memory_scan_setup();
    if (fixture_setup(state) != 0)
        return -1;
    snprintf(private_path, sizeof(private_path), "%s/rsa.pem", directory);
    snprintf(public_path, sizeof(public_path), "%s/rsa.pub.pem", directory);
    snprintf(other_path, sizeof(other_path), "%s/other.pem", directory);
    snprintf(other_public, sizeof(other_public), "%s/other.pub.pem", directory);
    snprintf(file_path, sizeof(file_path), "%s/blob", directory);
    write_rsa_key(private_path, public_path, 8 * RSA_SIZE);
    write_rsa_key(other_path, other_public, 8 * RSA_SIZE);
    rsa = EVP_PKEY_Q_keygen(libctx, "provider!=schannel", "RSA", (size_t)(8 * RSA_SIZE));
    return rsa == NULL;
}

static int teardown(void **state)
{
    EVP_PKEY_free(rsa);
    unlink(private_path);
    unlink(public_path);
    unlink(other_path);
    unlink(other_public);
    return fixture_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_live_key_is_found),
        cmocka_unit_test(exports_leave_nothing),
        cmocka_unit_test(imports_leave_nothing),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
