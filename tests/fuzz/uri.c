/*
 * URIs of the store.  One that is accepted names the files in its directory by URIs that are accepted
 * too, mean the right path, and have the same options.
 */
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>
#include "fuzz.h"
#include "store/uri.h"

#define FILE_NAME "a file%&?=\xff"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_setup();
    return 0;
}

static int same_text(const char *a, const char *b)
{
    return (a == NULL && b == NULL) || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void expect_same_options(const struct blob_options *a, const struct blob_options *b)
{
    fuzz_expect(same_text(a->seal_key, b->seal_key) && same_text(a->audience, b->audience) &&
                    same_text(a->claim_dir, b->claim_dir) && same_text(a->purpose, b->purpose) &&
                    same_text(a->exchange_key.text, b->exchange_key.text) &&
                    same_text(a->signature_key.text, b->signature_key.text) &&
                    a->max_age == b->max_age && a->pad_mode == b->pad_mode &&
                    a->salt_mode == b->salt_mode &&
                    a->exportable.is_given == b->exportable.is_given &&
                    a->exportable.value == b->exportable.value,
                "the same options");
}

static void check_file(const struct store_uri *uri)
{
    char *text = store_uri_of_file(uri, FILE_NAME), *path = store_path_of_file(uri, FILE_NAME);
    struct store_uri again;

    fuzz_expect(text != NULL && path != NULL, "memory");
    /* the name of the file can make it too long */
    if (fuzz_outcome(store_uri_parse(fuzz.provctx, text, &again))) {
        fuzz_expect(strcmp(again.path, path) == 0, "the path of the file");
        fuzz_expect(strcmp(again.query, uri->query) == 0, "the same query");
        expect_same_options(&again.options, &uri->options);
        store_uri_clear(&again);
    } else {
        fuzz_expect(strlen(text) > STORE_URI_MAX_SIZE, "a URI that is accepted");
    }
    OPENSSL_free(path);
    OPENSSL_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    struct store_uri uri;

    if (fuzz_outcome(store_uri_parse(fuzz.provctx, text, &uri))) {
        check_file(&uri);
        store_uri_clear(&uri);
    }
    free(text);
    return 0;
}
