/* Finding a blob in an input: see read_blob.h. */
#include "decoder/read_blob.h"

#include <string.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>

#define MAX_PEM_LINES  1024 /* how far a broken PEM file is searched for our label */
#define MAX_LABEL_SIZE 64
#define MAX_DRAINED    (16u << 20) /* how far the rest of an input that is too long is passed over */

/* Fills |buffer| as far as the input goes. */
static size_t read_up_to(BIO *in, uint8_t *buffer, size_t size)
{
    size_t filled = 0, got = 0;

    while (filled < size && BIO_read_ex(in, buffer + filled, size - filled, &got) && got != 0)
        filled += got;
    return filled;
}

/*
 * Passes over what is left.  The file store goes on behind the place where a decoder stopped and
 * would bury the reason under its own errors about the rest.
 */
static void drain(BIO *in, uint8_t *buffer, size_t size)
{
    for (size_t drained = 0, got = size; got == size && drained < MAX_DRAINED; drained += got)
        got = read_up_to(in, buffer, size);
}

enum found read_blob_binary(const struct provctx *provctx, enum blob_type type, BIO *in,
                            uint8_t **blob, size_t *size)
{
    uint8_t header[BLOB_HEADER_SIZE];
    size_t filled = read_up_to(in, header, sizeof(header)), most;
    enum blob_type found = blob_recognise(header, filled);

    if (found == BLOB_TYPE_DEFAULT || (type != BLOB_TYPE_DEFAULT && type != found))
        return NOT_OURS;
    most = blob_max_size(found);
    if ((*blob = OPENSSL_malloc(most + 1)) == NULL) {
        RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory to read an %s",
              blob_type_title(found));
        return FAILED;
    }
    memcpy(*blob, header, filled);
    *size = filled + read_up_to(in, *blob + filled, most + 1 - filled);
    if (*size <= most)
        return OURS;
    drain(in, *blob, most);
    OPENSSL_clear_free(*blob, most + 1);
    *blob = NULL;
    RAISE(provctx->errors, SCHANNEL_R_MALFORMED_BLOB, "%s: longer than %zu bytes",
          blob_type_title(found), most);
    return FAILED;
}

/* The label of the first BEGIN line, when it is ours.  Only asked when the PEM reader gave up. */
static enum blob_type first_label(BIO *in)
{
    static const char begin[] = "-----BEGIN ", end[] = "-----";
    char line[256], label[MAX_LABEL_SIZE];

    for (int n = 0; n < MAX_PEM_LINES && BIO_gets(in, line, sizeof(line)) > 0; n++) {
        const char *start = line + sizeof(begin) - 1, *stop;

        if (strncmp(line, begin, sizeof(begin) - 1) != 0)
            continue;
        if ((stop = strstr(start, end)) == NULL || (size_t)(stop - start) >= sizeof(label))
            return BLOB_TYPE_DEFAULT;
        memcpy(label, start, (size_t)(stop - start));
        label[stop - start] = '\0';
        return blob_type_by_label(label);
    }
    return BLOB_TYPE_DEFAULT;
}

/* The PEM reader found nothing that is whole. */
static enum found broken_pem(const struct provctx *provctx, BIO *in, int start)
{
    enum blob_type type = BLOB_TYPE_DEFAULT;
    const int end = BIO_tell(in);

    errors_mark(provctx->errors);
    if (start >= 0 && BIO_seek(in, start) >= 0)
        type = first_label(in);
    errors_unmark(provctx->errors, 0);
    if (type == BLOB_TYPE_DEFAULT) {
        (void)BIO_seek(in, end); /* so that nobody searches the rest again */
        return NOT_OURS;
    }
    RAISE(provctx->errors, SCHANNEL_R_MALFORMED_BLOB,
          "PEM: the base64 text or the END line of a %s is damaged", blob_pem_label(type));
    return FAILED;
}

static int check_pem(const struct provctx *provctx, enum blob_type type, const char *header,
                     const uint8_t *blob, size_t size)
{
    if (header[0] != '\0')
        return RAISE(provctx->errors, SCHANNEL_R_MALFORMED_BLOB, "PEM: a %s has no header lines",
                     blob_pem_label(type));
    if (size > blob_max_size(type))
        return RAISE(provctx->errors, SCHANNEL_R_MALFORMED_BLOB, "%s: longer than %zu bytes",
                     blob_type_title(type), blob_max_size(type));
    return blob_recognise(blob, size) == type || RAISE(provctx->errors, SCHANNEL_R_MALFORMED_BLOB,
                                                       "PEM: what is under the label %s is no %s",
                                                       blob_pem_label(type), blob_type_title(type));
}

enum found read_blob_pem(const struct provctx *provctx, enum blob_type wanted, BIO *in,
                         uint8_t **blob, size_t *size)
{
    char *name = NULL, *header = NULL;
    long length = 0;
    int start = BIO_tell(in), got;
    enum found found = NOT_OURS;
    enum blob_type type;

    errors_mark(provctx->errors);
    got = PEM_read_bio(in, &name, &header, blob, &length);
    errors_unmark(provctx->errors, 0);
    if (got <= 0)
        return broken_pem(provctx, in, start);
    type = blob_type_by_label(name);
    *size = (size_t)length;
    if (type != BLOB_TYPE_DEFAULT && (wanted == BLOB_TYPE_DEFAULT || wanted == type))
        found = check_pem(provctx, type, header, *blob, *size) ? OURS : FAILED;
    if (found != OURS) {
        OPENSSL_clear_free(*blob, *size); /* perhaps somebody's private key */
        *blob = NULL;
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    return found;
}
