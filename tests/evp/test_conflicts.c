/* Parameters that exclude each other: each pair is told by name, and nothing is made. */
#include "protocols.h"

/* What a key blob and a template leave no room for. */
static const struct row {
    const char *name, *text; /* of text, or */
    size_t size;             /* octets, or */
    uint64_t number;
    int not_beside_blob, not_beside_template;
} rows[] = {
    { "alg", "RC4", 0, 0, 1, 1 },
    { "bits", NULL, 0, 128, 1, 1 },
    { "secret", NULL, 16, 0, 1, 1 },
    { "premaster", NULL, 48, 0, 1, 1 },
    { "digest", "MD5", 0, 0, 1, 0 },
    { "salt", NULL, 11, 0, 1, 1 },
    { "salt-mode", "none", 0, 0, 1, 1 },
    { "effective-bits", NULL, 0, 40, 1, 1 },
    { "highest-version", NULL, 0, 0x0301, 1, 1 },
    { "opaque-blob", NULL, 64, 0, 0, 1 },
    { "client-random", NULL, 32, 0, 1, 0 },
    { "pass", "pass phrase", 0, 0, 0, 1 },
};

static uint8_t octets[64];

static void add_row(struct list *list, const struct row *row)
{
    if (row->text != NULL && strcmp(row->name, "pass") == 0)
        add_octets(list, row->name, row->text, strlen(row->text));
    else if (row->text != NULL)
        add_text(list, row->name, row->text);
    else if (row->size != 0)
        add_octets(list, row->name, octets, row->size);
    else
        add_number(list, row->name, row->number);
}

static void a_blob_is_the_whole_key(void **state)
{
    uint8_t secret[16] = { 1 }, blob[MAX_BLOB];
    EVP_PKEY *key = make_key("RC4", NULL, secret, sizeof(secret));
    const size_t size = export_blob(key, blob);

    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct list list;

        if (!rows[n].not_beside_blob)
            continue;
        list_start(&list);
        add_octets(&list, "opaque-blob", blob, size);
        add_text(&list, "seal-key", seal_key_a);
        add_row(&list, &rows[n]);
        list.params[list.count] = OSSL_PARAM_construct_end();
        assert_null(from_data(list.params));
        assert_reason("conflicting parameters", rows[n].name);
    }
    EVP_PKEY_free(key);
}

static void a_template_has_what_a_derivation_takes(void **state)
{
    struct material material;
    struct list none;
    EVP_PKEY *master;

    (void)state;
    make_material(&material, 3);
    master = new_master(&protocols[TLS1], &material);
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct list list;

        if (!rows[n].not_beside_template)
            continue;
        list_start(&list);
        add_text(&list, "usage", "client-write-key");
        add_text(&list, "cipher", "RC4");
        add_row(&list, &rows[n]);
        assert_null(generate_from(master, &list));
        assert_reason("conflicting parameters", rows[n].name);
    }
    list_start(&none);
    assert_null(generate_from(master, &none));
    assert_reason("missing parameter", "usage: ");
    EVP_PKEY_free(master);
}

static void the_state_of_a_context_has_one_type(void **state)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, "SCHANNEL-RC4", NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t key[16] = { 1 };
    const OSSL_PARAM opaque[] = { text_param("blob", "opaqueblob"), OSSL_PARAM_construct_end() };
    const OSSL_PARAM simple[] = { text_param("blob", "simpleblob"), OSSL_PARAM_construct_end() };

    (void)state;
    assert_int_equal(EVP_EncryptInit_ex2(context, cipher, key, NULL, opaque), 1);
    assert_int_equal(EVP_CIPHER_CTX_set_params(context, opaque), 1);
    assert_no_errors();
    assert_int_equal(EVP_CIPHER_CTX_set_params(context, simple), 0);
    assert_reason(NULL, "the state of a context is nothing else");
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
}

#define TEST(name) cmocka_unit_test_setup(name, starts_with_a_clean_queue)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_blob_is_the_whole_key),
        TEST(a_template_has_what_a_derivation_takes),
        TEST(the_state_of_a_context_has_one_type),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
