/*
 * Handing a connection over: its four keys exported and imported by the parameter opaque-blob, under
 * the runtime sealing key.  The import context is kept.  Called by blob_rows and hand_off_rows.
 */
#ifndef SCHANNEL_TESTS_BENCH_HAND_OFF_H
#define SCHANNEL_TESTS_BENCH_HAND_OFF_H

struct mover;

struct mover *mover_new(void);
void mover_free(struct mover *mover);
/* One hand-off; the keys that were made of the blobs are freed again. */
void mover_move(struct mover *mover);

#endif
