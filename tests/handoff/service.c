/*
 * What the demo serves, see service.h.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <openssl/evp.h>
#include <schannel/names.h>
#include "report.h"
#include "service.h"

#define DOWNLOAD_SIZE   (1024 * 1024)
#define LINE_SIZE       8 /* "%07u\n" */
#define MAX_UPLOAD_SIZE (16 * 1024 * 1024)
#define PAGE_SIZE       1024
#define ANSWER_HEAD     512
#define SHA256_SIZE     32

/* The request that is being answered. */
struct exchange {
    const struct service *service;
    struct connection *connection;
    struct http_request request;
};

static enum service_outcome after_answer(const struct exchange *exchange)
{
    if (exchange->connection->ended != NULL)
        return SERVICE_ENDED;
    return exchange->request.keep_alive ? SERVICE_GO_ON : SERVICE_CLOSE;
}

static void report_answer(const struct exchange *exchange, int status, uint64_t size)
{
    const int readable = exchange->request.path[0] != '\0';

    report(exchange->service->who, "request %lu: %s %s -> %d, %llu bytes",
           (unsigned long)exchange->connection->requests,
           readable ? exchange->request.method_name : "an unreadable",
           readable ? exchange->request.path : "one", status, (unsigned long long)size);
}

static enum service_outcome send_head(struct exchange *exchange, int status, uint64_t size)
{
    char head[ANSWER_HEAD];
    const size_t head_size =
        http_format_head(head, sizeof(head), status, size, exchange->request.keep_alive);

    exchange->connection->requests++;
    report_answer(exchange, status, size);
    connection_send(exchange->connection, head, head_size);
    return after_answer(exchange);
}

/* Head and text in one record. */
static enum service_outcome send_text(struct exchange *exchange, int status, const char *text)
{
    char answer[ANSWER_HEAD + PAGE_SIZE];
    const size_t text_size = strlen(text);
    const size_t head_size = http_format_head(answer, sizeof(answer) - PAGE_SIZE, status, text_size,
                                              exchange->request.keep_alive);
    size_t size = head_size;

    if (exchange->request.method != HTTP_HEAD) {
        memcpy(answer + head_size, text, text_size);
        size += text_size;
    }
    exchange->connection->requests++;
    report_answer(exchange, status, text_size);
    connection_send(exchange->connection, answer, size);
    return after_answer(exchange);
}

/* After an answer to a request whose body will not be read, nothing sensible can follow. */
static enum service_outcome refuse(struct exchange *exchange, int status, const char *text)
{
    exchange->request.keep_alive = 0;
    return send_text(exchange, status, text);
}

static size_t append_key_line(const struct exchange *exchange, enum session_key_id id, char *page,
                              size_t size)
{
    EVP_PKEY *key = exchange->connection->keys.key[id];
    char key_id[KEY_TEXT_SIZE] = "?", algorithm[KEY_TEXT_SIZE] = "?";
    int written;

    keys_get_text(key, SCHANNEL_PARAM_KEY_ID, key_id);
    keys_get_text(key, SCHANNEL_PARAM_ALG, algorithm);
    written =
        snprintf(page + size, PAGE_SIZE - size, "  %s %s %s\n", keys_usage(id), algorithm, key_id);
    return written > 0 && (size_t)written < PAGE_SIZE - size ? size + (size_t)written : size;
}

static enum service_outcome answer_page(struct exchange *exchange)
{
    char page[PAGE_SIZE];
    size_t size;
    int id;

    snprintf(page, sizeof(page),
             "served by %s, pid %ld, uid %ld, which did not do the handshake\n"
             "request %lu on this connection, with the keys\n",
             exchange->service->who, (long)getpid(), (long)getuid(),
             (unsigned long)exchange->connection->requests + 1);
    size = strlen(page);
    for (id = 0; id < SESSION_KEY_COUNT; id++)
        size = append_key_line(exchange, (enum session_key_id)id, page, size);
    return send_text(exchange, 200, page);
}

static enum service_outcome answer_handover(struct exchange *exchange)
{
    char page[PAGE_SIZE];
    enum service_outcome outcome;

    if (!exchange->service->may_hand_over)
        return send_text(exchange, 503, "no other process to hand over to\n");
    snprintf(page, sizeof(page), "%s, pid %ld, hands this connection over\n",
             exchange->service->who, (long)getpid());
    outcome = send_text(exchange, 200, page);
    return outcome == SERVICE_GO_ON ? SERVICE_HAND_OVER : outcome;
}

static enum service_outcome answer_download(struct exchange *exchange)
{
    char block[TLS_MAX_FRAGMENT + 1]; /* snprintf wants room for the last terminator */
    unsigned line = 0;
    enum service_outcome outcome = send_head(exchange, 200, DOWNLOAD_SIZE);

