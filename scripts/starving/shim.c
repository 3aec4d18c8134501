/* Preloaded into a program: what it writes below a folder fails from the N-th time on.
 *
 * STARVE names a file that all processes share, laid out as struct shared: what shall fail, how
 * often they wrote, and what failed first.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct shared {
    long count;
    long at; /* N; 0 only counts */
    long error; /* what the system says */
    char root[PATH_MAX]; /* the folder, with a slash; what is written elsewhere is let through */
    char failed[PATH_MAX];
};

static struct shared *shared;

__attribute__((constructor)) static void begin(void)
{
    const char *file = getenv("STARVE");
    int handle = file ? open(file, O_RDWR | O_CLOEXEC) : -1;
    if (handle < 0)
        return;
    void *there = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
    close(handle);
    if (there != MAP_FAILED)
        shared = there;
}

/* Count what is done to a file below the folder; 1 if it shall fail. */
static int fails(const char *what, const char *path)
{
    if (!shared || !shared->root[0] || strncmp(path, shared->root, strlen(shared->root)))
        return 0;
    long number = __atomic_add_fetch(&shared->count, 1, __ATOMIC_SEQ_CST);
    if (!shared->at || number < shared->at)
        return 0;
    if (number == shared->at)
        snprintf(shared->failed, sizeof shared->failed, "%s %s", what, path + strlen(shared->root));
    errno = (int)shared->error;
    return 1;
}

static int fails_at(const char *what, int folder, const char *path)
{
    char whole[2 * PATH_MAX] = "";
    if (!shared)
        return 0;
    if (path[0] != '/') {
        char base[PATH_MAX] = "", link[64];
        if (folder == AT_FDCWD) {
            if (!getcwd(base, sizeof base))
                return 0;
        } else {
            snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
            if (readlink(link, base, sizeof base - 1) < 0)
                return 0;
        }
        snprintf(whole, sizeof whole, "%s/", base);
    }
    strncat(whole, path, PATH_MAX);
    return fails(what, whole);
}

static int fails_of(const char *what, int handle)
{
    char link[64], path[PATH_MAX] = "";
    if (!shared)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    if (readlink(link, path, sizeof path - 1) < 0)
        return 0;
    return fails(what, path);
}

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) \
        real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

#define MAKES(flags) ((flags) & (O_CREAT | O_TRUNC) || ((flags) & O_TMPFILE) == O_TMPFILE)

#define MODE \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = MAKES(flags) ? va_arg(rest, mode_t) : 0; \
    va_end(rest)

#define OPEN(name) \
    int name(const char *path, int flags, ...) \
    { \
        MODE; \
        REAL(int, name, const char *, int, ...); \
        if (MAKES(flags) && fails_at("open", AT_FDCWD, path)) \
            return -1; \
        return real(path, flags, mode); \
    }

#define OPENAT(name) \
    int name(int folder, const char *path, int flags, ...) \
    { \
        MODE; \
        REAL(int, name, int, const char *, int, ...); \
        if (MAKES(flags) && fails_at("open", folder, path)) \
            return -1; \
        return real(folder, path, flags, mode); \
    }

#define FOPEN(name) \
    FILE *name(const char *path, const char *how) \
    { \
        REAL(FILE *, name, const char *, const char *); \
        if (how[0] != 'r' && fails_at("open", AT_FDCWD, path)) \
            return NULL; \
        return real(path, how); \
    }

#define FLUSH(name) \
    int name(int handle) \
    { \
        REAL(int, name, int); \
        return fails_of(#name, handle) ? -1 : real(handle); \
    }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
FOPEN(fopen)
FOPEN(fopen64)
FLUSH(fsync)
FLUSH(fdatasync)

ssize_t write(int handle, const void *from, size_t size)
{
    REAL(ssize_t, write, int, const void *, size_t);
    return fails_of("write", handle) ? -1 : real(handle, from, size);
}

ssize_t writev(int handle, const struct iovec *from, int count)
{
    REAL(ssize_t, writev, int, const struct iovec *, int);
    return fails_of("write", handle) ? -1 : real(handle, from, count);
}

#define PWRITE(name, offset_type) \
    ssize_t name(int handle, const void *from, size_t size, offset_type place) \
    { \
        REAL(ssize_t, name, int, const void *, size_t, offset_type); \
        return fails_of("write", handle) ? -1 : real(handle, from, size, place); \
    }

PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define SIZE(name, offset_type) \
    int name(int handle, offset_type size) \
    { \
        REAL(int, name, int, offset_type); \
        return fails_of("resize", handle) ? -1 : real(handle, size); \
    }

SIZE(ftruncate, off_t)
SIZE(ftruncate64, off64_t)

int mkdir(const char *path, mode_t mode)
{
    REAL(int, mkdir, const char *, mode_t);
    return fails_at("mkdir", AT_FDCWD, path) ? -1 : real(path, mode);
}

int rename(const char *from, const char *to)
{
    REAL(int, rename, const char *, const char *);
    return fails_at("rename", AT_FDCWD, to) ? -1 : real(from, to);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    REAL(int, renameat, int, const char *, int, const char *);
    return fails_at("rename", to_folder, to) ? -1 : real(from_folder, from, to_folder, to);
}
