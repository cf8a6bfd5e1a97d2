#include "addon/weights/file_identity.h"

#include <cerrno>
#include <cstring>

#include "engine/check.h"

#if !defined(_WIN32)
#include <sys/stat.h>
#include <ctime>
#endif

namespace bertha::addon {

#if defined(_WIN32)
FileIdentity identify_file(int) { return {}; }
#else
namespace {

// File systems stamp changes with the kernel's tick, 1 to 10 ms; some count in seconds.
constexpr int64_t kSettledAfterNs = 2'000'000'000;

int64_t nanoseconds(const timespec& time) {
    return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

FileIdentity identify_file(int fd) {
    struct stat status;
    BERTHA_CHECK(fstat(fd, &status) == 0, "IO", "cannot look at a weight file: %s", std::strerror(errno));
#if defined(__APPLE__)
    const timespec modified = status.st_mtimespec, changed = status.st_ctimespec;
#else
    const timespec modified = status.st_mtim, changed = status.st_ctim;
#endif
    timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    FileIdentity identity;
    identity.device = static_cast<uint64_t>(status.st_dev);
    identity.inode = static_cast<uint64_t>(status.st_ino);
    identity.size = static_cast<int64_t>(status.st_size);
    identity.modified_ns = nanoseconds(modified);
    identity.changed_ns = nanoseconds(changed);
    identity.settled = nanoseconds(now) - identity.changed_ns > kSettledAfterNs;
    return identity;
}
#endif

}  // namespace bertha::addon
