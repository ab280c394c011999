/* What the parameter "usage" of a KDF can say: see kdf.h.  The formulas are protocol/. */
#include <string.h>
#include <strings.h>
#include <openssl/crypto.h>
#include "kdf/kdf.h"
#include "key/session_keys.h"
#include "protocol/pct1.h"
#include "protocol/ssl2.h"
#include "protocol/ssl3.h"
#include "protocol/tls1.h"
#include "schannel/names.h"

#define MAX_MASTER_SIZE KDF_MAX_MASTER_SIZE

#define PCT1            (1u << KEY_PROTOCOL_PCT1)
#define SSL2            (1u << KEY_PROTOCOL_SSL2)
#define SSL3            (1u << KEY_PROTOCOL_SSL3)
#define TLS1            (1u << KEY_PROTOCOL_TLS1)

static struct octets input_octets(const struct input *input)
{
    return (struct octets){ input->data, input->size };
}

static const struct errors *errors_of(const struct kdf *kdf)
{
    return kdf->provctx->errors;
}

/* ---- the master secret ---- */

static int check_master_size(const struct kdf *kdf)
{
    const struct protocol_rules *rules = protocol_rules(kdf->protocol);

    if (kdf->secret.data == NULL)
        return RAISE(
            errors_of(kdf), SCHANNEL_R_MISSING_PARAMETER,
            rules->has_premaster
                ? "secret: is not set: expected the 48 bytes of a master secret, or a premaster"
                : "secret: is not set: expected the master key");
    if (kdf->secret.size >= rules->min_master && kdf->secret.size <= rules->max_master)
        return 1;
    if (rules->min_master != rules->max_master)
        return RAISE(errors_of(kdf), SCHANNEL_R_INVALID_LENGTH,
                     "secret: expected the %zu to %zu bytes of a master key, got %zu",
                     rules->min_master, rules->max_master, kdf->secret.size);
    return RAISE(errors_of(kdf), SCHANNEL_R_INVALID_LENGTH,
                 "secret: expected the %zu bytes of a master %s, got %zu", rules->min_master,
                 rules->has_premaster ? "secret" : "key", kdf->secret.size);
}

int kdf_get_master(const struct kdf *kdf, uint8_t buffer[MAX_MASTER_SIZE], struct octets *master)
{
    const struct derivation *derivation = &kdf->derivation;
    const struct octets premaster = input_octets(&kdf->premaster);
    const struct octets client = derivation_random_octets(&derivation->client_random);
    const struct octets server = derivation_random_octets(&derivation->server_random);

    if (premaster.data == NULL) {
        *master = input_octets(&kdf->secret);
        return check_master_size(kdf);
    }
    if (kdf->secret.data != NULL)
        return RAISE(errors_of(kdf), SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "premaster: excludes secret, which is the master secret");
    if (!derivation_check_randoms(errors_of(kdf), kdf->protocol, derivation))
        return 0;
    if (kdf->protocol == KEY_PROTOCOL_SSL3)
        ssl3_master_secret(premaster, client, server, buffer);
    else
        tls1_master_secret(premaster, client, server, buffer);
    *master = (struct octets){ buffer, TLS1_MASTER_SECRET_SIZE };
    return 1;
}

static int derive_master_secret(const struct kdf *kdf, const struct kdf_usage *usage, uint8_t *out,
                                size_t size)
{
    struct octets master;

    (void)usage;
    (void)size;
    if (kdf->premaster.data == NULL)
        return RAISE(errors_of(kdf), SCHANNEL_R_MISSING_PARAMETER,
                     "premaster: is not set, and the master secret is made from it");
    return kdf_get_master(kdf, out, &master);
}

static int master_size(const struct errors *errors, const struct kdf *kdf, size_t *size)
{
    (void)errors;
    (void)kdf;
    *size = TLS1_MASTER_SECRET_SIZE;
    return 1;
}

/* ---- key block ---- */

static int ssl2_key_block(const struct kdf *kdf, struct octets secret, uint8_t *out, size_t size)
{
    const struct connection connection = session_connection(&kdf->derivation);
    uint8_t joined[SSL2_MAX_MASTER_SIZE];
    struct octets master;

    if (!session_master(errors_of(kdf), kdf->protocol, secret, &kdf->derivation, joined, &master))
        return 0;
    ssl2_key_material(master, &connection, out, size);
    OPENSSL_cleanse(joined, sizeof(joined));
    return 1;
}

