// Tells Thread Sanitizer what Swift's libraries do where it can't see it. Preloaded, this stands in front of five of their
// functions, calls them, and says what was handed over and taken. Without a sanitizer in the process it changes nothing.
//
// Mutex: on Linux it is a word that the owner's thread id is put into. As long as nobody waits that is done by atomic
// instructions in the code that uses the Mutex, which the sanitizer instruments. When somebody waits, the standard
// library asks the kernel to hand the word over (FUTEX_LOCK_PI, FUTEX_UNLOCK_PI), in functions that are not
// instrumented: the sanitizer then takes two critical sections that follow one another for a race.
//
// Continuations: whoever resumes one tells the sanitizer so, and the task that is scheduled again tells that it takes
// over. A task that finds its continuation resumed already isn't scheduled and goes on where it is, and there the
// runtime forgets to tell; what the resuming thread wrote then looks like a race with what the task reads.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

#define NEXT(symbol) dlsym(RTLD_NEXT, symbol)

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
static __attribute__((swiftasynccall)) void (*next_await)(void *);
static void (*next_enter)(char *);
static void *(*current_task)(void);
static Annotation *acquire;
static Annotation *release;

__attribute__((constructor)) static void find(void) {
    next_lock = NEXT(LOCK_SLOW);
    next_try_lock = NEXT(TRY_LOCK_SLOW);
    next_unlock = NEXT(UNLOCK_SLOW);
    next_await = NEXT("swift_continuation_await");
    next_enter = NEXT("swift_task_enterThreadLocalContext");
    current_task = dlsym(RTLD_DEFAULT, "swift_task_getCurrent");
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

// The task takes over what was released to it: here when its continuation was resumed before it came to wait, and when
// it goes on because that happened while it began to.
static void take_over(void) {
    void *task = current_task ? current_task() : 0;
    if (acquire && task) acquire(task);
}

__attribute__((swiftasynccall)) void continuation_await(void *context) __asm__("swift_continuation_await");
__attribute__((swiftasynccall)) void continuation_await(void *context) {
    take_over();
    __attribute__((musttail)) return next_await(context);
}

void enter_thread_local_context(char *storage) __asm__("swift_task_enterThreadLocalContext");
void enter_thread_local_context(char *storage) {
    next_enter(storage);
    take_over();
}
