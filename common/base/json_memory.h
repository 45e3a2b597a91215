/* Memory for parsed documents. A message makes some fifty nodes, lives for a few microseconds and is
 * gone: its nodes are laid end to end into one block, which begins anew when the last of them has
 * been freed. What does not fit, and what is made outside json_parse, comes from malloc as ever.
 *
 * The block is the thread's: a document is deleted (cJSON_Delete) by the thread that parsed it. With
 * AddressSanitizer there is no block, so that it sees each node. */
#ifndef WARREN_BASE_JSON_MEMORY_H
#define WARREN_BASE_JSON_MEMORY_H

/* From here to json_memory_close what cJSON asks for comes from the block, if that is empty. */
void json_memory_open(void);
void json_memory_close(void);

#endif
