/*
 * Diagnostics: one line for each thing that happens, where the environment variable SCHANNEL_TRACE
 * or "trace" in the provider's section of openssl.cnf asks for them.
 *
 *     2026-11-28T06:03:56.123456Z 4711 key 0b1c… AES-128-CBC server-write-key, position 0: …
 *
 * that is the time, the process, and what happened: key ids, algorithms, positions, sizes and headers
 * of blobs, and errors; never a secret, and no data.  The lines are for people, and no interface.
 * Owned by the provider context; used through key/key_trace wherever there is a key.
 */
#ifndef SCHANNEL_PROVIDER_TRACE_H
#define SCHANNEL_PROVIDER_TRACE_H

struct trace;

/*
 * |configured|: the value of the configuration, NULL when there is none; the environment comes first.
 * "stderr", or the file that lines are appended to (made with mode 0600; no symbolic link).  NULL: no
 * diagnostics are wanted, or they cannot be written, which is said on standard error.
 */
struct trace *trace_open(const char *configured);
void trace_close(struct trace *trace);

/* Writes a line, which is whole whatever other threads and processes write.  |trace| may be NULL. */
void trace_write(const struct trace *trace, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
