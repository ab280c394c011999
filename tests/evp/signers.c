/* Keys that sign: see signers.h. */
#include "signers.h"

#include <unistd.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

struct signer signers[MAX_SIGNERS];
size_t signer_count;

static void write_private(const struct signer *signer)
{
    BIO *file = BIO_new_file(signer->private_file, "w");

    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(file, signer->pkey, NULL, NULL, 0, NULL, NULL),
                     1);
    BIO_free(file);
}

static void write_public(const struct signer *signer)
{
    BIO *file = BIO_new_file(signer->public_file, "w");

    assert_int_equal(PEM_write_bio_PUBKEY(file, signer->pkey), 1);
    BIO_free(file);
}

static void read_signer(struct vectors *vectors, struct signer *signer)
{
    const struct octets private = vectors_hex(vectors, "PrivateKey");
    const struct octets public = vectors_hex(vectors, "PublicKey");
    const char *name = vectors_string(vectors, "Name");
    const unsigned char *at = private.data;

    snprintf(signer->name, sizeof(signer->name), "%s", name);
    snprintf(signer->private_file, sizeof(signer->private_file), "%s/%s", directory, name);
    snprintf(signer->public_file, sizeof(signer->public_file), "%s/%s-public", directory, name);
    signer->pkey = d2i_AutoPrivateKey_ex(NULL, &at, (long)private.size, libctx, NULL);
    assert_non_null(signer->pkey);
    assert_int_equal(EVP_PKEY_is_a(signer->pkey, vectors_string(vectors, "Type")), 1);
    assert_in_range(public.size, 1, sizeof(signer->spki));
    memcpy(signer->spki, public.data, public.size);
    signer->spki_size = public.size;
    write_private(signer);
    write_public(signer);
}

void signers_setup(void)
{
    struct vectors *vectors = vectors_open("signers.txt");

    while (vectors_next(vectors)) {
        assert_in_range(signer_count, 0, MAX_SIGNERS - 1);
        read_signer(vectors, &signers[signer_count++]);
    }
    vectors_close(vectors);
}

void signers_teardown(void)
{
    while (signer_count > 0) {
        const struct signer *signer = &signers[--signer_count];

        unlink(signer->private_file);
        unlink(signer->public_file);
        EVP_PKEY_free(signer->pkey);
    }
}

const struct signer *signer_named(const char *name)
{
    for (size_t n = 0; n < signer_count; n++) {
        if (strcmp(signers[n].name, name) == 0)
            return &signers[n];
    }
    fail_msg("no signer %s", name);
    return NULL;
}
