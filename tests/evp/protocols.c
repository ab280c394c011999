/* The four protocols as tests see them: see protocols.h. */
#include "protocols.h"

const struct protocol protocols[PROTOCOLS] = {
    { "PCT1", "PCT1-MASTER", "PCT1-KDF", "PCT1-MAC", 16, 0, 1, 1, 1 },
    { "SSL2", "SSL2-MASTER", "SSL2-KDF", "SSL2-MAC", 16, 0, 0, 1, 0 },
    { "SSL3", "SSL3-MASTER", "SSL3-KDF", "SSL3-MAC", 48, 1, 1, 0, 0 },
    { "TLS1", "TLS1-MASTER", "TLS1-KDF", "TLS1-MAC", 48, 1, 1, 0, 0 },
};

void make_material(struct material *material, unsigned seed)
{
    pattern(material->secret, sizeof(material->secret), 1);
    pattern(material->client, sizeof(material->client), 2 + seed);
    pattern(material->server, sizeof(material->server), 103 + seed);
    pattern(material->clear, sizeof(material->clear), 4);
    pattern(material->certificate, sizeof(material->certificate), 5);
}

void add_randoms(struct list *list, const struct material *material)
{
    add_octets(list, "client-random", material->client, RANDOM_SIZE);
    add_octets(list, "server-random", material->server, RANDOM_SIZE);
}

void describe_derivation(struct list *list, const struct protocol *protocol,
                         const struct material *material)
{
    list_start(list);
    add_octets(list, "secret", material->secret, protocol->secret);
    add_randoms(list, material);
    add_text(list, "cipher", "RC4");
    add_text(list, "digest", "MD5");
    if (protocol->has_clear_key)
        add_octets(list, "clear-key", material->clear, CLEAR_SIZE);
    if (protocol->has_certificate)
        add_octets(list, "certificate", material->certificate, CERT_SIZE);
}

EVP_PKEY *new_master(const struct protocol *protocol, const struct material *material)
{
    struct list list;
    EVP_PKEY *key;

    describe_derivation(&list, protocol, material);
    add_text(&list, "alg", protocol->master);
    add_number(&list, "exportable", 1);
    key = from_data(list.params);
    assert_non_null(key);
    return key;
}

static int take_secret(const OSSL_PARAM params[], void *arg)
{
    struct exported *exported = arg;
    const OSSL_PARAM *secret = OSSL_PARAM_locate_const(params, "secret");
    const OSSL_PARAM *premaster = OSSL_PARAM_locate_const(params, "premaster");

    assert_true((secret == NULL) != (premaster == NULL));
    exported->is_premaster = premaster != NULL;
    if (secret == NULL)
        secret = premaster;
    assert_in_range(secret->data_size, 1, MAX_MASTER);
    exported->size = secret->data_size;
    memcpy(exported->secret, secret->data, secret->data_size);
    return 1;
}

void export_raw(EVP_PKEY *key, struct exported *exported)
{
    assert_int_equal(EVP_PKEY_export(key, EVP_PKEY_KEYPAIR, take_secret, exported), 1);
}

void assert_made_of(EVP_PKEY *key, const uint8_t *bytes, size_t size)
{
    char alg[32] = "", digest[16] = "", kind[16] = "";
    EVP_PKEY *other;

    assert_int_equal(EVP_PKEY_get_utf8_string_param(key, "alg", alg, sizeof(alg), NULL), 1);
    assert_int_equal(EVP_PKEY_get_utf8_string_param(key, "kind", kind, sizeof(kind), NULL), 1);
    if (strcmp(kind, "mac") == 0)
        assert_int_equal(
            EVP_PKEY_get_utf8_string_param(key, "digest", digest, sizeof(digest), NULL), 1);
    other = make_key(alg, digest[0] != '\0' ? digest : NULL, bytes, size);
    assert_int_equal(EVP_PKEY_eq(key, other), 1);
    EVP_PKEY_free(other);
}
