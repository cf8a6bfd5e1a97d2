// Weights as ranges of open files. Native threads read them with pread, so that nothing large passes through
// JavaScript and a file that shrinks is a short read, never a fault.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "addon/weights/weight_file.h"
#include "engine/backend.h"

namespace bertha::addon {

enum class FileDtype : int32_t { kF32, kF16, kBF16, kF64 };

// Rows row_begin .. row_begin + rows of a weight; consecutive parts stack (query, key and value make one
// matrix).
struct FilePart {
    std::shared_ptr<const WeightFile> file;
    int64_t offset = 0;  // bytes, absolute
    FileDtype dtype = FileDtype::kF32;
    int64_t row_begin = 0;
    int64_t rows = 0;
    std::string name;
};

class FileSource final : public WeightSource {
public:
    // parts[weight] covers that weight's rows exactly; one that is absent, where it may be, is zeros. Throws
    // INVALID_ARG otherwise.
    FileSource(const Program& program, std::vector<std::vector<FilePart>> parts, bool may_be_absent = false);
    void read(int32_t weight, int64_t row_begin, int64_t row_end, float* dst) override;
    void verify() override;
    // For a weight in one part of a file.
    std::unique_ptr<RowSource> keep(int32_t weight) override;

private:
    const Program& program_;
    const std::vector<std::vector<FilePart>> parts_;
};

}  // namespace bertha::addon
