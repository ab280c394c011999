/*
 * What a context says about the records that a MAC key is to authenticate.  Belongs to the context,
 * not to the key.  Set by mac/ and signature/, read by key/mac_value.
 */
#ifndef SCHANNEL_KEY_MAC_RECORD_H
#define SCHANNEL_KEY_MAC_RECORD_H

#include <openssl/core.h>
#include "key/algorithm.h"
#include "provctx.h"

#define MAC_RECORD_MAX_SIZE 65535

struct mac_record {
    uint8_t enabled; /* record mode */
    uint8_t has_type, has_version, has_length;
    uint8_t type;
    uint16_t version;
    uint16_t length; /* of the next record; used up when it begins */
};

/*
 * Takes record-mode, record-type, record-version and record-length out of |params|; others are left
 * alone.  A type turns record mode on.  Those that records of |protocol| do not have are refused.
 * All or nothing: 1, or 0 with a reason raised and |record| untouched.  *has_others (NULL: not asked)
 * is 1 when there are others.
 */
int mac_record_set(const struct provctx *provctx, enum key_protocol protocol,
                   struct mac_record *record, const OSSL_PARAM params[], int *has_others);

/* Descriptors of these parameters, for the settable tables. */
#define MAC_RECORD_SETTABLE                                                                        \
    OSSL_PARAM_uint(SCHANNEL_PARAM_RECORD_MODE, NULL),                                             \
        OSSL_PARAM_uint(SCHANNEL_PARAM_RECORD_TYPE, NULL),                                         \
        OSSL_PARAM_uint(SCHANNEL_PARAM_RECORD_VERSION, NULL),                                      \
        OSSL_PARAM_uint(SCHANNEL_PARAM_RECORD_LENGTH, NULL)

#endif
