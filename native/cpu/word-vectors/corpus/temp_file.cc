#include "cpu/word-vectors/corpus/temp_file.h"

#include <cerrno>

#include "engine/check.h"
#include "engine/system/system_error.h"

namespace bertha::cpu {

TempFile::TempFile(const std::string& directory) : directory_(directory) {
    std::string path;
    file_ = make_unique_file(directory + "/" + kTempFilePrefix, File::Mode::kNameless, path);
    BERTHA_CHECK(file_.is_open(), "IO", "cannot make a temporary file in %s: %s", directory.c_str(),
                 system_error(errno).c_str());
}

void TempFile::write(const void* data, int64_t bytes, int64_t offset) {
    BERTHA_CHECK(file_.write_at(offset, data, bytes), "IO",
                 "cannot write %lld bytes to a temporary file in %s: %s", static_cast<long long>(bytes),
                 directory_.c_str(), system_error(errno).c_str());
}

void TempFile::read(void* data, int64_t bytes, int64_t offset) const {
    const int64_t got = file_.read_at(offset, data, bytes);
    BERTHA_CHECK(got == bytes, "IO", "cannot read a temporary file in %s: %s", directory_.c_str(),
                 got < 0 ? system_error(errno).c_str() : "it ends too early");
}

}  // namespace bertha::cpu
