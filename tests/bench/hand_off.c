/* Handing a connection over: see hand_off.h. */
#include "hand_off.h"

#include <openssl/crypto.h>
#include "material.h"
#include "timing.h"

struct mover {
    EVP_PKEY *keys[KEY_COUNT];
    EVP_PKEY_CTX *import;
};

struct mover *mover_new(void)
{
    struct mover *mover = OPENSSL_zalloc(sizeof(*mover));

    if (mover == NULL ||
        (mover->import = EVP_PKEY_CTX_new_from_name(NULL, SCHANNEL_KEY_TYPE, NULL)) == NULL)
        die("a hand-off");
    make_connection(mover->keys);
    return mover;
}

void mover_free(struct mover *mover)
{
    EVP_PKEY_CTX_free(mover->import);
    free_connection(mover->keys);
    OPENSSL_free(mover);
}

void mover_move(struct mover *mover)
{
    unsigned char blob[MAX_BLOB];
    size_t size;

    for (size_t n = 0; n < KEY_COUNT; n++) {
        EVP_PKEY *moved = NULL;
        OSSL_PARAM params[] = { OSSL_PARAM_construct_end(),
                                text(SCHANNEL_PARAM_SEAL_KEY, "runtime"),
                                OSSL_PARAM_construct_end() };

        if (!EVP_PKEY_get_octet_string_param(mover->keys[n], SCHANNEL_PARAM_OPAQUE_BLOB, blob,
                                             sizeof(blob), &size))
            die("an export");
        params[0] = octets(SCHANNEL_PARAM_OPAQUE_BLOB, blob, size);
        if (EVP_PKEY_fromdata_init(mover->import) <= 0 ||
            EVP_PKEY_fromdata(mover->import, &moved, EVP_PKEY_KEYPAIR, params) <= 0)
            die("an import");
        EVP_PKEY_free(moved);
    }
}
