/* What is in the files of a directory: see listing.h. */
#include "store/listing.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include "blob/opaque_header.h"
#include "decoder/read_blob.h"

/* All of |fd|, as far as it is allowed to go.  0 with errno set. */
static int read_all(int fd, BIO *to)
{
    uint8_t buffer[4096];
    size_t total = 0;
    ssize_t got;
    int failure = 0;

    while (failure == 0 && (got = read(fd, buffer, sizeof(buffer))) != 0) {
        if (got < 0)
            failure = errno != EINTR ? errno : 0;
        else if ((total += (size_t)got) > LISTING_MAX_FILE_SIZE)
            failure = EFBIG;
        else if (BIO_write(to, buffer, (int)got) != (int)got)
            failure = ENOMEM;
    }
    OPENSSL_cleanse(buffer, sizeof(buffer));
    errno = failure;
    return failure == 0;
}

BIO *listing_open_file(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    BIO *file = NULL;
    int failure;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &status) != 0)
        failure = errno;
    else if (!S_ISREG(status.st_mode))
        failure = EINVAL;
    else if (status.st_size > (off_t)LISTING_MAX_FILE_SIZE)
        failure = EFBIG;
    else if ((file = BIO_new(BIO_s_mem())) == NULL)
        failure = ENOMEM;
    else
        failure = read_all(fd, file) ? 0 : errno;
    (void)close(fd);
    if (failure != 0) {
        BIO_free(file);
        file = NULL;
    }
    errno = failure;
    return file;
}

enum listing_found listing_read(const struct provctx *provctx, BIO *file, uint8_t **blob,
                                size_t *size, int *is_pem)
{
    static const enum listing_found results[] = {
        [NOT_OURS] = LISTING_NOT_OURS, [OURS] = LISTING_OURS, [FAILED] = LISTING_FAILED
    };
    enum found found = read_blob_binary(provctx, BLOB_TYPE_DEFAULT, file, blob, size);

    *is_pem = found == NOT_OURS;
    if (found == NOT_OURS && BIO_seek(file, 0) >= 0)
        found = read_blob_pem(provctx, BLOB_TYPE_DEFAULT, file, blob, size);
    return results[found];
}

/* ---- describing ---- */

/* A line that grows; what does not fit is left out. */
struct line {
    char *text;
    size_t length;
};

static void append(struct line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void append(struct line *line, const char *format, ...)
{
    const size_t room = LISTING_LINE_SIZE - line->length;
    va_list arguments;
    int written;

    va_start(arguments, format);
    written = vsnprintf(line->text + line->length, room, format, arguments);
    va_end(arguments);
    if (written > 0)
        line->length += (size_t)written < room ? (size_t)written : room - 1;
}

/* The lock is held. */
static void append_state(struct line *line, struct key *key)
{
    const struct mac_value *mac = key_mac(key);

    if (key->algorithm->kind == KEY_KIND_MASTER && protocol_rules(key->protocol)->has_premaster)
        append(line, ", %s secret", key->value.master->converted ? "master" : "premaster");
    if (key->algorithm->kind == KEY_KIND_CIPHER)
        append(line, ", position %" PRIu64, key->value.cipher.position);
    if (mac != NULL)
        append(line, ", sequence %" PRIu64, mac->sequence);
    if (key->transfer != NULL)
        append(line, ", transfer");
}

static void append_key(struct line *line, struct key *key)
{
    char id[KEY_ID_TEXT];

    if (!key_lock(key))
        return;
    append(line, "%s", key->algorithm->name);
    if (key->has_id && key_id_text(key, id)) /* a simple or plaintext blob has none */
        append(line, " key %s", id);
    if (key->usage != KEY_USAGE_NONE)
        append(line, ", %s of %s", key_usage_name(key->usage), key_protocol_name(key->protocol));
    append_state(line, key);
    key_unlock(key);
    append(line, "; ");
}

/* Of a blob that was not opened: what its header says. */
static void append_algorithm(struct line *line, const struct provctx *provctx, enum blob_type type,
                             struct octets blob)
{
    const struct key_algorithm *algorithm = NULL;
    struct opaque_header header;
    struct reader reader;
    size_t size;

    errors_mark(provctx->errors);
    reader_init(&reader, blob.data, blob.size);
    (void)reader_u32(&reader);
    if (type != BLOB_TYPE_OPAQUE)
        algorithm = key_algorithm_by_alg_id(reader_u32_le(&reader));
    else if (opaque_header_read(provctx, blob, &header, &size))
        algorithm = header.algorithm;
    errors_unmark(provctx->errors, 0);
    if (algorithm != NULL)
        append(line, "%s; ", algorithm->name);
}

static void append_signer(struct line *line, const struct provctx *provctx, struct octets blob)
{
    struct signed_blob read;

    if (!signed_blob_read(provctx, blob, &read))
        return;
    append(line, " of signer ");
    for (size_t n = 0; n < 8; n++)
        append(line, "%02x", read.signer_id[n]);
}

void listing_describe(struct provctx *provctx, struct octets blob,
                      const struct blob_options *options, char text[LISTING_LINE_SIZE])
{
    const enum blob_type type = blob_recognise(blob.data, blob.size);
    struct line line = { text, 0 };
    struct error_heard why = { 0, "" };
    struct key *key;

    text[0] = '\0';
    errors_mark(provctx->errors);
    errors_hear(provctx->errors, &why);
    key = blob_import(provctx, blob, options, NULL);
    errors_hear(provctx->errors, NULL);
    if (key != NULL)
        append_key(&line, key);
    else if (type != BLOB_TYPE_SIGNED)
        append_algorithm(&line, provctx, type, blob);
    append(&line, "%s", blob_type_title(type));
    if (type == BLOB_TYPE_SIGNED)
        append_signer(&line, provctx, blob);
    if (key == NULL)
        append(&line, ", not opened%s%s", why.reason != 0 ? ": " : "", why.sentence);
    key_free(key);
    errors_unmark(provctx->errors, 0);
}
