/*
 * A server that is restarted in the middle of a stream.  The old process seals its cipher and its MAC key
 * as they are, the keystream at any byte and half a message absorbed, leaves the blobs in a pipe and calls
 * exec; the new one, "live_restart CONNECTION BLOBS", opens them and goes on with the next byte.  The peer
 * reads one stream under one MAC, and notices nothing.
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
#include <schannel/schannel.h>

#define MAC_SIZE  20
#define TEXT_SIZE 64 /* of both halves */

/* All state is in the keys: a context that is bound to one goes on where the last one stopped. */
struct stream {
    EVP_PKEY *key, *mac_key;
};

static void must(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "live_restart: failed: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

/* The keys that both sides have agreed on, somehow. */
static struct stream begin(void)
{
    static const unsigned char agreed[MAC_SIZE] = "agreed by both sides";
    OSSL_PARAM cipher[] = { schannel_text(SCHANNEL_PARAM_ALG, SCHANNEL_ALG_RC4),
                            schannel_octets(SCHANNEL_PARAM_SECRET, agreed, 16),
                            OSSL_PARAM_construct_end() };
    OSSL_PARAM mac[] = { schannel_text(SCHANNEL_PARAM_ALG, SCHANNEL_ALG_TLS1_MAC),
                         schannel_text(SCHANNEL_PARAM_DIGEST, "SHA1"),
                         schannel_octets(SCHANNEL_PARAM_SECRET, agreed, MAC_SIZE),
                         OSSL_PARAM_construct_end() };
    struct stream stream = { schannel_key_from(NULL, cipher), schannel_key_from(NULL, mac) };

    must(stream.key != NULL && stream.mac_key != NULL, "make the keys");
    return stream;
}

/* RC4 from |in| to |out|, and the MAC of |text|, which is one of the two; with |mac| its message ends. */
static void process(struct stream *stream, const unsigned char *in, unsigned char *out, int size,
                    const unsigned char *text, unsigned char *mac)
{
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    EVP_MAC_CTX *context = schannel_bind_mac(NULL, SCHANNEL_MAC_TLS1, stream->mac_key, -1, 0);
    size_t written;

    must(schannel_bind_cipher(NULL, cipher, SCHANNEL_CIPHER_RC4, stream->key, text == in) &&
             EVP_CipherUpdate(cipher, out, &size, in, size) && context != NULL &&
             EVP_MAC_update(context, text, (size_t)size) &&
             (mac == NULL || EVP_MAC_final(context, mac, &written, MAC_SIZE)),
         "encrypt and authenticate");
    EVP_CIPHER_CTX_free(cipher);
    EVP_MAC_CTX_free(context);
}

static void send_half(struct stream *stream, int connection, const char *text, unsigned char *mac)
{
    unsigned char half[TEXT_SIZE / 2] = { 0 }, out[TEXT_SIZE / 2];

    memcpy(half, text, strlen(text));
    process(stream, half, out, sizeof(half), half, mac);
    must(write(connection, out, sizeof(out)) == (ssize_t)sizeof(out), "send");
}

/* A blob goes through the pipe behind its size. */
static void save(EVP_PKEY *key, int blobs)
{
    unsigned char blob[SCHANNEL_BLOB_ROOM];
    size_t size = sizeof(blob);

    must(schannel_export_transfer(key, 30, NULL, NULL, NULL, blob, &size) && schannel_retire(key) &&
             write(blobs, &size, sizeof(size)) > 0 && write(blobs, blob, size) > 0,
         "save a key");
}

static EVP_PKEY *restore(int blobs)
{
    unsigned char blob[SCHANNEL_BLOB_ROOM];
    size_t size;

    must(read(blobs, &size, sizeof(size)) > 0 && size <= sizeof(blob) &&
             read(blobs, blob, size) > 0,
         "read a blob");
    return schannel_import(NULL, blob, size, NULL, NULL, NULL);
}

/* The other side: one stream, one message, one MAC. */
static int peer(int connection)
{
    unsigned char in[TEXT_SIZE], text[TEXT_SIZE], mac[MAC_SIZE], expected[MAC_SIZE];
    struct stream stream = begin();

    must(recv(connection, in, TEXT_SIZE, MSG_WAITALL) == TEXT_SIZE &&
             recv(connection, mac, MAC_SIZE, MSG_WAITALL) == MAC_SIZE,
         "receive");
    process(&stream, in, text, TEXT_SIZE, text, expected);
    printf("peer: got \"%s\" and \"%s\"\n", text, text + TEXT_SIZE / 2);
    EVP_PKEY_free(stream.key);
    EVP_PKEY_free(stream.mac_key);
    return CRYPTO_memcmp(mac, expected, MAC_SIZE) != 0;
}

static int go_on(int connection, int blobs)
{
    struct stream stream = { restore(blobs), restore(blobs) };
    unsigned char mac[MAC_SIZE];
    int status = 1;

    send_half(&stream, connection, "the new process the other", mac);
    must(write(connection, mac, MAC_SIZE) == MAC_SIZE && wait(&status) > 0, "end");
    EVP_PKEY_free(stream.key);
    EVP_PKEY_free(stream.mac_key);
    return status != 0;
}

int main(int argc, char *argv[])
{
    int connection[2], blobs[2];
    struct stream stream;
    char numbers[2][12];

    if (argc == 3)
        return go_on((int)strtol(argv[1], NULL, 10), (int)strtol(argv[2], NULL, 10));
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, connection) == 0 && pipe(blobs) == 0, "pipes");
    if (fork() == 0)
        return peer(connection[1]);
    stream = begin();
    send_half(&stream, connection[0], "the old process sends one half", NULL);
    save(stream.key, blobs[1]);
    save(stream.mac_key, blobs[1]);
    snprintf(numbers[0], sizeof(numbers[0]), "%d", connection[0]);
    snprintf(numbers[1], sizeof(numbers[1]), "%d", blobs[0]);
    execl(argv[0], argv[0], numbers[0], numbers[1], (char *)NULL);
    must(0, argv[0]);
}
