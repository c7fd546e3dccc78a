#include "wiping_free.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif

#if defined(__GLIBC__) && !defined(SANITIZED)

// glibc's own, under the names that it keeps for programs which put a function before it (malloc(3), "Replacing malloc").
// M_PERTURB would do the same, but not for blocks that a thread keeps for itself (tcache), which are most.
extern void __libc_free(void *memory);

static void wipe(void *memory, size_t size) {
    memset(memory, 0, size);
    __asm__ __volatile__("" : : "r"(memory) : "memory");
}

void free(void *memory) {
    if (memory == NULL) return;
    wipe(memory, malloc_usable_size(memory));
    __libc_free(memory);
}

void *realloc(void *memory, size_t size) {
    if (memory == NULL) return malloc(size);
    if (size == 0) {
        free(memory);
        return NULL;
    }
    size_t held = malloc_usable_size(memory);
    // In place: what it holds beyond the new size is wiped now, since free() may come much later.
    if (size <= held && size >= held / 2) {
        wipe((char *)memory + size, held - size);
        return memory;
    }
    void *moved = malloc(size);
    if (moved == NULL) return NULL;
    memcpy(moved, memory, size < held ? size : held);
    free(memory);
    return moved;
}

int samtal_wipes_freed_memory(void) { return 1; }

#else

int samtal_wipes_freed_memory(void) { return 0; }

#endif
