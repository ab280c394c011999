/* Keys and numbers for the tests of the four protocols: see material.h. */
#include "material.h"

#include <openssl/kdf.h>

void list_start(struct list *list)
{
    list->count = 0;
    list->params[0] = OSSL_PARAM_construct_end();
}

static void add(struct list *list, OSSL_PARAM param)
{
    assert_in_range(list->count, 0, MAX_PARAMS - 2);
    list->params[list->count++] = param;
    list->params[list->count] = OSSL_PARAM_construct_end();
}

void add_text(struct list *list, const char *name, const char *value)
{
    add(list, text_param(name, value));
}

void add_octets(struct list *list, const char *name, const void *data, size_t size)
{
    add(list, octets_param(name, data, size));
}

void add_number(struct list *list, const char *name, uint64_t number)
{
    list->numbers[list->count] = number;
    add(list, OSSL_PARAM_construct_uint64(name, &list->numbers[list->count]));
}

void drop(struct list *list, const char *name)
{
    size_t kept = 0;

    /* Numbers stay where they are: their parameters point to them. */
    for (size_t n = 0; n < list->count; n++) {
        if (strcmp(list->params[n].key, name) == 0)
            continue;
        list->params[kept++] = list->params[n];
        if (list->params[n].data == &list->numbers[n]) {
            list->numbers[kept - 1] = list->numbers[n];
            list->params[kept - 1].data = &list->numbers[kept - 1];
        }
    }
    list->count = kept;
    list->params[kept] = OSSL_PARAM_construct_end();
}

size_t random_below(size_t limit)
{
    static uint64_t state = 0x9e3779b97f4a7c15u;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state >> 11) % limit;
}

void random_bytes(uint8_t *out, size_t size)
{
    for (size_t n = 0; n < size; n++)
        out[n] = (uint8_t)random_below(256);
}

EVP_PKEY_CTX *new_generation(EVP_PKEY *from, const struct list *list)
{
    EVP_PKEY_CTX *context = from != NULL
                                ? EVP_PKEY_CTX_new_from_pkey(libctx, from, NULL)
                                : EVP_PKEY_CTX_new_from_name(libctx, SCHANNEL_KEY_TYPE, NULL);

    assert_non_null(context);
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    if (list != NULL)
        assert_int_equal(EVP_PKEY_CTX_set_params(context, list->params), 1);
    return context;
}

EVP_PKEY *generate_next(EVP_PKEY_CTX *context)
{
    EVP_PKEY *key = NULL;

    if (EVP_PKEY_generate(context, &key) > 0)
        return key;
    assert_null(key);
    return NULL;
}

EVP_PKEY *generate_from(EVP_PKEY *from, const struct list *list)
{
    EVP_PKEY_CTX *context = new_generation(from, list);
    EVP_PKEY *key = generate_next(context);

    EVP_PKEY_CTX_free(context);
    return key;
}

EVP_PKEY *make_key(const char *alg, const char *digest, const uint8_t *secret, size_t size)
{
    struct list list;
    EVP_PKEY *key;

    list_start(&list);
    add_text(&list, "alg", alg);
    if (digest != NULL)
        add_text(&list, "digest", digest);
    add_octets(&list, "secret", secret, size);
    key = from_data(list.params);
    assert_non_null(key);
    return key;
}

int set_number(EVP_PKEY *key, const char *name, uint64_t number)
{
    struct list list;

    list_start(&list);
    add_number(&list, name, number);
    return EVP_PKEY_set_params(key, list.params);
}

int set_octets(EVP_PKEY *key, const char *name, const void *data, size_t size)
{
    struct list list;

    list_start(&list);
    add_octets(&list, name, data, size);
    return EVP_PKEY_set_params(key, list.params);
}

int set_text(EVP_PKEY *key, const char *name, const char *value)
{
    struct list list;

    list_start(&list);
    add_text(&list, name, value);
    return EVP_PKEY_set_params(key, list.params);
}

uint64_t number_of(EVP_PKEY *key, const char *name)
{
    struct list list;

    list_start(&list);
    add_number(&list, name, UINT64_MAX);
    assert_int_equal(EVP_PKEY_get_params(key, list.params), 1);
    assert_true(OSSL_PARAM_modified(list.params));
    return list.numbers[0];
}

size_t octets_of(EVP_PKEY *key, const char *name, uint8_t *out, size_t room)
{
    size_t size = SIZE_MAX;

    assert_int_equal(EVP_PKEY_get_octet_string_param(key, name, out, room, &size), 1);
    return size;
}

void assert_text_of(EVP_PKEY *key, const char *name, const char *expected)
{
    char text[64] = "";

    assert_int_equal(EVP_PKEY_get_utf8_string_param(key, name, text, sizeof(text), NULL), 1);
    assert_string_equal(text, expected);
}

void derive_bytes(const char *name, const struct list *list, uint8_t *out, size_t size)
{
    EVP_KDF *kdf = EVP_KDF_fetch(libctx, name, NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);

    assert_non_null(context);
    assert_int_equal(EVP_KDF_derive(context, out, size, list->params), 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

size_t hash(const char *digest, const uint8_t *data, size_t size, uint8_t *out)
{
    size_t written = 0;

    assert_int_equal(EVP_Q_digest(libctx, digest, "provider!=schannel", data, size, out, &written),
                     1);
    return written;
}

int starts_with_a_clean_queue(void **state)
{
    (void)state;
    ERR_clear_error();
    return 0;
}
