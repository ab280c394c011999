/*
 * The server side of a TLS 1.0 handshake, see tls_server.h.
 */
#include <string.h>
#include <openssl/obj_mac.h>
#include <openssl/x509.h>
#include "record_layer.h"
#include "socket_io.h"
#include "tls_server.h"

#define RSA_BITS             2048
#define CERTIFICATE_LIFETIME (24 * 60 * 60)
#define MAX_RECORDS          64 /* of one handshake, from the client */

/* Suites whose keys are a CBC key and an HMAC-SHA1 key; the key exchange does not matter. */
static const char suites[] = "AES128-SHA:AES256-SHA:ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA"
                             ":@SECLEVEL=0";

/* A handshake in progress: libssl between two memory BIOs. */
struct pump {
    int socket;
    SSL *ssl;
    BIO *to_ssl, *from_ssl;                 /* owned by |ssl| */
    int client_protected, server_protected; /* ChangeCipherSpec has passed */
    struct tls_handshake *handshake;
    const char *why;
};

static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_NAME_new();
    int ok = 0;

    if (certificate != NULL && name != NULL && X509_set_version(certificate, X509_VERSION_3) &&
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) &&
        X509_gmtime_adj(X509_getm_notBefore(certificate), 0) != NULL &&
        X509_gmtime_adj(X509_getm_notAfter(certificate), CERTIFICATE_LIFETIME) != NULL &&
        X509_set_pubkey(certificate, key) &&
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1,
                                   -1, 0) &&
        X509_set_subject_name(certificate, name) && X509_set_issuer_name(certificate, name) &&
        X509_sign(certificate, key, EVP_sha256()) > 0)
        ok = 1;
    X509_NAME_free(name);
    if (ok)
        return certificate;
    X509_free(certificate);
    return NULL;
}

static int use_new_certificate(SSL_CTX *server)
{
    EVP_PKEY *key = EVP_RSA_gen(RSA_BITS);
    X509 *certificate = key != NULL ? make_certificate(key) : NULL;
    const int ok = certificate != NULL && SSL_CTX_use_certificate(server, certificate) > 0 &&
                   SSL_CTX_use_PrivateKey(server, key) > 0;

    X509_free(certificate);
    EVP_PKEY_free(key);
    return ok;
}

