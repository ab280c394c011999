/* What the rows of operations share: see operation.h. */
#include "operation.h"

/* ---- contexts ---- */

OSSL_LIB_CTX *context_open(OSSL_PROVIDER *providers[3])
{
    OSSL_LIB_CTX *context = OSSL_LIB_CTX_new();

    assert_non_null(context);
    assert_non_null(providers[0] = OSSL_PROVIDER_load(context, "default"));
    assert_non_null(providers[1] = OSSL_PROVIDER_load(context, "legacy"));
    assert_int_equal(OSSL_PROVIDER_add_builtin(context, "schannel", OSSL_provider_init), 1);
    assert_non_null(providers[2] = OSSL_PROVIDER_load(context, "schannel"));
    return context;
}

void context_close(OSSL_LIB_CTX *context, OSSL_PROVIDER *providers[3])
{
    for (size_t n = 3; n-- > 0;)
        OSSL_PROVIDER_unload(providers[n]);
    OSSL_LIB_CTX_free(context);
}

/* ---- lines of parameters ---- */

void spec_expand(char *out, size_t size, const char *text)
{
    size_t used = 0;

    for (; *text != '\0' && used + 1 < size; text++) {
        if (*text == '@')
            used += (size_t)snprintf(out + used, size - used, "%s", directory);
        else
            out[used++] = *text;
    }
    assert_true(used < size);
    out[used] = '\0';
}

static char *keep_text(struct spec *spec, const char *text, size_t size)
{
    char part[200], *kept = spec->text + spec->used_text;

    assert_true(size < sizeof(part));
    memcpy(part, text, size);
    part[size] = '\0';
    spec_expand(kept, sizeof(spec->text) - spec->used_text, part);
    spec->used_text += strlen(kept) + 1;
    return kept;
}

static size_t read_octets(const char *path, uint8_t *out, size_t room)
{
    FILE *file = fopen(path, "rb");
    size_t size;

    assert_non_null(file);
    size = fread(out, 1, room, file);
    assert_true(size > 0 && size < room);
    fclose(file);
    return size;
}

static void add_one(struct spec *spec, const char *name, const char *value)
{
    uint8_t *octets = spec->octets + spec->used_octets;
    size_t size;

    if (value[0] == '#') {
        add_number(&spec->list, name, strtoull(value + 1, NULL, 0));
    } else if (value[0] == '*') {
        size = strtoul(value + 1, NULL, 10);
        assert_true(spec->used_octets + size <= sizeof(spec->octets));
        pattern(octets, size, (unsigned)size);
        add_octets(&spec->list, name, octets, size);
        spec->used_octets += size;
    } else if (value[0] == '<') {
        size = read_octets(value + 1, octets, sizeof(spec->octets) - spec->used_octets);
        add_octets(&spec->list, name, octets, size);
        spec->used_octets += size;
    } else {
        add_text(&spec->list, name, value);
    }
}

void spec_read(struct spec *spec, const char *line)
{
    list_start(&spec->list);
    spec->used_text = spec->used_octets = 0;
    while (line != NULL && *line != '\0') {
        const size_t size = strcspn(line, " "), name = strcspn(line, "=");
        const char *kept = keep_text(spec, line, name);

        assert_true(name < size);
        add_one(spec, kept, keep_text(spec, line + name + 1, size - name - 1));
        line += size;
        line += *line == ' ';
    }
}

/* ---- scenes ---- */

void give(struct scene *scene, const void *data, size_t size)
{
    if (size <= sizeof(scene->out) - scene->out_size)
        memcpy(scene->out + scene->out_size, data, size);
    scene->out_size += size;
    if (scene->out_size > sizeof(scene->out))
        scene->out_size = sizeof(scene->out);
}

void give_number(struct scene *scene, uint64_t number)
{
    give(scene, &number, sizeof(number));
}

void scene_free(struct scene *scene)
{
    EVP_CIPHER_CTX_free(scene->cipher);
    EVP_MAC_CTX_free(scene->mac);
    EVP_KDF_CTX_free(scene->kdf);
    EVP_MD_CTX_free(scene->digest);
    EVP_PKEY_CTX_free(scene->operation);
    EVP_PKEY_free(scene->made);
    EVP_PKEY_free(scene->key);
}

static void give_encrypted(struct scene *scene)
{
    static const uint8_t text[16] = { 1 };
    uint8_t out[64];
    size_t size = sizeof(out);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, scene->made, NULL);

    assert_int_equal(EVP_PKEY_encrypt_init(context), 1);
    assert_int_equal(EVP_PKEY_encrypt(context, out, &size, text, sizeof(text)), 1);
    EVP_PKEY_CTX_free(context);
    give(scene, out, size);
}

static void give_signed(struct scene *scene)
{
    uint8_t out[64];
    size_t size = sizeof(out);
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    assert_int_equal(EVP_DigestSignInit_ex(context, NULL, NULL, libctx, NULL, scene->made, NULL),
                     1);
    assert_int_equal(EVP_DigestSign(context, out, &size, (const uint8_t *)"text", 4), 1);
    EVP_MD_CTX_free(context);
    give(scene, out, size);
}

void give_made(struct scene *scene)
{
    char kind[16], alg[32];

    assert_int_equal(EVP_PKEY_get_utf8_string_param(scene->made, "kind", kind, sizeof(kind), NULL),
                     1);
    assert_int_equal(EVP_PKEY_get_utf8_string_param(scene->made, "alg", alg, sizeof(alg), NULL), 1);
    give(scene, alg, strlen(alg));
    give_number(scene, number_of(scene->made, "bits"));
    give_number(scene, number_of(scene->made, "exportable"));
    if (strcmp(kind, "cipher") == 0)
        give_encrypted(scene);
    if (strcmp(kind, "mac") == 0)
        give_signed(scene);
}