static int derive_key_block(const struct kdf *kdf, const struct kdf_usage *usage, uint8_t *out,
                            size_t size)
{
    const struct octets client = derivation_random_octets(&kdf->derivation.client_random);
    const struct octets server = derivation_random_octets(&kdf->derivation.server_random);
    uint8_t buffer[MAX_MASTER_SIZE];
    struct octets master;
    int ok = 1;

    (void)usage;
    if (!derivation_check_protocol(errors_of(kdf), kdf->protocol, &kdf->derivation) ||
        !derivation_check_randoms(errors_of(kdf), kdf->protocol, &kdf->derivation) ||
        !kdf_get_master(kdf, buffer, &master))
        return 0;
    if (kdf->protocol == KEY_PROTOCOL_SSL2)
        ok = ssl2_key_block(kdf, master, out, size);
    else if (kdf->protocol == KEY_PROTOCOL_SSL3)
        ssl3_key_block(master.data, client, server, out, size);
    else if (kdf->premaster.data != NULL)
        tls1_key_block(master.data, client, server, out, size);
    else
        tls1_secret_key_block(&kdf->tls1_secret, client, server, out, size);
    OPENSSL_cleanse(buffer, sizeof(buffer));
    return ok;
}

static size_t key_block_most(const struct kdf *kdf)
{
    const struct connection connection = session_connection(&kdf->derivation);

    if (kdf->protocol == KEY_PROTOCOL_SSL2)
        return ssl2_key_material_size(&connection);
    return kdf->protocol == KEY_PROTOCOL_SSL3 ? SSL3_MAX_PRF_SIZE : SIZE_MAX;
}

/* ---- keys ---- */

static int derive_key(const struct kdf *kdf, const struct kdf_usage *usage, uint8_t *out,
                      size_t size)
{
    uint8_t buffer[MAX_MASTER_SIZE], key[BULK_CIPHER_MAX_KEY_SIZE];
    struct session_key_sizes sizes;
    struct octets master;
    int ok = kdf_get_master(kdf, buffer, &master) &&
             session_write_key(errors_of(kdf), kdf->protocol, master, &kdf->derivation, NULL,
                               usage->side, key, NULL, &sizes);

    if (ok)
        memcpy(out, key, size);
    OPENSSL_cleanse(buffer, sizeof(buffer));
    OPENSSL_cleanse(key, sizeof(key));
    return ok;
}

static int key_size(const struct errors *errors, const struct kdf *kdf, size_t *size)
{
    struct session_key_sizes sizes;

    if (!session_key_sizes(errors, kdf->protocol, &kdf->derivation, &sizes))
        return 0;
    *size = sizes.key;
    return 1;
}

static int derive_iv(const struct kdf *kdf, const struct kdf_usage *usage, uint8_t *out,
                     size_t size)
{
    uint8_t buffer[MAX_MASTER_SIZE], iv[BULK_CIPHER_MAX_BLOCK_SIZE];
    struct session_key_sizes sizes;
    struct octets master;
    int ok = kdf_get_master(kdf, buffer, &master) &&
             session_write_key(errors_of(kdf), kdf->protocol, master, &kdf->derivation, NULL,
                               usage->side, NULL, iv, &sizes);

    if (ok)
        memcpy(out, iv, size);
    OPENSSL_cleanse(buffer, sizeof(buffer));
    return ok;
}

static int iv_size(const struct errors *errors, const struct kdf *kdf, size_t *size)
{
    struct session_key_sizes sizes;

    if (!session_key_sizes(errors, kdf->protocol, &kdf->derivation, &sizes))
        return 0;
    *size = sizes.iv;
    if (sizes.iv != 0)
        return 1;
    return RAISE(errors, SCHANNEL_R_UNKNOWN_USAGE,
                 kdf->derivation.cipher->iv_size == 0
                     ? "usage: %s: %s has no IV"
                     : "usage: %s: %s of TLS 1.1 has an explicit IV in each record, none is "
                       "derived",
                 kdf->usage->name, kdf->derivation.cipher->name);
}

