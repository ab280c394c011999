/*
 * A split TLS server, the process with the private key: does the handshake, derives the session keys
 * in the provider, seals each as a transfer that opens once, and starts the application process, which
 * gets the blobs and the connection and nothing else.  Here with TLS 1.1, AES-128-CBC and SHA-1.
 *
 * Usage: split_server APPLICATION    APPLICATION is split_application.c; the client is a child process
 *
 * The providers are those of the configuration, openssl.cnf.sample.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <schannel/schannel.h>

#define SUITE "AES128-SHA:@SECLEVEL=0"

static void must(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "split_server: failed: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

/* A client of libssl: sends a line, prints the answer. */
static int client(int connection)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = NULL;
    char answer[64] = "";

    must(SSL_CTX_set_cipher_list(context, SUITE) && (ssl = SSL_new(context)) != NULL &&
             SSL_set_max_proto_version(ssl, TLS1_1_VERSION) && SSL_set_fd(ssl, connection) &&
             SSL_connect(ssl) > 0 && SSL_write(ssl, "who serves this?", 16) == 16 &&
             SSL_read(ssl, answer, sizeof(answer) - 1) > 0,
         "the client");
    printf("client: got \"%s\" over %s\n", answer, SSL_get_version(ssl));
    SSL_free(ssl);
    SSL_CTX_free(context);
    return strcmp(answer, "served by the application") != 0;
}

/* A server context with a key pair of its own, made for this run. */
static SSL_CTX *server_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_RSA_gen(2048);
    X509 *certificate = X509_new();

    must(context != NULL && key != NULL && certificate != NULL &&
             X509_gmtime_adj(X509_getm_notBefore(certificate), 0) != NULL &&
             X509_gmtime_adj(X509_getm_notAfter(certificate), 3600) != NULL &&
             X509_set_pubkey(certificate, key) && X509_sign(certificate, key, EVP_sha256()) > 0 &&
             SSL_CTX_use_certificate(context, certificate) > 0 &&
             SSL_CTX_use_PrivateKey(context, key) > 0 && SSL_CTX_set_cipher_list(context, SUITE) &&
             SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION),
         "a server context");
    /* what the record layer of the application does not do */
    SSL_CTX_set_options(context, SSL_OP_NO_ENCRYPT_THEN_MAC | SSL_OP_NO_TICKET);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return context;
}

/* The master key of a finished handshake. */
static EVP_PKEY *master_of(const SSL *ssl)
{
    unsigned char secret[48], client_random[32], server_random[32];
    int version = 0x0302;
    OSSL_PARAM params[] = {
        schannel_text(SCHANNEL_PARAM_ALG, SCHANNEL_ALG_TLS1_MASTER),
        schannel_octets(SCHANNEL_PARAM_SECRET, secret, sizeof(secret)),
        schannel_octets(SCHANNEL_PARAM_CLIENT_RANDOM, client_random, sizeof(client_random)),
        schannel_octets(SCHANNEL_PARAM_SERVER_RANDOM, server_random, sizeof(server_random)),
        schannel_text(SCHANNEL_PARAM_CIPHER, SCHANNEL_ALG_AES_128_CBC),
        schannel_text(SCHANNEL_PARAM_DIGEST, "SHA1"),
        OSSL_PARAM_construct_int(SCHANNEL_PARAM_RECORD_VERSION, &version),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *master = NULL;

    if (SSL_SESSION_get_master_key(SSL_get_session(ssl), secret, sizeof(secret)) == 48 &&
        SSL_get_client_random(ssl, client_random, 32) == 32 &&
        SSL_get_server_random(ssl, server_random, 32) == 32)
        master = schannel_key_from(NULL, params);
    OPENSSL_cleanse(secret, sizeof(secret));
    return master;
}

/* Derives one session key, writes it as a transfer and destroys it. */
static void send_key(EVP_PKEY *master, const char *usage, int to_application)
{
    EVP_PKEY *key = schannel_derive_key(NULL, master, usage);
    unsigned sequence = 1; /* Finished was record 0 */
    OSSL_PARAM next[] = { OSSL_PARAM_construct_uint(SCHANNEL_PARAM_SEQUENCE, &sequence),
                          OSSL_PARAM_construct_end() };
    unsigned char blob[SCHANNEL_BLOB_ROOM];
    size_t size = sizeof(blob);

    must(key != NULL && (strstr(usage, "mac") == NULL || EVP_PKEY_set_params(key, next)) &&
             schannel_export_transfer(key, 30, "the application", NULL, NULL, blob, &size) &&
             schannel_retire(key) &&
             write(to_application, &size, sizeof(size)) == (ssize_t)sizeof(size) &&
             write(to_application, blob, size) == (ssize_t)size,
         usage);
    EVP_PKEY_free(key);
}

int main(int argc, char *argv[])
{
    int connection[2], blobs[2], client_status = 1, application_status = 1;
    pid_t client_pid, application_pid;
    SSL_CTX *context;
    EVP_PKEY *master = NULL;
    SSL *ssl = NULL;

    must(argc == 2 && socketpair(AF_UNIX, SOCK_STREAM, 0, connection) == 0 && pipe(blobs) == 0,
         "usage: split_server APPLICATION");
    if ((client_pid = fork()) == 0)
        exit(client(connection[1]));
    context = server_context();
    must((ssl = SSL_new(context)) != NULL && SSL_set_fd(ssl, connection[0]) &&
             SSL_accept(ssl) > 0 && (master = master_of(ssl)) != NULL,
         "the handshake");
    if ((application_pid = fork()) == 0) {
        must(dup2(blobs[0], STDIN_FILENO) == 0 && dup2(connection[0], 3) == 3, "hand over");
        execl(argv[1], argv[1], (char *)NULL);
        must(0, argv[1]);
    }
    send_key(master, SCHANNEL_USAGE_CLIENT_WRITE_KEY, blobs[1]);
    send_key(master, SCHANNEL_USAGE_CLIENT_WRITE_MAC, blobs[1]);
    send_key(master, SCHANNEL_USAGE_SERVER_WRITE_KEY, blobs[1]);
    send_key(master, SCHANNEL_USAGE_SERVER_WRITE_MAC, blobs[1]);
    EVP_PKEY_free(master);
    SSL_free(ssl);
    SSL_CTX_free(context);
    waitpid(application_pid, &application_status, 0);
    waitpid(client_pid, &client_status, 0);
    return application_status != 0 || client_status != 0;
}
