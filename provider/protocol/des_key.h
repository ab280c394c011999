/* DES keys out of bit strings.  Pure functions; called by protocol/ and keymgmt/. */
#ifndef SCHANNEL_PROTOCOL_DES_KEY_H
#define SCHANNEL_PROTOCOL_DES_KEY_H

#include <stddef.h>
#include <stdint.h>

/* Gives each of |size| bytes odd parity in its lowest bit. */
void des_key_set_parity(uint8_t *key, size_t size);

/*
 * Seven bits of |bits| to the top of each of |size| key bytes, and odd parity below them
 * (draft-benaloh-pct-00 section 5.3.1).  |bits| has size * 7 / 8 bytes; |size| is 8, 16 or 24.
 */
void des_key_from_bits(const uint8_t *bits, uint8_t *key, size_t size);

#endif
