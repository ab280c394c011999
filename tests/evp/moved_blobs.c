/*
 * Blobs that move from one version of OpenSSL to another: keys of every algorithm, each in the
 * middle of something, and what comes next from each.
 *
 *     evp_moved_blobs write DIRECTORY     makes the directory and writes the blobs
 *     evp_moved_blobs open DIRECTORY...   opens them and goes on
 *     evp_moved_blobs                     both, in a directory of its own
 *
 * tests/versions runs it with every version.
 */
#include <sys/stat.h>
#include <unistd.h>
#include "protocols.h"

#define BEFORE 21 /* bytes that went through before the move: no whole number of blocks */
#define AFTER  43 /* and after it: whole blocks together */
#define NEXT   64

/* What a key gives after it was opened. */
struct next {
    uint8_t bytes[NEXT];
    size_t size;
};

/* Through a context that is bound to |key|; gives the number of bytes. */
static size_t encrypt(EVP_PKEY *key, const char *alg, size_t size, uint8_t *out)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t handle[KEY_HANDLE_SIZE], text[NEXT];
    OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };
    EVP_CIPHER *cipher;
    char name[64];
    int written = 0;

    snprintf(name, sizeof(name), "SCHANNEL-%s", alg);
    assert_non_null(cipher = EVP_CIPHER_fetch(libctx, name, NULL));
    get_handle(key, handle);
    pattern(text, sizeof(text), 7);
    assert_int_equal(EVP_EncryptInit_ex2(context, cipher, NULL, NULL, bind), 1);
    assert_int_equal(EVP_EncryptUpdate(context, out, &written, text, (int)size), 1);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    return (size_t)written;
}

static EVP_MAC_CTX *absorb(EVP_PKEY *key, const char *name, size_t size)
{
    EVP_MAC *mac = EVP_MAC_fetch(libctx, name, NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
    uint8_t handle[KEY_HANDLE_SIZE], text[NEXT];
    OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };

    get_handle(key, handle);
    pattern(text, sizeof(text), 7);
    assert_int_equal(EVP_MAC_init(context, NULL, 0, bind), 1);
    assert_int_equal(EVP_MAC_update(context, text, size), 1);
    EVP_MAC_free(mac);
    return context;
}

/* ---- what is done with each kind before and after the move ---- */

static EVP_PKEY *new_cipher_key(const char *alg, size_t size)
{
    uint8_t secret[32], out[NEXT];
    EVP_PKEY *key;

    pattern(secret, sizeof(secret), 3);
    key = make_key(alg, NULL, secret, size);
    encrypt(key, alg, BEFORE, out);
    return key;
}

static void go_on_with_cipher_key(EVP_PKEY *key, const char *alg, struct next *next)
{
    next->size = encrypt(key, alg, AFTER, next->bytes);
}

static EVP_PKEY *new_mac_key(const char *alg, size_t size)
{
    uint8_t secret[32];
    EVP_PKEY *key;

    pattern(secret, sizeof(secret), 3);
    key = make_key(alg, size == 16 ? "MD5" : "SHA1", secret, size);
    assert_int_equal(set_number(key, "sequence", 77), 1);
    EVP_MAC_CTX_free(absorb(key, alg, BEFORE));
    return key;
}

static void go_on_with_mac_key(EVP_PKEY *key, const char *alg, struct next *next)
{
    EVP_MAC_CTX *context = absorb(key, alg, AFTER);

    assert_int_equal(EVP_MAC_final(context, next->bytes, &next->size, NEXT), 1);
    EVP_MAC_CTX_free(context);
    assert_int_equal(number_of(key, "sequence"), 77);
}

static EVP_PKEY *new_master_key(const char *alg, size_t protocol)
{
    struct material material;

    assert_string_equal(protocols[protocol].master, alg);
    make_material(&material, 5);
    return new_master(&protocols[protocol], &material);
}

static void go_on_with_master_key(EVP_PKEY *key, const char *alg, struct next *next)
{
    struct list list;
    EVP_PKEY *derived;

    (void)alg;
    list_start(&list);
    add_text(&list, "usage", "server-write-key");
    assert_non_null(derived = generate_from(key, &list));
    next->size = encrypt(derived, "RC4", AFTER, next->bytes);
    EVP_PKEY_free(derived);
}

static const struct kind {
    EVP_PKEY *(*make)(const char *alg, size_t number);
    void (*go_on)(EVP_PKEY *, const char *alg, struct next *);
} cipher_key = { new_cipher_key, go_on_with_cipher_key },
  mac_key = { new_mac_key, go_on_with_mac_key },
  master_key = { new_master_key, go_on_with_master_key };

