#include "addon/weights/weight_file.h"

#include <cerrno>
#include <cstring>

#include "engine/check.h"

#if defined(_WIN32)
#include <io.h>
#else
#include <fcntl.h>
#include <unistd.h>
#endif

namespace bertha::addon {
namespace {

int copy_of(int fd) {
#if defined(_WIN32)
    const int copy = _dup(fd);
#else
    const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
#endif
    BERTHA_CHECK(copy >= 0, "IO", "cannot open a weight file once more: %s", std::strerror(errno));
    return copy;
}

void close_file(int fd) {
#if defined(_WIN32)
    _close(fd);
#else
    close(fd);
#endif
}

FileIdentity identify_or_close(int fd) {
    try {
        return identify_file(fd);
    } catch (...) {
        close_file(fd);
        throw;
    }
}

}  // namespace

WeightFile::WeightFile(int fd) : fd_(copy_of(fd)), identity_(identify_or_close(fd_)) {}

WeightFile::~WeightFile() { close_file(fd_); }

}  // namespace bertha::addon
