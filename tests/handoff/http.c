/*
 * Heads of HTTP/1.1 requests and answers, see http.h.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "http.h"

#define MAX_LENGTH_DIGITS 15 /* fits in 64 bits */

static const struct {
    const char *name;
    enum http_method method;
} methods[] = {
    { "GET", HTTP_GET },
    { "HEAD", HTTP_HEAD },
    { "POST", HTTP_POST },
    { "PUT", HTTP_PUT },
};

static const struct {
    int status;
    const char *text;
} reasons[] = {
    { 200, "OK" },
    { 400, "Bad Request" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 411, "Length Required" },
    { 413, "Content Too Large" },
    { 431, "Request Header Fields Too Large" },
    { 503, "Service Unavailable" },
};

/* A piece of the head; not terminated. */
struct piece {
    const char *at;
    size_t size;
};

size_t http_head_size(const uint8_t *bytes, size_t size)
{
    size_t i, line = 0; /* visible bytes in this line */

    for (i = 0; i < size; i++) {
        if (bytes[i] == '\n') {
            if (line == 0)
                return i + 1;
            line = 0;
        } else if (bytes[i] != '\r') {
            line++;
        }
    }
    return 0;
}

/* Takes the next line without its end.  0 at the end of the head. */
static int next_line(struct piece *head, struct piece *line)
{
    const char *end = head->size > 0 ? memchr(head->at, '\n', head->size) : NULL;

    if (end == NULL)
        return 0;
    line->at = head->at;
    line->size = (size_t)(end - head->at);
    head->at = end + 1;
    head->size -= line->size + 1;
    if (line->size > 0 && line->at[line->size - 1] == '\r')
        line->size--;
    return line->size > 0;
}

/* Takes what stands before |mark|, and the mark.  0 when there is none. */
static int split(struct piece *rest, char mark, struct piece *first)
{
    const char *end = rest->size > 0 ? memchr(rest->at, mark, rest->size) : NULL;

    if (end == NULL)
        return 0;
    first->at = rest->at;
    first->size = (size_t)(end - rest->at);
    rest->at = end + 1;
    rest->size -= first->size + 1;
    return 1;
}

static void trim(struct piece *piece)
{
    while (piece->size > 0 && (piece->at[0] == ' ' || piece->at[0] == '\t')) {
        piece->at++;
        piece->size--;
    }
    while (piece->size > 0 &&
           (piece->at[piece->size - 1] == ' ' || piece->at[piece->size - 1] == '\t'))
        piece->size--;
}

static int is(struct piece piece, const char *word)
{
    return strlen(word) == piece.size && strncasecmp(piece.at, word, piece.size) == 0;
}

/* Visible ASCII only: it goes into answers and transcripts. */
static int copy_visible(struct piece piece, char *to, size_t room)
{
    size_t i;

    if (piece.size == 0 || piece.size >= room)
        return 0;
    for (i = 0; i < piece.size; i++)
        if (piece.at[i] <= ' ' || piece.at[i] > '~')
            return 0;
    memcpy(to, piece.at, piece.size);
    to[piece.size] = '\0';
    return 1;
}

static int parse_request_line(struct piece line, struct http_request *request)
{
    struct piece method, path;
    size_t i;

    if (!split(&line, ' ', &method) || !split(&line, ' ', &path) ||
        !copy_visible(method, request->method_name, sizeof(request->method_name)) ||
        !copy_visible(path, request->path, sizeof(request->path)))
        return 0;
    if (!is(line, "HTTP/1.1") && !is(line, "HTTP/1.0"))
        return 0;
    request->keep_alive = is(line, "HTTP/1.1");
    request->method = HTTP_OTHER;
    for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (strcmp(request->method_name, methods[i].name) == 0)
            request->method = methods[i].method;
    return 1;
}

static int parse_length(struct piece value, struct http_request *request)
{
    size_t i;

    /* two lengths, or one that two parsers could read differently, let requests be smuggled */
    if (request->has_length || value.size == 0 || value.size > MAX_LENGTH_DIGITS)
        return 0;
    for (i = 0; i < value.size; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return 0;
        request->length = request->length * 10 + (uint64_t)(value.at[i] - '0');
    }
    request->has_length = 1;
    return 1;
}

static int parse_field(struct piece line, struct http_request *request)
{
    struct piece name;

    if (!split(&line, ':', &name))
        return 0;
    trim(&line);
    if (is(name, "Content-Length"))
        return parse_length(line, request);
    if (is(name, "Transfer-Encoding"))
        request->has_encoding = 1;
    else if (is(name, "Expect"))
        request->expect_continue = is(line, "100-continue");
    else if (is(name, "Connection") && is(line, "close"))
        request->keep_alive = 0;
    else if (is(name, "Connection") && is(line, "keep-alive"))
        request->keep_alive = 1;
    return 1;
}

int http_parse_request(const uint8_t *bytes, size_t size, struct http_request *request)
{
    struct piece head = { (const char *)bytes, size }, line;

    memset(request, 0, sizeof(*request));
    if (!next_line(&head, &line) || !parse_request_line(line, request))
        return 0;
    while (next_line(&head, &line))
        if (!parse_field(line, request))
            return 0;
    return head.size == 0;
}

size_t http_format_head(char *head, size_t room, int status, uint64_t length, int keep_alive)
{
    const char *reason = "";
    size_t i;
    int written;

    for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].status == status)
            reason = reasons[i].text;
    written =
        snprintf(head, room,
                 "HTTP/1.1 %d %s\r\n"
                 "Content-Type: text/plain\r\n"
                 "Content-Length: %llu\r\n"
                 "Connection: %s\r\n"
                 "\r\n",
                 status, reason, (unsigned long long)length, keep_alive ? "keep-alive" : "close");
    return written > 0 && (size_t)written < room ? (size_t)written : 0;
}
