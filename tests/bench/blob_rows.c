/* Rows: moving the four keys of a connection by the parameter opaque-blob: export and import. */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <stdio.h>
#include "hand_off.h"
#include "material.h"
#include "rows.h"
#include "timing.h"

#define MOST_MICROSECONDS 40.0

/* ---- ours ---- */

static void *open_mover(const struct job *job)
{
    struct mover *mover = mover_new();

    (void)job;
    return mover;
}

static void run_mover(void *state, size_t count)
{
    for (; count != 0; count--)
        mover_move(state);
}

static void close_mover(void *state)
{
    mover_free(state);
}

/* ---- the bare calls: a derivation and a pass of the AEAD for each export and each import ---- */

#define AEAD_KEY_SIZE 32
#define KEYS_SIZE     76 /* key, nonce, commitment */
#define SALT_SIZE     16
#define HEADER_SIZE   59
#define TAG_SIZE      16
#define PAYLOAD_SIZE  69 /* of an AES-128-CBC key */

struct bare {
    EVP_KDF_CTX *hkdf;
    EVP_CIPHER *aead;
    EVP_CIPHER_CTX *context;
    unsigned char header[HEADER_SIZE], payload[PAYLOAD_SIZE], sealed[PAYLOAD_SIZE], tag[TAG_SIZE];
};

static void *open_bare(const struct job *job)
{
    struct bare *bare = OPENSSL_zalloc(sizeof(*bare));
    EVP_KDF *fetched = EVP_KDF_fetch(NULL, "HKDF", NULL);

    if (bare == NULL || fetched == NULL || (bare->hkdf = EVP_KDF_CTX_new(fetched)) == NULL ||
        (bare->aead = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL)) == NULL ||
        (bare->context = EVP_CIPHER_CTX_new()) == NULL)
        die(job->name);
    EVP_KDF_free(fetched);
    return bare;
}

static void derive(const struct bare *bare, unsigned char keys[KEYS_SIZE])
{
    OSSL_PARAM params[] = {
        text(OSSL_KDF_PARAM_DIGEST, "SHA256"),
        octets(OSSL_KDF_PARAM_KEY, known_master, AEAD_KEY_SIZE),
        octets(OSSL_KDF_PARAM_SALT, known_random, SALT_SIZE),
        octets(OSSL_KDF_PARAM_INFO, "schannel opaque key blob seal 1", 31),
        OSSL_PARAM_construct_end(),
    };

    if (EVP_KDF_derive(bare->hkdf, keys, KEYS_SIZE, params) <= 0)
        die("HKDF");
}

static void seal(struct bare *bare)
{
    unsigned char keys[KEYS_SIZE];
    int written;

    derive(bare, keys);
    if (!EVP_EncryptInit_ex2(bare->context, bare->aead, keys, keys + AEAD_KEY_SIZE, NULL) ||
        !EVP_EncryptUpdate(bare->context, NULL, &written, bare->header, HEADER_SIZE) ||
        !EVP_EncryptUpdate(bare->context, bare->sealed, &written, bare->payload, PAYLOAD_SIZE) ||
        !EVP_EncryptFinal_ex(bare->context, bare->sealed + written, &written) ||
        EVP_CIPHER_CTX_ctrl(bare->context, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, bare->tag) <= 0)
        die("AES-256-GCM");
}

static void unseal(struct bare *bare)
{
    unsigned char keys[KEYS_SIZE];
    int written;

    derive(bare, keys);
    if (!EVP_DecryptInit_ex2(bare->context, bare->aead, keys, keys + AEAD_KEY_SIZE, NULL) ||
        !EVP_DecryptUpdate(bare->context, NULL, &written, bare->header, HEADER_SIZE) ||
        !EVP_DecryptUpdate(bare->context, bare->payload, &written, bare->sealed, PAYLOAD_SIZE) ||
        EVP_CIPHER_CTX_ctrl(bare->context, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, bare->tag) <= 0 ||
        !EVP_DecryptFinal_ex(bare->context, bare->payload + written, &written))
        die("AES-256-GCM");
}

static void run_bare(void *state, size_t count)
{
    for (; count != 0; count--) {
        for (size_t n = 0; n < KEY_COUNT; n++) {
            seal(state);
            unseal(state);
        }
    }
}

static void close_bare(void *state)
{
    struct bare *bare = state;

    EVP_KDF_CTX_free(bare->hkdf);
    EVP_CIPHER_CTX_free(bare->context);
    EVP_CIPHER_free(bare->aead);
    OPENSSL_free(bare);
}

void blob_rows(void)
{
    const struct row row = {
        .what = "four keys by opaque-blob",
        .ours = { "moved", open_mover, run_mover, close_mover, NULL, NULL, 0, 0 },
        .theirs = { "bare calls", open_bare, run_bare, close_bare, NULL, NULL, 0, 0 },
        .goal = TIMES_THE_TIME,
        .to_reach = 2.5,
    };

    printf("%-30s  %7.2f us, at most %.0f us\n", "  the time of a connection", 1e6 * compare(&row),
           MOST_MICROSECONDS);
}
