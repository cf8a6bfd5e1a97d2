#include "cpu/word-vectors/files/read_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstring>

#include "cpu/word-vectors/system_error.h"
#include "engine/check.h"

namespace bertha::cpu {
namespace {

[[gnu::format(printf, 1, 0)]] std::string formatted(const char* format, va_list args) {
    char message[512];
    std::vsnprintf(message, sizeof message, format, args);
    return message;
}

int64_t modified_ns_of(const struct stat& file) {
    return int64_t{file.st_mtim.tv_sec} * 1'000'000'000 + file.st_mtim.tv_nsec;
}

}  // namespace

InputFile::InputFile(const std::string& path, const std::string& name)
    : name_(name), fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    BERTHA_CHECK(fd_ >= 0, "IO", "cannot open %s: %s", name.c_str(), system_error(errno).c_str());
    struct stat found;
    const int problem = fstat(fd_, &found) != 0 ? errno : S_ISDIR(found.st_mode) ? EISDIR : 0;
    size_ = found.st_size;
    modified_ns_ = modified_ns_of(found);
    if (problem == 0) return;
    close(fd_);
    fail("IO", "cannot read %s: %s", name.c_str(), system_error(problem).c_str());
}

InputFile::~InputFile() { close(fd_); }

int64_t InputFile::read_some(int64_t offset, int64_t count, char* bytes) const {
    int64_t done = 0;
    while (done < count) {
        const ssize_t some = pread(fd_, bytes + done, static_cast<size_t>(count - done), offset + done);
        if (some < 0 && errno == EINTR) continue;
        BERTHA_CHECK(some >= 0, "IO", "cannot read %s: %s", name_.c_str(), system_error(errno).c_str());
        if (some == 0) break;
        done += some;
    }
    return done;
}

void InputFile::read(int64_t offset, int64_t count, std::string& bytes) const {
    bytes.resize(static_cast<size_t>(std::max<int64_t>(0, std::min(count, size_ - offset))));
    bytes.resize(static_cast<size_t>(read_some(offset, static_cast<int64_t>(bytes.size()), bytes.data())));
}

void InputFile::read_exactly(int64_t offset, int64_t count, void* bytes, const char* what) const {
    if (offset < 0 || count < 0 || count > size_ - offset ||
        read_some(offset, count, static_cast<char*>(bytes)) != count)
        fail_at(offset, "expected %lld bytes of %s, the file has %lld bytes", static_cast<long long>(count),
                what, static_cast<long long>(size_));
}

void InputFile::check_unchanged() const {
    struct stat now;
    BERTHA_CHECK(fstat(fd_, &now) == 0 && now.st_size == size_ && modified_ns_of(now) == modified_ns_, "IO",
                 "%s changed while it was read", name_.c_str());
}

void InputFile::fail_at(int64_t offset, const char* format, ...) const {
    va_list args;
    va_start(args, format);
    const std::string message = formatted(format, args);
    va_end(args);
    fail("VECTORS_FORMAT", "%s at byte %lld: %s", name_.c_str(), static_cast<long long>(offset),
         message.c_str());
}

void InputFile::fail_in_line(int64_t line, const char* format, ...) const {
    va_list args;
    va_start(args, format);
    const std::string message = formatted(format, args);
    va_end(args);
    fail("VECTORS_FORMAT", "%s, line %lld: %s", name_.c_str(), static_cast<long long>(line), message.c_str());
}

}  // namespace bertha::cpu
