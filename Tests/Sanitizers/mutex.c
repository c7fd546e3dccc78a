// Tells Thread Sanitizer what Swift's Mutex does where it can't see it.
//
// On Linux a Mutex is a word that the owner's thread id is put into. As long as nobody waits that is done by atomic
// instructions in the code that uses the Mutex, which the sanitizer instruments. When somebody waits, the standard
// library asks the kernel to hand the word over (FUTEX_LOCK_PI, FUTEX_UNLOCK_PI), in functions that are not
// instrumented: the sanitizer then takes two critical sections that follow one another for a race.
//
// Preloaded, this stands in front of those three functions of libswiftSynchronization, calls them, and says when the
// word was given away and taken. Nothing else changes, and without a sanitizer in the process nothing at all.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

// A method of a value that can't be copied: it is passed its address in Swift's context register.
#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *self

// Synchronization._MutexHandle._lockSlow(UInt32), _tryLockSlow() -> Bool, _unlockSlow()
#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK_SLOW "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

typedef void Annotation(void *);

static SWIFT void (*next_lock)(uint32_t, SELF);
static SWIFT bool (*next_try_lock)(SELF);
static SWIFT void (*next_unlock)(SELF);
static Annotation *acquire;
static Annotation *release;

__attribute__((constructor)) static void find(void) {
    next_lock = dlsym(RTLD_NEXT, LOCK_SLOW);
    next_try_lock = dlsym(RTLD_NEXT, TRY_LOCK_SLOW);
    next_unlock = dlsym(RTLD_NEXT, UNLOCK_SLOW);
    acquire = (Annotation *)dlsym(RTLD_DEFAULT, "__tsan_acquire");
    release = (Annotation *)dlsym(RTLD_DEFAULT, "__tsan_release");
}

SWIFT void lock_slow(uint32_t thread, SELF) __asm__(LOCK_SLOW);
SWIFT void lock_slow(uint32_t thread, SELF) {
    next_lock(thread, self);
    if (acquire) acquire(self);
}

SWIFT bool try_lock_slow(SELF) __asm__(TRY_LOCK_SLOW);
SWIFT bool try_lock_slow(SELF) {
    bool taken = next_try_lock(self);
    if (taken && acquire) acquire(self);
    return taken;
}

SWIFT void unlock_slow(SELF) __asm__(UNLOCK_SLOW);
SWIFT void unlock_slow(SELF) {
    if (release) release(self);
    next_unlock(self);
}
