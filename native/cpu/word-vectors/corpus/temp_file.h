// A file without a name: nothing of it is left behind however the process ends, but for a kill in the moment
// between its making and the loss of its name, which remove_abandoned() tidies up after. (Windows takes the
// name away when the process ends, whatever its end.)
#pragma once

#include <cstdint>
#include <string>

#include "engine/system/file.h"

namespace bertha::cpu {

// What names begin with; the process's number follows.
constexpr const char* kTempFilePrefix = "bertha-words-";

class TempFile {
public:
    // Throws IO, naming the directory, where none can be made.
    explicit TempFile(const std::string& directory);

    // Throw IO with the system's reason.
    void write(const void* data, int64_t bytes, int64_t offset);
    void read(void* data, int64_t bytes, int64_t offset) const;

private:
    const std::string directory_;
    File file_;
};

}  // namespace bertha::cpu
