#include "cpu/word-vectors/corpus/temp_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "cpu/word-vectors/system_error.h"
#include "engine/check.h"

namespace bertha::cpu {

TempFile::TempFile(const std::string& directory) : directory_(directory) {
    std::string path = directory + "/" + kTempFilePrefix + std::to_string(getpid()) + "-XXXXXX";
    fd_ = mkostemp(path.data(), O_CLOEXEC);
    BERTHA_CHECK(fd_ >= 0, "IO", "cannot make a temporary file in %s: %s", directory.c_str(),
                 system_error(errno).c_str());
    unlink(path.c_str());
}

TempFile::~TempFile() { close(fd_); }

void TempFile::write(const void* data, int64_t bytes, int64_t offset) {
    const char* next = static_cast<const char*>(data);
    const int64_t end = offset + bytes;
    while (offset < end) {
        const ssize_t done = pwrite(fd_, next, static_cast<size_t>(end - offset), offset);
        if (done < 0 && errno == EINTR) continue;
        BERTHA_CHECK(done > 0, "IO", "cannot write %lld more bytes to a temporary file in %s: %s",
                     static_cast<long long>(end - offset), directory_.c_str(), system_error(errno).c_str());
        next += done;
        offset += done;
    }
}

void TempFile::read(void* data, int64_t bytes, int64_t offset) const {
    char* next = static_cast<char*>(data);
    const int64_t end = offset + bytes;
    while (offset < end) {
        const ssize_t done = pread(fd_, next, static_cast<size_t>(end - offset), offset);
        if (done < 0 && errno == EINTR) continue;
        BERTHA_CHECK(done > 0, "IO", "cannot read a temporary file in %s: %s", directory_.c_str(),
                     done == 0 ? "it ends too early" : system_error(errno).c_str());
        next += done;
        offset += done;
    }
}

}  // namespace bertha::cpu
