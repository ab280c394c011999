/*
 * The groups of rows of the benchmark, in the order in which they are printed.  Each prints its
 * rows.  Called by main.
 */
#ifndef SCHANNEL_TESTS_BENCH_ROWS_H
#define SCHANNEL_TESTS_BENCH_ROWS_H

void derivation_rows(void);
void thread_rows(void);
void cipher_rows(void);
void mac_rows(void);
void blob_rows(void);
void coder_rows(void);
void memory_rows(void);
void hand_off_rows(void);

#endif
