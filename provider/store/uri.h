/*
 * URIs of the store:
 *
 *   schannel:PATH[?NAME=VALUE[&NAME=VALUE]...]      PATH relative or absolute
 *   schannel:///ABSOLUTE/PATH[?...]
 *
 * Path, names and values are percent-encoded where they have to be (RFC 3986).  Names are the
 * options of an import; exchange-key may be repeated.  Octets: the text itself, or hex digits under
 * the name with "hex" before it, as -pkeyopt has it.  Called by store/store.
 */
#ifndef SCHANNEL_STORE_URI_H
#define SCHANNEL_STORE_URI_H

#include "key/options.h"
#include "provctx.h"

#define STORE_URI_MAX_SIZE 8192

struct store_uri {
    char *path;        /* owned */
    char *query;       /* owned, as it was written, with its question mark; "" without one */
    int has_authority; /* it was written with two slashes */
    struct blob_options options;
};

/* Takes |text| apart.  1 with *uri, which the caller clears, or 0 with a reason raised. */
int store_uri_parse(const struct provctx *provctx, const char *text, struct store_uri *uri);
void store_uri_clear(struct store_uri *uri);

/* The URI of |file| in the directory that |uri| names, with the same query: owned by the caller,
 * OPENSSL_free.  NULL when memory is out. */
char *store_uri_of_file(const struct store_uri *uri, const char *file);
/* The path of that file, likewise. */
char *store_path_of_file(const struct store_uri *uri, const char *file);

#endif
