// Weights as ranges of open files. Native threads read them with pread, so that nothing large passes through
// JavaScript and a file that shrinks is a short read, never a fault.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "addon/weights/weight_file.h"
#include "engine/backend.h"

namespace bertha::addon {

enum class FileDtype : int32_t { kF32, kF16, kBF16, kF64, kI8 };

// Rows row_begin .. row_begin + rows of a weight; consecutive parts stack (query, key and value make one
// matrix).
struct FilePart {
    std::shared_ptr<const WeightFile> file;
    int64_t offset = 0;  // bytes, absolute
    FileDtype dtype = FileDtype::kF32;
    int64_t row_begin = 0;
    int64_t rows = 0;
    std::string name;
    // A block of columns col_begin .. col_begin + cols of the weight, whose rest is 0; 0: all columns.
    int64_t col_begin = 0;
    int64_t cols = 0;
    double scale = 1.0;  // what its numbers are multiplied by
    // Of kI8, bytes in the same file, absolute: float32 scales, one a row of the part; and, -1 for none, the
    // input scales [columns] that the rows were multiplied by before they were rounded.
    int64_t row_scales = -1;
    int64_t input_scales = -1;
};

// Rows row_begin .. of a weight plus scale * up [rows, rank] · down [rank, cols], in float64.
struct LowRankPart {
    FilePart up, down;
    double scale = 1.0;
    int64_t row_begin = 0;
};

struct WeightParts {
    std::vector<FilePart> rows;
    std::vector<LowRankPart> added;
};

class FileSource final : public WeightSource {
public:
    // parts[weight] covers that weight's rows exactly; one that is absent, where it may be, is zeros. Throws
    // INVALID_ARG otherwise.
    FileSource(const Program& program, std::vector<WeightParts> parts, bool may_be_absent = false);
    void read(int32_t weight, int64_t row_begin, int64_t row_end, float* dst) override;
    bool has_codes(int32_t weight, bool input_scaled) override;
    void read_codes(int32_t weight, int64_t row_begin, int64_t row_end, float* codes, float* scales) override;
    void verify() override;
    // For a weight in one part of a file.
    std::unique_ptr<RowSource> keep(int32_t weight) override;
    std::string identity(int32_t weight) override;
    int32_t file(int32_t weight) override { return files_[static_cast<size_t>(weight)]; }

private:
    const WeightParts& parts(int32_t weight) const { return parts_[static_cast<size_t>(weight)]; }

    const Program& program_;
    const std::vector<WeightParts> parts_;
    std::vector<int32_t> files_;                          // by weight
    std::vector<std::vector<std::vector<float>>> downs_;  // [rank, cols] of what is added, by weight
};

}  // namespace bertha::addon
