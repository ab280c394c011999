/* All ways in which a blob comes in: see routes.h. */
#include "routes.h"

#include <openssl/decoder.h>
#include <openssl/pem.h>

static unsigned refused[ROUTES];

static const char *const names[ROUTES] = { "OSSL_DECODER", "OSSL_DECODER of PEM",
                                           "schannel:", "PEM_read_bio_PrivateKey",
                                           "d2i_AutoPrivateKey" };

static EVP_PKEY *witness, *twin;

void witness_setup(void)
{
    uint8_t secret[16];

    pattern(secret, sizeof(secret), 9);
    witness = make_key("RC4", NULL, secret, sizeof(secret));
    twin = make_key("RC4", NULL, secret, sizeof(secret));
}

void witness_teardown(void)
{
    EVP_PKEY_free(witness);
    EVP_PKEY_free(twin);
}

int routes_setup(void **state)
{
    int result = exchange_setup(state);

    witness_setup();
    return result;
}

int routes_teardown(void **state)
{
    witness_teardown();
    return exchange_teardown(state);
}

void witness_goes_on(void)
{
    const struct octets text = { (const uint8_t *)"nothing has changed", 19 };
    uint8_t out[2][32];

    assert_int_equal(crypt_encrypt(witness, 0, text, out[0], sizeof(out[0])), text.size);
    assert_int_equal(crypt_encrypt(twin, 0, text, out[1], sizeof(out[1])), text.size);
    assert_memory_equal(out[0], out[1], text.size);
    assert_int_equal(number_of(witness, "bits"), 128);
}

int route_has_options(enum route route)
{
    return route != BY_PEM_READER && route != BY_D2I;
}

int route_is_pem(enum route route)
{
    return route == BY_PEM_DECODER || route == BY_PEM_READER;
}

static EVP_PKEY *read_pem(enum route route, const char *label, struct octets blob,
                          const struct list *options)
{
    BIO *bio = BIO_new(BIO_s_mem());
    EVP_PKEY *key;
    char *text;

    /* libcrypto's writer refuses to write nothing */
    if (blob.size == 0)
        BIO_printf(bio, "-----BEGIN %s-----\n-----END %s-----\n", label, label);
    else
        assert_true(PEM_write_bio(bio, label, "", blob.data, (long)blob.size) > 0);
    if (route == BY_PEM_READER) {
        key = PEM_read_bio_PrivateKey_ex(bio, NULL, NULL, NULL, libctx, NULL);
    } else {
        const long size = BIO_get_mem_data(bio, &text);

        key = decode_blob((struct octets){ (uint8_t *)text, (size_t)size }, options);
    }
    BIO_free(bio);
    return key;
}

EVP_PKEY *read_by(enum route route, const char *label, struct octets blob,
                  const struct list *options)
{
    uint8_t *exact = malloc(blob.size);
    const unsigned char *position = exact;
    const struct octets copy = { exact, blob.size };
    EVP_PKEY *key;

    assert_true(exact != NULL || blob.size == 0);
    if (blob.size != 0)
        memcpy(exact, blob.data, blob.size);
    if (route_is_pem(route))
        key = read_pem(route, label, copy, options);
    else if (route == BY_STORE)
        key = store_blob(copy, options);
    else if (route == BY_D2I)
        key = d2i_AutoPrivateKey_ex(NULL, &position, (long)blob.size, libctx, NULL);
    else
        key = decode_blob(copy, options);
    free(exact);
    return key;
}

/* How many of ours are on the queue, all with the same reason, the last of which is at |reason|. */
static unsigned take_reasons(const char **reason, char *sentence, size_t room)
{
    unsigned long error;
    const char *data;
    unsigned ours = 0;
    int flags;

    *reason = NULL;
    sentence[0] = '\0';
    while ((error = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
        const char *library = ERR_lib_error_string(error);

        if (library == NULL || strcmp(library, "schannel") != 0)
            continue;
        if (ours++ != 0)
            assert_string_equal(ERR_reason_error_string(error), *reason);
        *reason = ERR_reason_error_string(error);
        snprintf(sentence, room, "%s", data);
    }
    return ours;
}

void refuse_by(enum route route, const char *label, struct octets blob, const struct list *options,
               const char *reason, const char *what, ...)
{
    EVP_PKEY *key = read_by(route, label, blob, options);
    char text[160], sentence[1024];
    const char *actual;
    unsigned ours;
    va_list args;

    va_start(args, what);
    vsnprintf(text, sizeof(text), what, args);
    va_end(args);
    if (key != NULL)
        fail_msg("%s opens a blob with %s", names[route], text);
    ours = take_reasons(&actual, sentence, sizeof(sentence));
    if (reason == NULL && ours != 0)
        fail_msg("%s, %s: \"%s\" (%s), where nothing is ours", names[route], text, actual,
                 sentence);
    if (reason != NULL && (ours == 0 || strcmp(actual, reason) != 0 || sentence[0] == '\0'))
        fail_msg("%s, %s: \"%s\" (%s), not \"%s\"", names[route], text, ours == 0 ? "" : actual,
                 sentence, reason);
    /* d2i_AutoPrivateKey_ex tries its decoders for one structure after the other and keeps the
     * errors of each attempt. */
    if (ours > (route == BY_D2I ? 3 : 1))
        fail_msg("%s, %s: %u reasons, not one", names[route], text, ours);
    refused[route]++;
}

EVP_PKEY *open_by(enum route route, const char *label, struct octets blob,
                  const struct list *options)
{
    EVP_PKEY *key = read_by(route, label, blob, options);

    if (key == NULL)
        fail_msg("%s does not open a blob", names[route]);
    assert_no_errors();
    return key;
}

void refused_all(const char *title)
{
    print_message("%s:", title);
    for (size_t n = 0; n < ROUTES; n++) {
        print_message("%s %u by %s", n == 0 ? "" : ",", refused[n], names[n]);
        refused[n] = 0;
    }
    print_message("\n");
}
