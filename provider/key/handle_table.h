/*
 * key-handle -> live key: a table in the provider context.  It holds no references: a key takes
 * itself out before it is freed.  Safe from any thread.  Called by key/key only.
 */
#ifndef SCHANNEL_KEY_HANDLE_TABLE_H
#define SCHANNEL_KEY_HANDLE_TABLE_H

#include "primitive/octets.h"

struct fork_guard;
struct handle_table;
struct key;

/* NULL when memory is out. */
struct handle_table *handle_table_new(struct fork_guard *guard);
/* The table is empty by then: keys keep the provider loaded. */
void handle_table_free(struct handle_table *table);

/* |key| has its handle set. */
void handle_table_add(struct handle_table *table, struct key *key);
void handle_table_remove(struct handle_table *table, struct key *key);
/* Takes a reference unless the last one is being dropped right now.  NULL when there is none. */
struct key *handle_table_find(struct handle_table *table, struct octets handle);

#endif
