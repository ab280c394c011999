/* The session keys of a master: see session_keys.h. */
#include "key/session_keys.h"

#include <string.h>
#include <openssl/crypto.h>
#include "protocol/pct1.h"
#include "protocol/ssl2.h"
#include "protocol/ssl3.h"
#include "protocol/tls1.h"

struct connection session_connection(const struct derivation *derivation)
{
    return (struct connection){
        .client_random = derivation_random_octets(&derivation->client_random),
        .server_random = derivation_random_octets(&derivation->server_random),
        .certificate = shared_octets_view(derivation->certificate),
        .clear_key = shared_octets_view(derivation->clear_key),
        .cipher = derivation->cipher,
        .cipher_bits = derivation->cipher_bits,
        .is_export = derivation->is_export.value,
        .digest = derivation->digest,
        .mac_bits =
            derivation->mac_bits != 0 ? derivation->mac_bits : 8 * digest_size(derivation->digest),
        .has_explicit_iv = derivation->is_tls1_1.value,
        .ssl2_des_digit = !derivation->ssl2_des_digit.is_given || derivation->ssl2_des_digit.value,
        .pct_raw_des = derivation->pct_raw_des.value,
    };
}

/* ---- checks ---- */

/* SSL 3.0 and TLS 1.0 know MAC secrets as long as the digest only; PCT 1.0 negotiates their size. */
static int check_digest(const struct errors *errors, enum key_protocol protocol,
                        const struct derivation *derivation)
{
    const size_t bits = 8 * digest_size(derivation->digest);
    const unsigned given = derivation->mac_bits;

    if (protocol == KEY_PROTOCOL_SSL2)
        return 1; /* it hashes with MD5, and the write key is the MAC secret */
    if (derivation->digest == DIGEST_NONE)
        return RAISE(errors, SCHANNEL_R_MISSING_PARAMETER,
                     protocol == KEY_PROTOCOL_PCT1
                         ? "digest: is not set, but %s derives with it: expected MD5 or SHA1"
                         : "digest: is not set, but the MAC secrets of %s come first in the key "
                           "block: expected MD5 or SHA1",
                     key_protocol_name(protocol));
    if (given == 0)
        return 1;
    if (protocol == KEY_PROTOCOL_PCT1)
        return (given >= PCT1_MIN_MAC_BITS && given <= PCT1_MAX_MAC_BITS) ||
               RAISE(errors, SCHANNEL_R_INVALID_PARAMETER, "mac-bits: expected %d to %d, got %u",
                     PCT1_MIN_MAC_BITS, PCT1_MAX_MAC_BITS, given);
    return given == bits ||
           RAISE(errors, SCHANNEL_R_INVALID_PARAMETER, "mac-bits: expected %zu for %s, got %u",
                 bits, digest_name(derivation->digest), given);
}

/* Without a size given it is the cipher that the protocol lacks. */
static int no_such_key(const struct errors *errors, enum key_protocol protocol,
                       const struct derivation *derivation)
{
    const char *form = !protocol_rules(protocol)->has_premaster ? ""
                       : derivation->is_export.value            ? " for export"
                                                                : " without export";

    if (derivation->cipher_bits == 0)
        return RAISE(errors, SCHANNEL_R_INVALID_PARAMETER, "cipher: %s has no %s%s",
                     key_protocol_name(protocol), derivation->cipher->name, form);
    return RAISE(errors, SCHANNEL_R_INVALID_PARAMETER, "cipher-bits: %s has no %s key of %u bits%s",
                 key_protocol_name(protocol), derivation->cipher->name,
                 (unsigned)derivation->cipher_bits, form);
}

/* A short key of PCT 1.0 needs a clear key that its parts divide. */
static int check_clear_key(const struct errors *errors, const struct connection *connection,
                           const struct pct1_sizes *sizes)
{
    const size_t size = connection->clear_key.size;

    if (sizes->parts == 0)
        return 1;
    if (size == 0)
        return RAISE(errors, SCHANNEL_R_MISSING_PARAMETER,
                     "clear-key: is not set, but %s keys of %zu bits are expanded with it",
                     connection->cipher->name, sizes->bits);
    return size % sizes->parts == 0 ||
           RAISE(errors, SCHANNEL_R_INVALID_LENGTH,
                 "clear-key: expected a multiple of %zu bytes for this cipher and digest, got %zu",
                 sizes->parts, size);
}

static int pct1_sizes(const struct errors *errors, const struct derivation *derivation,
                      const struct connection *connection, struct session_key_sizes *sizes)
{
    struct pct1_sizes found;

    if (!pct1_key_sizes(connection, &found))
        return no_such_key(errors, KEY_PROTOCOL_PCT1, derivation);
    *sizes = (struct session_key_sizes){ found.key, 0 };
    return check_clear_key(errors, connection, &found);
}

static int ssl2_sizes(const struct errors *errors, const struct derivation *derivation,
                      const struct connection *connection, struct session_key_sizes *sizes)
{
    *sizes = (struct session_key_sizes){ ssl2_key_size(connection), 0 };
    return sizes->key != 0 || no_such_key(errors, KEY_PROTOCOL_SSL2, derivation);
}

/* RFC 4346 section A.5 */
static int check_export(const struct errors *errors, const struct derivation *derivation)
{
    return !derivation->is_export.value || !derivation->is_tls1_1.value ||
           RAISE(errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                 "export: TLS 1.1 has no export ciphers (RFC 4346 section A.5)");
}

