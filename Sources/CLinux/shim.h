#include <sys/prctl.h>

/// prctl(2) is variadic, which Swift can't call. After this no core file of the process is written, not even through a
/// core_pattern pipe (which RLIMIT_CORE doesn't stop), and no process of the same user may trace it.
/// Returns 0, or -1 with errno.
static inline int samtal_disable_core_dumps(void) {
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

// ioctl(2) is variadic too, and Swift imports neither its request codes nor these flags.

/// The attributes of a file (chattr(1)): bit 0x4000 (FS_JOURNAL_DATA_FL) says that ext3 and ext4 write its data to the
/// journal as well; 0x4 (FS_COMPR_FL) that it is compressed. Returns 0, or -1 with errno.
static inline int samtal_file_attributes(int descriptor, unsigned int *attributes) {
    int value = 0;
    if (ioctl(descriptor, FS_IOC_GETFLAGS, &value) != 0) return -1;
    *attributes = (unsigned int)value;
    return 0;
}

/// Where a byte of a file lies on its device, and the flags of its extent (FIEMAP_EXTENT_…, linux/fiemap.h).
/// Returns 1 if it lies somewhere, 0 for a hole, -1 with errno where the file system does not tell.
static inline int samtal_physical_place(
    int descriptor, unsigned long long offset, unsigned long long *physical, unsigned int *flags) {
    union {
        struct fiemap map;
        char room[sizeof(struct fiemap) + sizeof(struct fiemap_extent)];
    } request;
    memset(&request, 0, sizeof request);
    request.map.fm_start = offset;
    request.map.fm_length = 1;
    request.map.fm_flags = FIEMAP_FLAG_SYNC;
    request.map.fm_extent_count = 1;
    if (ioctl(descriptor, FS_IOC_FIEMAP, &request.map) != 0) return -1;
    if (request.map.fm_mapped_extents == 0) return 0;
    const struct fiemap_extent *extent = &request.map.fm_extents[0];
    *flags = extent->fe_flags;
    *physical = extent->fe_physical + (offset - extent->fe_logical);
    return 1;
}

/// open(2), which is variadic, for reading past the page cache. Returns -1 with errno where the file system can't.
static inline int samtal_open_direct(const char *path) {
#ifdef O_DIRECT
    return open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
#else
    return open(path, O_RDONLY | O_CLOEXEC | 040000);
#endif
}

/// Memory that is neither swapped out (mlock) nor in a core dump nor inherited by a child; zeroed. NULL with errno:
/// ENOMEM or EPERM when RLIMIT_MEMLOCK leaves no room.
static inline void *samtal_locked_memory(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    if (mlock(memory, size) != 0 || madvise(memory, size, 16 /* MADV_DONTDUMP */) != 0 ||
        madvise(memory, size, 10 /* MADV_DONTFORK */) != 0) {
        int reason = errno;
        munmap(memory, size);
        errno = reason;
        return NULL;
    }
    return memory;
}

/// Zeroes memory in a way that no optimiser takes away.
static inline void samtal_wipe(void *memory, size_t size) {
    memset(memory, 0, size);
    __asm__ __volatile__("" : : "r"(memory) : "memory");
}
