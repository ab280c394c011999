/*
 * Comparing and choosing without a branch or an index that depends on the values.
 * A mask is 0 for no and all ones for yes.
 */
#ifndef SCHANNEL_PRIMITIVE_CONSTANT_TIME_H
#define SCHANNEL_PRIMITIVE_CONSTANT_TIME_H

#include <stddef.h>
#include <stdint.h>

/* Hides |value| from the compiler, which could otherwise turn a mask back into a branch. */
static inline size_t ct_barrier(size_t value)
{
#if defined(__GNUC__) || defined(__clang__)
    __asm__("" : "+r"(value));
#endif
    return value;
}

/* All ones when the highest bit is set. */
static inline size_t ct_msb(size_t value)
{
    return 0 - (ct_barrier(value) >> (8 * sizeof(value) - 1));
}

static inline size_t ct_is_zero(size_t value)
{
    return ct_msb(~value & (value - 1));
}

static inline size_t ct_equal(size_t a, size_t b)
{
    return ct_is_zero(a ^ b);
}

static inline size_t ct_less(size_t a, size_t b)
{
    return ct_msb(a ^ ((a ^ b) | ((a - b) ^ a)));
}

/* |a| where the mask says yes, else |b|. */
static inline size_t ct_select(size_t mask, size_t a, size_t b)
{
    return (ct_barrier(mask) & a) | (ct_barrier(~mask) & b);
}

static inline void ct_select_bytes(size_t mask, uint8_t *to, const uint8_t *a, const uint8_t *b,
                                   size_t size)
{
    for (size_t n = 0; n < size; n++)
        to[n] = (uint8_t)ct_select(mask, a[n], b[n]);
}

#endif
