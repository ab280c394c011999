/*
 * A split TLS server, the application process: gets four sealed blobs on standard input and the
 * connection as descriptor 3 from split_server.c, reads a record of TLS 1.1 and answers with one.  It is
 * linked with libcrypto alone, and never sees a private key or a master secret.
 *
 * The providers are those of the configuration, openssl.cnf.sample.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <schannel/schannel.h>

#define CONNECTION       3
#define APPLICATION_DATA 23
#define VERSION          0x0302
#define HEADER           5
#define BLOCK            16 /* also the size of the explicit IV of each record */
#define MAC              20
#define MAX_RECORD       256 /* of this example */

/* One direction of the connection. */
struct direction {
    EVP_CIPHER_CTX *cipher;
    EVP_MAC_CTX *mac;
};

static void must(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "split_application: failed: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

/* The next key: a transfer for this process, which opens once. */
static EVP_PKEY *receive_key(void)
{
    unsigned char blob[SCHANNEL_BLOB_ROOM];
    EVP_PKEY *key;
    size_t size;

    must(fread(&size, sizeof(size), 1, stdin) == 1 && size <= sizeof(blob) &&
             fread(blob, size, 1, stdin) == 1,
         "read a blob");
    key = schannel_import(NULL, blob, size, "the application", NULL, NULL);
    must(key != NULL, "open a blob");
    return key;
}

/* Cipher and MAC go on where the keys are; the contexts hold the keys. */
static struct direction receive_direction(int encrypt)
{
    struct direction direction = { EVP_CIPHER_CTX_new(), NULL };
    EVP_PKEY *key = receive_key(), *mac_key = receive_key();

    must(
        direction.cipher != NULL &&
            schannel_bind_cipher(NULL, direction.cipher, SCHANNEL_CIPHER_AES_128_CBC, key, encrypt),
        "bind a cipher");
    direction.mac = schannel_bind_mac(NULL, SCHANNEL_MAC_TLS1, mac_key, APPLICATION_DATA, VERSION);
    must(direction.mac != NULL, "bind a MAC");
    EVP_PKEY_free(key);
    EVP_PKEY_free(mac_key);
    return direction;
}

/* Record number, type, version and length are the provider's work. */
static void mac_of(EVP_MAC_CTX *context, const unsigned char *text, unsigned size,
                   unsigned char mac[MAC])
{
    OSSL_PARAM length[] = { OSSL_PARAM_construct_uint(SCHANNEL_PARAM_RECORD_LENGTH, &size),
                            OSSL_PARAM_construct_end() };
    size_t written;

    must(EVP_MAC_CTX_set_params(context, length) && EVP_MAC_update(context, text, size) &&
             EVP_MAC_final(context, mac, &written, MAC),
         "the MAC of a record");
}

/*
 * Reads a record; the text is behind its IV.  Chaining runs on from record to record, and the explicit
 * IV is a block like any other, whose plaintext means nothing.  A server that strangers talk to checks
 * padding and MAC in constant time.
 */
static unsigned read_record(const struct direction *direction, unsigned char record[MAX_RECORD])
{
    unsigned char header[HEADER], mac[MAC];
    int size, plain, text;

    must(recv(CONNECTION, header, HEADER, MSG_WAITALL) == HEADER && header[3] == 0, "a header");
    size = header[4];
    must(size >= 3 * BLOCK && recv(CONNECTION, record, (size_t)size, MSG_WAITALL) == size &&
             EVP_CipherUpdate(direction->cipher, record, &plain, record, size) && plain == size,
         "decrypt a record");
    text = size - BLOCK - MAC - 1 - record[size - 1];
    must(text >= 0, "the padding of a record");
    mac_of(direction->mac, record + BLOCK, (unsigned)text, mac);
    must(CRYPTO_memcmp(mac, record + BLOCK + text, MAC) == 0, "a record that is authentic");
    return (unsigned)text;
}

static void write_record(const struct direction *direction, const char *text)
{
    const unsigned size = (unsigned)strlen(text), padding = BLOCK - 1 - (size + MAC) % BLOCK;
    const unsigned body_size = BLOCK + size + MAC + padding + 1;
    unsigned char record[HEADER + MAX_RECORD] = { APPLICATION_DATA, 3, 2, 0, 0 };
    unsigned char *body = record + HEADER, *behind = body + BLOCK + size;
    int written;

    record[4] = (unsigned char)body_size;
    memcpy(body + BLOCK, text, size);
    mac_of(direction->mac, body + BLOCK, size, behind);
    memset(behind + MAC, (int)padding, padding + 1);
    must(RAND_bytes(body, BLOCK) > 0 &&
             EVP_CipherUpdate(direction->cipher, body, &written, body, (int)body_size) &&
             write(CONNECTION, record, HEADER + body_size) == (ssize_t)(HEADER + body_size),
         "write a record");
}

int main(void)
{
    unsigned char record[MAX_RECORD];
    struct direction in, out;
    unsigned size;

    in = receive_direction(0);
    out = receive_direction(1);
    size = read_record(&in, record);
    printf("application: got \"%.*s\"\n", (int)size, record + BLOCK);
    write_record(&out, "served by the application");
    EVP_CIPHER_CTX_free(in.cipher);
    EVP_CIPHER_CTX_free(out.cipher);
    EVP_MAC_CTX_free(in.mac);
    EVP_MAC_CTX_free(out.mac);
    return 0;
}