static const struct row {
    const char *name, *alg;
    const struct kind *kind;
    size_t number; /* bytes of a session key, number of a protocol */
} rows[] = {
    { "pct1-master", "PCT1-MASTER", &master_key, PCT1 },
    { "ssl2-master", "SSL2-MASTER", &master_key, SSL2 },
    { "ssl3-master", "SSL3-MASTER", &master_key, SSL3 },
    { "tls1-master", "TLS1-MASTER", &master_key, TLS1 },
    { "rc4-40", "RC4", &cipher_key, 5 },
    { "rc4", "RC4", &cipher_key, 16 },
    { "rc2-40", "RC2-CBC", &cipher_key, 5 },
    { "rc2", "RC2-CBC", &cipher_key, 16 },
    { "des", "DES-CBC", &cipher_key, 8 },
    { "des-ede", "DES-EDE-CBC", &cipher_key, 16 },
    { "des-ede3", "DES-EDE3-CBC", &cipher_key, 24 },
    { "aes-128", "AES-128-CBC", &cipher_key, 16 },
    { "aes-192", "AES-192-CBC", &cipher_key, 24 },
    { "aes-256", "AES-256-CBC", &cipher_key, 32 },
    { "pct1-mac", "PCT1-MAC", &mac_key, 16 },
    { "ssl2-mac", "SSL2-MAC", &mac_key, 16 },
    { "ssl3-mac-md5", "SSL3-MAC", &mac_key, 16 },
    { "ssl3-mac-sha1", "SSL3-MAC", &mac_key, 20 },
    { "tls1-mac-md5", "TLS1-MAC", &mac_key, 16 },
    { "tls1-mac-sha1", "TLS1-MAC", &mac_key, 20 },
};

/* ---- files ---- */

static FILE *open_file(const char *where, const struct row *row, const char *suffix,
                       const char *mode)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s.%s", where, row->name, suffix);
    if ((file = fopen(path, mode)) == NULL)
        fail_msg("%s cannot be opened", path);
    return file;
}

static void write_file(const char *where, const struct row *row, const char *suffix,
                       const uint8_t *bytes, size_t size)
{
    FILE *file = open_file(where, row, suffix, "wb");

    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static size_t read_file(const char *where, const struct row *row, const char *suffix,
                        uint8_t bytes[MAX_BLOB])
{
    FILE *file = open_file(where, row, suffix, "rb");
    size_t size = fread(bytes, 1, MAX_BLOB, file);

    fclose(file);
    return size;
}

static void write_blobs(const char *where)
{
    assert_int_equal(mkdir(where, 0700), 0);
    for (size_t n = 0; n < COUNT(rows); n++) {
        EVP_PKEY *key = rows[n].kind->make(rows[n].alg, rows[n].number);
        uint8_t blob[MAX_BLOB];
        struct next next;

        assert_int_equal(set_text(key, "seal-key", seal_key_a), 1);
        write_file(where, &rows[n], "blob", blob, export_blob(key, blob));
        rows[n].kind->go_on(key, rows[n].alg, &next);
        write_file(where, &rows[n], "next", next.bytes, next.size);
        EVP_PKEY_free(key);
    }
}

static void open_blobs(const char *where)
{
    for (size_t n = 0; n < COUNT(rows); n++) {
        uint8_t blob[MAX_BLOB], expected[MAX_BLOB];
        size_t size = read_file(where, &rows[n], "blob", blob);
        EVP_PKEY *key = import_blob(blob, size, seal_key_a);
        struct next next;

        if (key == NULL)
            fail_msg("%s/%s.blob does not open", where, rows[n].name);
        rows[n].kind->go_on(key, rows[n].alg, &next);
        assert_int_equal(read_file(where, &rows[n], "next", expected), next.size);
        assert_memory_equal(next.bytes, expected, next.size);
        EVP_PKEY_free(key);
    }
    print_message("%s: %zu blobs opened with %s\n", where, COUNT(rows),
                  OpenSSL_version(OPENSSL_VERSION));
}

static void remove_blobs(const char *where)
{
    char path[512];

    for (size_t n = 0; n < COUNT(rows); n++) {
        snprintf(path, sizeof(path), "%s/%s.blob", where, rows[n].name);
        unlink(path);
        snprintf(path, sizeof(path), "%s/%s.next", where, rows[n].name);
        unlink(path);
    }
    assert_int_equal(rmdir(where), 0);
}

/* ---- what the command line asks for ---- */

static char **arguments;

static void blobs_are_written(void **state)
{
    (void)state;
    write_blobs(arguments[2]);
}

static void blobs_of_every_directory_open(void **state)
{
    (void)state;
    for (char **where = arguments + 2; *where != NULL; where++)
        open_blobs(*where);
}

static void blobs_that_were_written_open(void **state)
{
    char where[64];

    (void)state;
    snprintf(where, sizeof(where), "%s/blobs", directory);
    write_blobs(where);
    open_blobs(where);
    remove_blobs(where);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest writing[] = { cmocka_unit_test(blobs_are_written) };
    const struct CMUnitTest opening[] = { cmocka_unit_test(blobs_of_every_directory_open) };
    const struct CMUnitTest both[] = { cmocka_unit_test(blobs_that_were_written_open) };

    arguments = argv;
    if (argc == 3 && strcmp(argv[1], "write") == 0)
        return cmocka_run_group_tests(writing, fixture_setup, fixture_teardown);
    if (argc >= 3 && strcmp(argv[1], "open") == 0)
        return cmocka_run_group_tests(opening, fixture_setup, fixture_teardown);
    if (argc == 1)
        return cmocka_run_group_tests(both, fixture_setup, fixture_teardown);
    fprintf(stderr, "usage: evp_moved_blobs [write DIRECTORY | open DIRECTORY...]\n");
    return 2;
}
