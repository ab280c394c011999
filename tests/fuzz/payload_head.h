/*
 * The first bytes of an input that becomes the payload of an opaque blob: what the header says of
 * it, made to fit as the header's own checks demand.
 */
#ifndef SCHANNEL_TESTS_FUZZ_PAYLOAD_HEAD_H
#define SCHANNEL_TESTS_FUZZ_PAYLOAD_HEAD_H

#include "blob/opaque_header.h"
#include "fuzz.h"

/* Takes 4 bytes: algorithm, protocol, usage and flags, whose bits are transfer and exportable. */
void payload_head_take(struct fuzz_input *input, struct opaque_header *header);

#endif