static int ssl3_tls1_sizes(const struct errors *errors, enum key_protocol protocol,
                           const struct derivation *derivation, struct session_key_sizes *sizes)
{
    struct bulk_cipher_sizes found;

    if (!check_export(errors, derivation))
        return 0;
    if (!bulk_cipher_key_block_sizes(derivation->cipher, derivation->cipher_bits,
                                     derivation->is_export.value, &found))
        return no_such_key(errors, protocol, derivation);
    *sizes = (struct session_key_sizes){ found.key, derivation->is_tls1_1.value ? 0 : found.iv };
    return 1;
}

int session_key_sizes(const struct errors *errors, enum key_protocol protocol,
                      const struct derivation *derivation, struct session_key_sizes *sizes)
{
    const struct connection connection = session_connection(derivation);

    memset(sizes, 0, sizeof(*sizes));
    if (!derivation_check_protocol(errors, protocol, derivation) ||
        !check_digest(errors, protocol, derivation))
        return 0;
    if (derivation->cipher == NULL)
        return RAISE(errors, SCHANNEL_R_MISSING_PARAMETER,
                     "cipher: is not set: expected " BULK_CIPHER_NAMES);
    if (protocol == KEY_PROTOCOL_PCT1)
        return pct1_sizes(errors, derivation, &connection, sizes);
    if (protocol == KEY_PROTOCOL_SSL2)
        return ssl2_sizes(errors, derivation, &connection, sizes);
    return ssl3_tls1_sizes(errors, protocol, derivation, sizes);
}

int session_master(const struct errors *errors, enum key_protocol protocol, struct octets secret,
                   const struct derivation *derivation, uint8_t *joined, struct octets *master)
{
    const struct octets clear_key = shared_octets_view(derivation->clear_key);

    *master = secret;
    if (protocol != KEY_PROTOCOL_SSL2)
        return 1;
    master->size = ssl2_join_master(clear_key, secret, joined);
    master->data = joined;
    return master->size != 0 ||
           RAISE(errors, SCHANNEL_R_INVALID_LENGTH,
                 "clear-key: has %zu bytes, which with %zu of the secret is more than the %d of an "
                 "SSL 2.0 master key",
                 clear_key.size, secret.size, SSL2_MAX_MASTER_SIZE);
}

/* ---- keys ---- */

int session_write_key(const struct errors *errors, enum key_protocol protocol, struct octets secret,
                      const struct derivation *derivation, struct key_block *kept,
                      enum connection_side side, uint8_t *key, uint8_t *iv,
                      struct session_key_sizes *sizes)
{
    struct connection connection = session_connection(derivation);
    uint8_t joined[SSL2_MAX_MASTER_SIZE];
    struct octets master;
    int ok;

    if (!session_key_sizes(errors, protocol, derivation, sizes) ||
        !derivation_check_randoms(errors, protocol, derivation) ||
        !session_master(errors, protocol, secret, derivation, joined, &master))
        return 0;
    connection.kept = kept;
    ok = 1;
    switch (protocol) {
    case KEY_PROTOCOL_NONE:
        ok = 0;
        break;
    case KEY_PROTOCOL_PCT1:
        if (key != NULL)
            pct1_write_key(master.data, &connection, side, key);
        break;
    case KEY_PROTOCOL_SSL2:
        if (key != NULL)
            ssl2_write_key(master, &connection, side, key);
        break;
    case KEY_PROTOCOL_SSL3:
        ok = ssl3_write_key(master.data, &connection, side, key, iv);
        break;
    case KEY_PROTOCOL_TLS1:
        ok = tls1_write_key(master.data, &connection, side, key, iv);
        break;
    }
    OPENSSL_cleanse(joined, sizeof(joined));
    return ok || no_such_key(errors, protocol, derivation);
}

int session_mac_size(const struct errors *errors, enum key_protocol protocol,
                     const struct derivation *derivation, size_t *size)
{
    if (!protocol_rules(protocol)->has_mac_keys)
        return RAISE(errors, SCHANNEL_R_UNKNOWN_USAGE,
                     "usage: %s has no MAC keys: the write key is the MAC secret",
                     key_protocol_name(protocol));
    if (!derivation_check_protocol(errors, protocol, derivation) ||
        !check_digest(errors, protocol, derivation) || !check_export(errors, derivation))
        return 0;
    *size = (session_connection(derivation).mac_bits + 7) / 8;
    return 1;
}

int session_mac_key(const struct errors *errors, enum key_protocol protocol, struct octets master,
                    const struct derivation *derivation, struct key_block *kept,
                    enum connection_side side, uint8_t *key, size_t *size)
{
    struct connection connection = session_connection(derivation);

    if (!session_mac_size(errors, protocol, derivation, size) ||
        !derivation_check_randoms(errors, protocol, derivation))
        return 0;
    connection.kept = kept;
    if (protocol == KEY_PROTOCOL_PCT1)
        pct1_mac_key(master.data, &connection, side, key);
    else if (protocol == KEY_PROTOCOL_SSL3)
        ssl3_mac_secret(master.data, &connection, side, key);
    else
        tls1_mac_secret(master.data, &connection, side, key);
    return 1;
}
