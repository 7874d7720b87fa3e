/* A disk that fails when it is told to, for a process that this is preloaded into.
 *
 * The file that EXTHOST_FAULT_PLAN names holds two numbers: how many calls still go
 * well, or -1 for all, and the error of those that do not. Calls on files below
 * EXTHOST_FAULT_FOLDER count. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct plan {
    _Atomic int64_t good;
    _Atomic int64_t error;
};

static struct plan *plan;
static const char *folder;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("EXTHOST_FAULT_PLAN");
    folder = getenv("EXTHOST_FAULT_FOLDER");
    if (path == NULL || folder == NULL) {
        return;
    }
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) {
        return;
    }
    void *mapped = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED) {
        plan = mapped;
    }
}

/* Whether a call on `file` is to fail, with errno set. */
static int fails(int file) {
    if (plan == NULL || atomic_load(&plan->good) < 0) {
        return 0;
    }
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) {
        return 0;
    }
    path[length] = 0;
    if (strncmp(path, folder, strlen(folder)) != 0) {
        return 0;
    }
    int64_t good = atomic_load(&plan->good);
    while (good > 0) {
        if (atomic_compare_exchange_weak(&plan->good, &good, good - 1)) {
            return 0;
        }
    }
    if (good < 0) {
        return 0;
    }
    errno = (int)atomic_load(&plan->error);
    return 1;
}

/* Looks up what is called in the end. */
#define NEXT(name) \
    static __typeof__(&name) next; \
    if (next == NULL) { \
        next = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
    }

ssize_t write(int file, const void *bytes, size_t length) {
    NEXT(write)
    return fails(file) ? -1 : next(file, bytes, length);
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t at) {
    NEXT(pwrite)
    return fails(file) ? -1 : next(file, bytes, length, at);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t at) {
    NEXT(pwrite64)
    return fails(file) ? -1 : next(file, bytes, length, at);
}

int fsync(int file) {
    NEXT(fsync)
    return fails(file) ? -1 : next(file);
}

int fdatasync(int file) {
    NEXT(fdatasync)
    return fails(file) ? -1 : next(file);
}

int ftruncate(int file, off_t length) {
    NEXT(ftruncate)
    return fails(file) ? -1 : next(file, length);
}

int ftruncate64(int file, off64_t length) {
    NEXT(ftruncate64)
    return fails(file) ? -1 : next(file, length);
}
