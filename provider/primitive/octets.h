/* A borrowed run of bytes: nothing is owned, |data| may be NULL when |size| is 0. */
#ifndef SCHANNEL_PRIMITIVE_OCTETS_H
#define SCHANNEL_PRIMITIVE_OCTETS_H

#include <stddef.h>
#include <stdint.h>

struct octets {
    const uint8_t *data;
    size_t size;
};

#endif
