#include "cpu/word-vectors/files/read_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstring>

#include "engine/check.h"
#include "engine/system/system_error.h"

namespace bertha::cpu {
namespace {

[[gnu::format(printf, 1, 0)]] std::string formatted(const char* format, va_list args) {
    char message[512];
    std::vsnprintf(message, sizeof message, format, args);
    return message;
}

}  // namespace

InputFile::InputFile(const std::string& path, const std::string& name)
    : name_(name), file_(path, File::Mode::kRead) {
    BERTHA_CHECK(file_.is_open(), "IO", "cannot open %s: %s", name.c_str(), system_error(errno).c_str());
    const int problem = !file_.facts(at_first_) ? errno : at_first_.is_directory ? EISDIR : 0;
    BERTHA_CHECK(problem == 0, "IO", "cannot read %s: %s", name.c_str(), system_error(problem).c_str());
}

int64_t InputFile::read_some(int64_t offset, int64_t count, char* bytes) const {
    const int64_t done = file_.read_at(offset, bytes, count);
    BERTHA_CHECK(done >= 0, "IO", "cannot read %s: %s", name_.c_str(), system_error(errno).c_str());
    return done;
}

void InputFile::read(int64_t offset, int64_t count, std::string& bytes) const {
    bytes.resize(static_cast<size_t>(std::max<int64_t>(0, std::min(count, size() - offset))));
    bytes.resize(static_cast<size_t>(read_some(offset, static_cast<int64_t>(bytes.size()), bytes.data())));
}

void InputFile::read_exactly(int64_t offset, int64_t count, void* bytes, const char* what) const {
    if (offset < 0 || count < 0 || count > size() - offset ||
        read_some(offset, count, static_cast<char*>(bytes)) != count)
        fail_at(offset, "expected %lld bytes of %s, the file has %lld bytes", static_cast<long long>(count),
                what, static_cast<long long>(size()));
}

void InputFile::check_unchanged() const {
    FileFacts now;
    const bool is_same = file_.facts(now) && now.size == at_first_.size &&
                         now.modified_ns == at_first_.modified_ns;
    BERTHA_CHECK(is_same, "IO", "%s changed while it was read", name_.c_str());
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
