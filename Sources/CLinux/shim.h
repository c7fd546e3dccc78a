#include <sys/prctl.h>

/// prctl(2) is variadic, which Swift can't call. After this no core file of the process is written, not even through a
/// core_pattern pipe (which RLIMIT_CORE doesn't stop), and no process of the same user may trace it.
/// Returns 0, or -1 with errno.
static inline int samtal_disable_core_dumps(void) {
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
