// A file without a name: nothing of it is left behind however the process ends, but for a kill in the moment
// between its making and the loss of its name, which remove_abandoned() tidies up after.
#pragma once

#include <cstdint>
#include <string>

namespace bertha::cpu {

// What names begin with; the process's number follows.
constexpr const char* kTempFilePrefix = "bertha-words-";

class TempFile {
public:
    // Throws IO, naming the directory, where none can be made.
    explicit TempFile(const std::string& directory);
    ~TempFile();
    TempFile(const TempFile&) = delete;
    TempFile& operator=(const TempFile&) = delete;

    // Throw IO with the system's reason.
    void write(const void* data, int64_t bytes, int64_t offset);
    void read(void* data, int64_t bytes, int64_t offset) const;

private:
    const std::string directory_;
    int fd_ = -1;
};

}  // namespace bertha::cpu
