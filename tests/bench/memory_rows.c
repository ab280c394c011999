/*
 * Rows: the memory of a session key object: all that is allocated for it, but for its EVP_PKEY.
 *
 * The allocator is asked, so its own overhead counts.  The key of a block cipher gets a cipher
 * context of libcrypto when its first record comes: what it has then is printed as well.
 */
#include <stdio.h>
#include "heap.h"
#include "material.h"
#include "rows.h"
#include "timing.h"

#define OBJECTS 1000

static EVP_PKEY *objects[OBJECTS];

/* Bytes for each of the objects since |before|. */
static double bytes_since(size_t before)
{
    return ((double)heap_in_use() - (double)before) / OBJECTS;
}

static void free_objects(void)
{
    for (size_t n = 0; n < OBJECTS; n++)
        EVP_PKEY_free(objects[n]);
}

/* What an EVP_PKEY takes that holds nothing. */
static double empty_bytes(void)
{
    const size_t before = heap_in_use();
    double bytes;

    for (size_t n = 0; n < OBJECTS; n++)
        objects[n] = EVP_PKEY_new();
    bytes = bytes_since(before);
    free_objects();
    return bytes;
}

static void derive_objects(const char *cipher, const char *usage)
{
    EVP_PKEY *master = make_master();
    EVP_PKEY_CTX *derivation = EVP_PKEY_CTX_new_from_pkey(NULL, master, NULL);
    OSSL_PARAM params[] = { text(SCHANNEL_PARAM_USAGE, usage), text(SCHANNEL_PARAM_CIPHER, cipher),
                            OSSL_PARAM_construct_end() };

    if (derivation == NULL || EVP_PKEY_keygen_init(derivation) <= 0 ||
        EVP_PKEY_CTX_set_params(derivation, params) <= 0)
        die(usage);
    for (size_t n = 0; n < OBJECTS; n++) {
        objects[n] = NULL;
        if (EVP_PKEY_generate(derivation, &objects[n]) <= 0)
            die(usage);
    }
    EVP_PKEY_CTX_free(derivation);
    EVP_PKEY_free(master);
}

/* A record goes through a context that is bound to |key| and then freed. */
static void encrypt_with(EVP_PKEY *key, const EVP_CIPHER *cipher)
{
    unsigned char handle[HANDLE_SIZE] = { 0 }, record[64] = { 0 };
    OSSL_PARAM bind[] = { octets(SCHANNEL_PARAM_KEY_HANDLE, handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int written;

    get_handle(key, handle);
    if (context == NULL || !EVP_EncryptInit_ex2(context, cipher, NULL, NULL, bind) ||
        !EVP_EncryptUpdate(context, record, &written, record, sizeof(record)))
        die("a record");
    EVP_CIPHER_CTX_free(context);
}

static void encrypt_with_all(const char *algorithm)
{
    EVP_CIPHER *cipher;
    char name[40];

    snprintf(name, sizeof(name), "SCHANNEL-%s", algorithm);
    if ((cipher = EVP_CIPHER_fetch(NULL, name, NULL)) == NULL)
        die(name);
    for (size_t n = 0; n < OBJECTS; n++)
        encrypt_with(objects[n], cipher);
    EVP_CIPHER_free(cipher);
}

static const struct {
    const char *what, *cipher, *usage;
    int encrypts, to_reach;
} rows[] = {
    { "an RC4 key object", SCHANNEL_ALG_RC4, SCHANNEL_USAGE_CLIENT_WRITE_KEY, 1, 1000 },
    { "an AES-128-CBC key object", SCHANNEL_ALG_AES_128_CBC, SCHANNEL_USAGE_CLIENT_WRITE_KEY, 1,
      700 },
    { "a DES-EDE3-CBC key object", SCHANNEL_ALG_DES_EDE3_CBC, SCHANNEL_USAGE_CLIENT_WRITE_KEY, 1,
      700 },
    { "a TLS1-MAC key object", SCHANNEL_ALG_AES_128_CBC, SCHANNEL_USAGE_CLIENT_WRITE_MAC, 0, 500 },
};

void memory_rows(void)
{
    double empty;

    if (heap_in_use() == 0) {
        printf("memory of a key object: left out, this system's allocator does not tell\n");
        return;
    }
    (void)empty_bytes(); /* the same for these */
    empty = empty_bytes();
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        size_t before;

        /* whatever is allocated once is there after this */
        derive_objects(rows[r].cipher, rows[r].usage);
        if (rows[r].encrypts)
            encrypt_with_all(rows[r].cipher);
        free_objects();
        before = heap_in_use();
        derive_objects(rows[r].cipher, rows[r].usage);
        printf("%-30s  %7.0f bytes beyond the %.0f of its EVP_PKEY, at most %d", rows[r].what,
               bytes_since(before) - empty, empty, rows[r].to_reach);
        if (rows[r].encrypts) {
            encrypt_with_all(rows[r].cipher);
            printf("; %.0f after a record", bytes_since(before) - empty);
        }
        printf("\n");
        free_objects();
    }
}
