/* Diagnostics about a key: see key_trace.h. */
#include "key/key_trace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include "trace.h"

#define MAX_STATE_SIZE 64
#define MAX_TEXT_SIZE  512

/* Where the key stands: position, or number of the record. */
static void print_state(const struct key *key, char state[MAX_STATE_SIZE])
{
    const struct mac_value *mac = key->ssl2_mac;

    state[0] = '\0';
    if (key->retired || key->algorithm->kind == KEY_KIND_MASTER)
        return;
    if (key->algorithm->kind == KEY_KIND_MAC)
        mac = &key->value.mac;
    if (key->algorithm->kind == KEY_KIND_MAC || mac != NULL)
        snprintf(state, MAX_STATE_SIZE, ", sequence %" PRIu64 ", %" PRIu64 " bytes absorbed",
                 mac->sequence, mac->started ? mac->absorbed : 0);
    else
        snprintf(state, MAX_STATE_SIZE, ", position %" PRIu64, key->value.cipher.position);
}

void key_trace(struct key *key, const char *format, ...)
{
    const struct trace *trace = key->provctx->trace;
    const char *usage = key_usage_name(key->usage);
    char id[KEY_ID_TEXT], state[MAX_STATE_SIZE], text[MAX_TEXT_SIZE];
    va_list arguments;

    if (trace == NULL || key->algorithm == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    print_state(key, state);
    trace_write(trace, "key %s %s%s%s%s: %s", key_id_try(key, id) ? id : "without id",
                key->algorithm->name, usage != NULL ? " " : "", usage != NULL ? usage : "", state,
                text);
}