    if (exchange->request.method == HTTP_HEAD)
        return outcome;
    while (outcome != SERVICE_ENDED && line < DOWNLOAD_SIZE / LINE_SIZE) {
        size_t size;

        for (size = 0; size < TLS_MAX_FRAGMENT; size += LINE_SIZE)
            snprintf(block + size, LINE_SIZE + 1, "%07u\n", line++ % 10000000);
        connection_send(exchange->connection, block, TLS_MAX_FRAGMENT);
        outcome = after_answer(exchange);
    }
    return outcome;
}

/* Reads the body through |digest|.  1, or 0 when the connection ended within it. */
static int digest_body(struct exchange *exchange, EVP_MD_CTX *digest)
{
    uint64_t left = exchange->request.length;

    while (left > 0) {
        size_t size;
        const uint8_t *bytes = connection_input(exchange->connection, &size);

        if (size == 0) {
            if (!connection_receive(exchange->connection))
                return 0;
            continue;
        }
        if (size > left)
            size = (size_t)left; /* the next request is already there */
        if (!EVP_DigestUpdate(digest, bytes, size))
            return 0;
        connection_consume(exchange->connection, size);
        left -= size;
    }
    return 1;
}

/* Hexadecimal SHA-256 of the body. */
static int receive_body(struct exchange *exchange, char text[2 * SHA256_SIZE + 1])
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    uint8_t hash[SHA256_SIZE];
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    int i, ok;

    ok = digest != NULL && EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
    if (ok && exchange->request.expect_continue && exchange->request.length > 0)
        ok = connection_send(exchange->connection, go_on, sizeof(go_on) - 1);
    ok = ok && digest_body(exchange, digest) && EVP_DigestFinal_ex(digest, hash, NULL);
    EVP_MD_CTX_free(digest);
    for (i = 0; ok && i < SHA256_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
    return ok;
}

static enum service_outcome answer_upload(struct exchange *exchange)
{
    char hash[2 * SHA256_SIZE + 1], page[PAGE_SIZE];

    if (!exchange->request.has_length)
        return refuse(exchange, 411, "say the length of the body\n");
    if (exchange->request.length > MAX_UPLOAD_SIZE)
        return refuse(exchange, 413, "the body is too large\n");
    if (!receive_body(exchange, hash)) {
        connection_close(exchange->connection);
        return SERVICE_ENDED;
    }
    snprintf(page, sizeof(page), "%s %llu bytes\n", hash,
             (unsigned long long)exchange->request.length);
    return send_text(exchange, 200, page);
}

static const struct {
    const char *path;
    unsigned methods; /* bits 1 << enum http_method */
    enum service_outcome (*answer)(struct exchange *exchange);
} resources[] = {
    { "/", 1u << HTTP_GET | 1u << HTTP_HEAD, answer_page },
    { "/handover", 1u << HTTP_GET, answer_handover },
    { "/download", 1u << HTTP_GET | 1u << HTTP_HEAD, answer_download },
    { "/upload", 1u << HTTP_PUT | 1u << HTTP_POST, answer_upload },
};

static enum service_outcome answer_request(struct exchange *exchange)
{
    const struct http_request *request = &exchange->request;
    size_t i;

    if (request->has_encoding)
        return refuse(exchange, 411, "no transfer encodings here\n");
    for (i = 0; i < sizeof(resources) / sizeof(resources[0]); i++) {
        if (strcmp(request->path, resources[i].path) != 0)
            continue;
        if ((resources[i].methods & 1u << request->method) == 0)
            return refuse(exchange, 405, "not this way\n");
        if (request->length > 0 && resources[i].answer != answer_upload)
            return refuse(exchange, 413, "no body expected\n");
        return resources[i].answer(exchange);
    }
    return request->length > 0 ? refuse(exchange, 404, "no such page\n")
                               : send_text(exchange, 404, "no such page\n");
}

enum service_outcome service_answer(const struct service *service, struct connection *connection)
{
    struct exchange exchange = { .service = service, .connection = connection };
    size_t size, head_size;
    const uint8_t *bytes = connection_input(connection, &size);

    while ((head_size = http_head_size(bytes, size)) == 0 && size < HTTP_MAX_HEAD) {
        if (!connection_receive(connection))
            return SERVICE_ENDED;
        bytes = connection_input(connection, &size);
    }
    if (head_size == 0 || head_size > HTTP_MAX_HEAD)
        return refuse(&exchange, 431, "the headers are too long\n");
    if (!http_parse_request(bytes, head_size, &exchange.request))
        return refuse(&exchange, 400, "not an HTTP request\n");
    connection_consume(connection, head_size);
    return answer_request(&exchange);
}
