/*
 * The encryption block of RSAES-PKCS1-v1_5 (RFC 8017 section 7.2), as SIMPLEBLOB has it:
 *
 *   EB = 00 || 02 || PS || 00 || D       PS: at least 8 random bytes, none of them 0
 *
 * With CRYPT_SSL2_FALLBACK the last eight bytes of PS are 03 (RFC 6101 appendix E.2): a client that
 * knows SSL 3.0 marks what it sends over SSL 2.0.
 * Pure functions on bytes, called by blob/simple.
 */
#ifndef SCHANNEL_BLOB_ENCRYPTION_BLOCK_H
#define SCHANNEL_BLOB_ENCRYPTION_BLOCK_H

#include "primitive/octets.h"

#define ENCRYPTION_BLOCK_OVERHEAD 11 /* what is not D, at least */

/*
 * Reads |block|, of at least 11 bytes, in time that depends on its size alone.  Of a well-formed one
 * whose D has |least| to |most| bytes, D stands at the end of |data|, |most| bytes there; otherwise
 * |data| holds something else.  *size is that of D, *is_marked a mask for the fallback mark.
 * A mask: all ones when the block is well-formed.  All of this is secret from the block's sender.
 */
size_t encryption_block_read(struct octets block, size_t least, size_t most, uint8_t *data,
                             size_t *size, size_t *is_marked);

/*
 * Writes |block_size| bytes with |padding|, block_size - 3 - data.size random bytes none of which
 * is 0, and the fallback mark in the last eight.
 */
void encryption_block_write_marked(uint8_t *block, size_t block_size, const uint8_t *padding,
                                   struct octets data);

#endif