static int derive_mac(const struct kdf *kdf, const struct kdf_usage *usage, uint8_t *out,
                      size_t size)
{
    uint8_t buffer[MAX_MASTER_SIZE], key[SESSION_MAX_MAC_SIZE];
    struct octets master;
    size_t made;
    int ok = kdf_get_master(kdf, buffer, &master) &&
             session_mac_key(errors_of(kdf), kdf->protocol, master, &kdf->derivation, NULL,
                             usage->side, key, &made);

    if (ok)
        memcpy(out, key, size);
    OPENSSL_cleanse(buffer, sizeof(buffer));
    OPENSSL_cleanse(key, sizeof(key));
    return ok;
}

static int mac_size(const struct errors *errors, const struct kdf *kdf, size_t *size)
{
    return session_mac_size(errors, kdf->protocol, &kdf->derivation, size);
}

/* ---- PRF and Finished ---- */

static int derive_prf(const struct kdf *kdf, const struct kdf_usage *usage, uint8_t *out,
                      size_t size)
{
    const struct octets none = { NULL, 0 };
    uint8_t buffer[MAX_MASTER_SIZE];
    struct octets secret = input_octets(&kdf->secret);

    (void)usage;
    if (kdf->seed.data == NULL)
        return RAISE(errors_of(kdf), SCHANNEL_R_MISSING_PARAMETER,
                     "seed: is not set, but the PRF needs it");
    if (kdf->protocol == KEY_PROTOCOL_SSL3 && kdf->label.data != NULL)
        return RAISE(errors_of(kdf), SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "label: SSL 3.0's function has a seed only");
    if (kdf->premaster.data != NULL) {
        if (!kdf_get_master(kdf, buffer, &secret))
            return 0;
    } else if (kdf->secret.data == NULL) {
        return RAISE(errors_of(kdf), SCHANNEL_R_MISSING_PARAMETER,
                     "secret: is not set, but the PRF needs it");
    }
    if (kdf->protocol == KEY_PROTOCOL_SSL3)
        ssl3_prf(secret, input_octets(&kdf->seed), none, out, size);
    else if (kdf->premaster.data != NULL)
        tls1_prf(secret, input_octets(&kdf->label), input_octets(&kdf->seed), none, out, size);
    else
        tls1_secret_prf(&kdf->tls1_secret, input_octets(&kdf->label), input_octets(&kdf->seed),
                        none, out, size);
    OPENSSL_cleanse(buffer, sizeof(buffer));
    return 1;
}

static size_t prf_most(const struct kdf *kdf)
{
    return kdf->protocol == KEY_PROTOCOL_SSL3 ? SSL3_MAX_PRF_SIZE : SIZE_MAX;
}

static int is_certificate_verify(const struct kdf_usage *usage)
{
    return strcmp(usage->name, SCHANNEL_USAGE_CERTIFICATE_VERIFY) == 0;
}

/* TLS 1.0 hashes the messages alone, SSL 3.0 the messages and the master secret. */
static int derive_finished(const struct kdf *kdf, const struct kdf_usage *usage, uint8_t *out,
                           size_t size)
{
    uint8_t buffer[MAX_MASTER_SIZE], finished[SSL3_FINISHED_SIZE];
    struct octets master;

    if (!kdf->has_handshake && (!kdf->has_handshake_hash || kdf->protocol == KEY_PROTOCOL_SSL3))
        return RAISE(errors_of(kdf), SCHANNEL_R_MISSING_PARAMETER,
                     kdf->protocol == KEY_PROTOCOL_SSL3
                         ? "handshake: is not set, and SSL 3.0 needs the messages themselves"
                         : "handshake: neither the handshake messages nor handshake-hash is set");
    if (!kdf_get_master(kdf, buffer, &master))
        return 0;
    if (kdf->protocol == KEY_PROTOCOL_TLS1)
        tls1_finished(master.data, usage->side, kdf->handshake_hash, out, size);
    else if (is_certificate_verify(usage))
        ssl3_certificate_verify(master.data, &kdf->handshake_md5, &kdf->handshake_sha1, finished);
    else
        ssl3_finished(master.data, usage->side, &kdf->handshake_md5, &kdf->handshake_sha1,
                      finished);
    if (kdf->protocol == KEY_PROTOCOL_SSL3)
        memcpy(out, finished, size);
    OPENSSL_cleanse(buffer, sizeof(buffer));
    return 1;
}