SSL_CTX *tls_server_new(void)
{
    SSL_CTX *server = SSL_CTX_new(TLS_server_method());

    if (server == NULL)
        return NULL;
    /* The application process knows MAC-then-encrypt, no tickets and no second handshake. */
    SSL_CTX_set_options(server, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                    SSL_OP_NO_ENCRYPT_THEN_MAC | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_security_level(server, 0);
    if (SSL_CTX_set_min_proto_version(server, TLS1_VERSION) &&
        SSL_CTX_set_max_proto_version(server, TLS1_VERSION) &&
        SSL_CTX_set_cipher_list(server, suites) && use_new_certificate(server))
        return server;
    SSL_CTX_free(server);
    return NULL;
}

static int fail(struct pump *pump, const char *why)
{
    pump->why = why;
    return 0;
}

/* Keeps what passes under the new keys, to process it again later. */
static int tap(struct pump *pump, int *is_protected, struct protected_records *records,
               const uint8_t *record, size_t size)
{
    if (*is_protected) {
        if (records->count == TLS_SERVER_MAX_PROTECTED || size > TLS_SERVER_MAX_RECORD)
            return fail(pump, "unexpected records around Finished");
        memcpy(records->record[records->count].data, record, size);
        records->record[records->count].size = size;
        records->count++;
    } else if (record[0] == TLS_CHANGE_CIPHER_SPEC) {
        *is_protected = 1;
    }
    return 1;
}

/* Gives libssl the next record, and not a byte more. */
static int pump_in(struct pump *pump)
{
    uint8_t record[TLS_MAX_RECORD];
    size_t size;

    if (socket_read(pump->socket, record, TLS_RECORD_HEADER_SIZE) != SOCKET_DONE)
        return fail(pump, "the client went away within the handshake");
    size = (size_t)record[3] << 8 | record[4];
    if (record[0] < TLS_CHANGE_CIPHER_SPEC || record[0] > TLS_APPLICATION_DATA ||
        record[1] != TLS_RECORD_VERSION >> 8 || size > TLS_MAX_CIPHERTEXT)
        return fail(pump, "the client does not speak TLS");
    if (socket_read(pump->socket, record + TLS_RECORD_HEADER_SIZE, size) != SOCKET_DONE)
        return fail(pump, "the client went away within a record");
    size += TLS_RECORD_HEADER_SIZE;
    if (!tap(pump, &pump->client_protected, &pump->handshake->from_client, record, size))
        return 0;
    return BIO_write(pump->to_ssl, record, (int)size) == (int)size || fail(pump, "out of memory");
}

/* libssl writes whole records: taps each and sends it. */
static int pump_out(struct pump *pump)
{
    uint8_t record[TLS_MAX_RECORD];

    while (BIO_ctrl_pending(pump->from_ssl) > 0) {
        size_t size;

        if (BIO_read(pump->from_ssl, record, TLS_RECORD_HEADER_SIZE) != TLS_RECORD_HEADER_SIZE)
            return fail(pump, "libssl wrote part of a record");
        size = (size_t)record[3] << 8 | record[4];
        if (size > TLS_MAX_CIPHERTEXT ||
            BIO_read(pump->from_ssl, record + TLS_RECORD_HEADER_SIZE, (int)size) != (int)size)
            return fail(pump, "libssl wrote part of a record");
        size += TLS_RECORD_HEADER_SIZE;
        if (!tap(pump, &pump->server_protected, &pump->handshake->from_server, record, size))
            return 0;
        if (socket_write(pump->socket, record, size) != SOCKET_DONE)
            return fail(pump, "the client does not take what is sent");
    }
    return 1;
}

static int run_handshake(struct pump *pump)
{
    int records, done = 0;

    for (records = 0; !done && records <= MAX_RECORDS; records++) {
        const int result = SSL_do_handshake(pump->ssl);
        const int error = SSL_get_error(pump->ssl, result);

        if (!pump_out(pump)) /* also an alert, if libssl has one to tell */
            return 0;
        done = result == 1;
        if (!done && error != SSL_ERROR_WANT_READ)
            return fail(pump, "libssl refuses the handshake");
        if (!done && !pump_in(pump))
            return 0;
    }
    if (!done)
        return fail(pump, "a handshake of too many records");
    if (BIO_ctrl_pending(pump->to_ssl) > 0 || SSL_has_pending(pump->ssl))
        return fail(pump, "libssl has not read all records");
    return 1;
}

static const char *bulk_cipher_name(const SSL_CIPHER *suite)
{
    switch (SSL_CIPHER_get_cipher_nid(suite)) {
    case NID_aes_128_cbc:
        return "AES-128-CBC";
    case NID_aes_256_cbc:
        return "AES-256-CBC";
    default:
        return NULL;
    }
}

static int take_secrets(struct pump *pump)
{
    struct tls_secrets *secrets = &pump->handshake->secrets;
    const SSL_CIPHER *suite = SSL_get_current_cipher(pump->ssl);

    secrets->cipher = bulk_cipher_name(suite);
    secrets->digest = SSL_CIPHER_get_digest_nid(suite) == NID_sha1 ? "SHA1" : NULL;
    if (secrets->cipher == NULL || secrets->digest == NULL)
        return fail(pump, "a suite that was not offered");
    OPENSSL_strlcpy(pump->handshake->suite, SSL_CIPHER_get_name(suite),
                    sizeof(pump->handshake->suite));
    if (SSL_SESSION_get_master_key(SSL_get0_session(pump->ssl), secrets->master,
                                   sizeof(secrets->master)) != sizeof(secrets->master) ||
        SSL_get_client_random(pump->ssl, secrets->client_random, sizeof(secrets->client_random)) !=
            sizeof(secrets->client_random) ||
        SSL_get_server_random(pump->ssl, secrets->server_random, sizeof(secrets->server_random)) !=
            sizeof(secrets->server_random))
        return fail(pump, "libssl does not tell the secrets");
    return 1;
}

/* libssl frees both BIOs with |ssl|. */
static int attach_bios(struct pump *pump)
{
    pump->to_ssl = BIO_new(BIO_s_mem());
    pump->from_ssl = BIO_new(BIO_s_mem());
    if (pump->to_ssl == NULL || pump->from_ssl == NULL) {
        BIO_free(pump->to_ssl);
        BIO_free(pump->from_ssl);
        return fail(pump, "out of memory");
    }
    /* an empty BIO means "later", not the end */
    BIO_set_mem_eof_return(pump->to_ssl, -1);
    SSL_set_bio(pump->ssl, pump->to_ssl, pump->from_ssl);
    SSL_set_accept_state(pump->ssl);
    return 1;
}

int tls_server_handshake(SSL_CTX *server, int socket, struct tls_handshake *handshake,
                         const char **why)
{
    struct pump pump = { .socket = socket, .handshake = handshake, .why = "out of memory" };
    int ok;

    memset(handshake, 0, sizeof(*handshake));
    pump.ssl = SSL_new(server);
    ok = pump.ssl != NULL && attach_bios(&pump) && run_handshake(&pump) && take_secrets(&pump);
    /* libssl's copies of the secrets go here; nothing is sent */
    SSL_free(pump.ssl);
    *why = pump.why;
    return ok;
}
