#include "common/base/json_memory.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#ifndef __SANITIZE_ADDRESS__

enum { BLOCK_SIZE = 64 * 1024, ALIGNMENT = 16 };

static _Thread_local struct {
    size_t used;
    size_t live; /* pieces that have not been freed */
    bool open;
    _Alignas(ALIGNMENT) char bytes[BLOCK_SIZE];
} block;

static bool is_ours(const void *memory)
{
    uintptr_t at = (uintptr_t)memory - (uintptr_t)block.bytes;
    return at < BLOCK_SIZE;
}

static void *take(size_t size)
{
    size_t whole = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (!block.open || whole < size || whole > BLOCK_SIZE - block.used)
        return malloc(size);
    void *memory = block.bytes + block.used;
    block.used += whole;
    block.live++;
    return memory;
}

static void give_back(void *memory)
{
    if (!is_ours(memory))
        free(memory);
    else if (--block.live == 0)
        block.used = 0;
}

static void install(void)
{
    cJSON_Hooks hooks = {take, give_back};
    cJSON_InitHooks(&hooks);
}

void json_memory_open(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, install);
    block.open = true;
}

void json_memory_close(void)
{
    block.open = false;
}

#else

void json_memory_open(void)
{
}

void json_memory_close(void)
{
}

#endif