static size_t finished_most(const struct kdf *kdf)
{
    return kdf->protocol == KEY_PROTOCOL_SSL3 ? SSL3_FINISHED_SIZE : SIZE_MAX;
}

/* ---- the table ---- */

static const struct kdf_usage usages[] = {
    { SCHANNEL_USAGE_KEY_BLOCK, derive_key_block, NULL, key_block_most, SIDE_CLIENT,
      SSL2 | SSL3 | TLS1 }, /* the default */
    { SCHANNEL_USAGE_CLIENT_WRITE_KEY, derive_key, key_size, NULL, SIDE_CLIENT,
      PCT1 | SSL2 | SSL3 | TLS1 },
    { SCHANNEL_USAGE_SERVER_WRITE_KEY, derive_key, key_size, NULL, SIDE_SERVER,
      PCT1 | SSL2 | SSL3 | TLS1 },
    { SCHANNEL_USAGE_CLIENT_WRITE_MAC, derive_mac, mac_size, NULL, SIDE_CLIENT,
      PCT1 | SSL3 | TLS1 },
    { SCHANNEL_USAGE_SERVER_WRITE_MAC, derive_mac, mac_size, NULL, SIDE_SERVER,
      PCT1 | SSL3 | TLS1 },
    { SCHANNEL_USAGE_CLIENT_WRITE_IV, derive_iv, iv_size, NULL, SIDE_CLIENT, SSL3 | TLS1 },
    { SCHANNEL_USAGE_SERVER_WRITE_IV, derive_iv, iv_size, NULL, SIDE_SERVER, SSL3 | TLS1 },
    { SCHANNEL_USAGE_MASTER_SECRET, derive_master_secret, master_size, NULL, SIDE_CLIENT,
      SSL3 | TLS1 },
    { SCHANNEL_USAGE_PRF, derive_prf, NULL, prf_most, SIDE_CLIENT, SSL3 | TLS1 },
    { SCHANNEL_USAGE_CLIENT_FINISHED, derive_finished, NULL, finished_most, SIDE_CLIENT,
      SSL3 | TLS1 },
    { SCHANNEL_USAGE_SERVER_FINISHED, derive_finished, NULL, finished_most, SIDE_SERVER,
      SSL3 | TLS1 },
    { SCHANNEL_USAGE_CERTIFICATE_VERIFY, derive_finished, NULL, finished_most, SIDE_CLIENT, SSL3 },
};

#define USAGES (sizeof(usages) / sizeof(usages[0]))

const struct kdf_usage *kdf_usage_by_name(const char *name)
{
    for (size_t n = 0; n < USAGES; n++) {
        if (strcasecmp(name, usages[n].name) == 0)
            return &usages[n];
    }
    return NULL;
}

const struct kdf_usage *kdf_default_usage(void)
{
    return &usages[0];
}

/* What a user has to know who asks a protocol for what it has not. */
static const char *why_not(enum key_protocol protocol, const struct kdf_usage *usage)
{
    if (is_certificate_verify(usage) && protocol == KEY_PROTOCOL_TLS1)
        return "its client signs MD5 and SHA-1 of the messages alone (the digest MD5-SHA1)";
    if (is_certificate_verify(usage) && protocol == KEY_PROTOCOL_SSL2)
        return "its client signs MD5 of the key-block, the challenge and the certificate";
    if (usage->derive == derive_iv)
        return "its IV is not derived but sent (KEY-ARG)";
    if (usage->derive == derive_mac)
        return "the write key is the MAC secret";
    if (usage->derive == derive_key_block)
        return "each key is hashed by itself, set usage to client-write-key or another one";
    if (usage->derive == derive_master_secret)
        return "there is no premaster secret";
    return protocol == KEY_PROTOCOL_PCT1 ? "its verification values are MACs: use PCT1-MAC"
                                         : "it proves the keys by using them";
}

int kdf_usage_check(const struct kdf *kdf, const struct kdf_usage *usage)
{
    return (usage->protocols >> kdf->protocol & 1) != 0 ||
           RAISE(errors_of(kdf), SCHANNEL_R_UNKNOWN_USAGE, "usage: %s has no %s: %s",
                 key_protocol_name(kdf->protocol), usage->name, why_not(kdf->protocol, usage));
}
