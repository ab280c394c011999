/*
 * As much of HTTP/1.1 as the demo needs: the head of a request, the head of an answer.  Bytes in,
 * struct out; knows nothing of connections.  Called by service.c.
 */
#ifndef HANDOFF_HTTP_H
#define HANDOFF_HTTP_H

#include <stddef.h>
#include <stdint.h>

#define HTTP_MAX_HEAD 8192 /* request line and headers together */
#define HTTP_MAX_PATH 256

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_OTHER };

struct http_request {
    enum http_method method;
    char method_name[16];
    char path[HTTP_MAX_PATH];
    int has_length;
    uint64_t length;  /* Content-Length, 0 without one */
    int has_encoding; /* a Transfer-Encoding: there is a body of a form not served here */
    int keep_alive;
    int expect_continue; /* the client waits for "100 Continue" */
};

/* Length of the head with its empty line, 0 while it is not complete. */
size_t http_head_size(const uint8_t *bytes, size_t size);

/* 1, or 0 when the |size| bytes are no request head. */
int http_parse_request(const uint8_t *head, size_t size, struct http_request *request);

/*
 * Writes the head of an answer with a text body of |length| bytes.  Its size, or 0 when it does
 * not fit.
 */
size_t http_format_head(char *head, size_t room, int status, uint64_t length, int keep_alive);

#endif
