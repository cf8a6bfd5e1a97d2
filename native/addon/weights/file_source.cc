#include "addon/weights/file_source.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <map>

#include "addon/weights/model_key.h"
#include "engine/check.h"

namespace bertha::addon {
namespace {

constexpr int64_t kChunkBytes = 1 << 16;  // what is read at a time

int64_t element_size(FileDtype dtype) {
    switch (dtype) {
        case FileDtype::kF64: return 8;
        case FileDtype::kF32: return 4;
        case FileDtype::kI8: return 1;
        default: return 2;
    }
}

void read_exactly(const FilePart& part, int64_t offset, int64_t bytes, char* dst) {
    const int64_t got = part.file->file().read_at(offset, dst, bytes);
    BERTHA_CHECK(got >= 0, "IO", "cannot read tensor %.200s: %s", part.name.c_str(), std::strerror(errno));
    BERTHA_CHECK(got == bytes, "IO",
                 "the file ended %lld bytes early in tensor %.200s: was it truncated while it was read?",
                 static_cast<long long>(bytes - got), part.name.c_str());
}

float from_bits(uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

float from_bf16(uint16_t bits) { return from_bits(static_cast<uint32_t>(bits) << 16); }

float from_f16(uint16_t bits) {
    const uint32_t sign = (bits & 0x8000u) << 16, exponent = (bits >> 10) & 0x1fu, mantissa = bits & 0x3ffu;
    if (exponent == 0) {  // zero and subnormals: mantissa * 2^-24, exact in fp32
        const float magnitude = static_cast<float>(mantissa) * 5.9604644775390625e-8f;
        return sign != 0 ? -magnitude : magnitude;
    }
    if (exponent == 31) return from_bits(sign | 0x7f800000u | (mantissa << 13));
    return from_bits(sign | ((exponent + 112) << 23) | (mantissa << 13));
}

template <typename Stored, typename Convert>
void convert(const char* bytes, int64_t count, float* dst, Convert&& to_float) {
    for (int64_t i = 0; i < count; i++) {
        Stored stored;
        std::memcpy(&stored, bytes + i * static_cast<int64_t>(sizeof stored), sizeof stored);
        dst[i] = to_float(stored);
    }
}

// With integers, which compilers compare many at a time: sums of floats have an order to keep.
void check_finite(const FilePart& part, const float* values, int64_t count) {
    uint32_t bad = 0;  // its top bit is set once an exponent was all ones
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits;
        std::memcpy(&bits, values + i, sizeof bits);
        bad |= (bits & 0x7fffffffu) + 0x00800000u;
    }
    BERTHA_CHECK(bad < 0x80000000u, "NON_FINITE",
                 "tensor %.200s holds a NaN or an infinity (or a value beyond fp32)", part.name.c_str());
}

// Rows first .. first + count of a part. visit(values, count) sees them while they are in the cache.
template <typename Visit>
void read_part(const FilePart& part, int64_t first, int64_t count, int64_t cols, float* dst, Visit&& visit) {
    const int64_t size = element_size(part.dtype), total = count * cols;
    const int64_t offset = part.offset + first * cols * size;
    char chunk[kChunkBytes];
    for (int64_t done = 0; done < total;) {
        const int64_t n = std::min(total - done, kChunkBytes / size);
        float* values = dst + done;
        char* bytes = part.dtype == FileDtype::kF32 ? reinterpret_cast<char*>(values) : chunk;
        read_exactly(part, offset + done * size, n * size, bytes);
        if (part.dtype == FileDtype::kF16) convert<uint16_t>(chunk, n, values, from_f16);
        if (part.dtype == FileDtype::kBF16) convert<uint16_t>(chunk, n, values, from_bf16);
        if (part.dtype == FileDtype::kF64)
            convert<double>(chunk, n, values, [](double value) { return static_cast<float>(value); });
        if (part.dtype == FileDtype::kI8)
            convert<int8_t>(chunk, n, values, [](int8_t code) { return static_cast<float>(code); });
        visit(values, n);
        done += n;
    }
}

// Float32 numbers at `offset` of a part's file.
void read_scales(const FilePart& part, int64_t offset, int64_t count, float* dst) {
    read_exactly(part, offset, count * static_cast<int64_t>(sizeof(float)), reinterpret_cast<char*>(dst));
    check_finite(part, dst, count);
}

// Scales of rows: with each integer's product a number.
void read_row_scales(const FilePart& part, int64_t first, int64_t count, float* dst) {
    read_scales(part, part.row_scales + first * static_cast<int64_t>(sizeof(float)), count, dst);
    for (int64_t i = 0; i < count; i++)
        BERTHA_CHECK(std::isfinite(dst[i] * 128.0f), "NON_FINITE",
                     "the scale of row %lld of tensor %.200s is too large: %g",
                     static_cast<long long>(first + i), part.name.c_str(), static_cast<double>(dst[i]));
}

// What integers stand for, code * row scale / input scale, in rows of `stride` numbers from dst on.
void read_dequantized(const FilePart& part, int64_t first, int64_t count, int64_t cols, int64_t stride,
                      float* dst) {
    std::vector<float> scales(static_cast<size_t>(count)), input;
    read_row_scales(part, first, count, scales.data());
    if (part.input_scales >= 0) {
        input.resize(static_cast<size_t>(cols));
        read_scales(part, part.input_scales, cols, input.data());
    }
    for (int64_t row = 0; row < count; row++) {
        float* values = dst + row * stride;
        read_part(part, first + row, 1, cols, values, [](float*, int64_t) {});
        for (int64_t i = 0; i < cols; i++) {
            values[i] *= scales[static_cast<size_t>(row)];
            if (!input.empty()) values[i] /= input[static_cast<size_t>(i)];
            if (part.scale != 1.0) values[i] = static_cast<float>(values[i] * part.scale);
        }
        check_finite(part, values, cols);
    }
}

// A part of a file.
class FileRows final : public RowSource {
public:
    FileRows(const FilePart& part, int64_t cols) : part_(part), cols_(cols) {}

    void read(int64_t row, float* dst) override {
        if (part_.dtype == FileDtype::kI8) return read_dequantized(part_, row, 1, cols_, cols_, dst);
        read_part(part_, row, 1, cols_, dst, [](float*, int64_t) {});
    }

private:
    const FilePart part_;
    const int64_t cols_;
};

// Rows first .. first + count of a part, times its scale, in rows of `stride` numbers from dst on.
void read_scaled(const FilePart& part, int64_t first, int64_t count, int64_t cols, int64_t stride,
                 float* dst) {
    if (part.dtype == FileDtype::kI8) return read_dequantized(part, first, count, cols, stride, dst);
    const auto visit = [&part](float* values, int64_t number) {
        check_finite(part, values, number);
        if (part.scale == 1.0) return;
        for (int64_t i = 0; i < number; i++) values[i] = static_cast<float>(values[i] * part.scale);
        check_finite(part, values, number);
    };
    if (cols == stride) {
        read_part(part, first, count, cols, dst, visit);
        return;
    }
    for (int64_t row = 0; row < count; row++)
        read_part(part, first + row, 1, cols, dst + row * stride, visit);
}

// dst [rows, cols] += scale · up [rows, rank] · down [rank, cols], in float64.
void add_product(const LowRankPart& added, const float* up, const float* down, int64_t rows, int64_t cols,
                 float* dst) {
    const int64_t rank = added.down.rows;
    std::vector<double> sum(static_cast<size_t>(cols));
    for (int64_t row = 0; row < rows; row++) {
        std::fill(sum.begin(), sum.end(), 0.0);
        for (int64_t r = 0; r < rank; r++) {
            const double factor = added.scale * static_cast<double>(up[row * rank + r]);
            for (int64_t i = 0; i < cols; i++) sum[static_cast<size_t>(i)] += factor * down[r * cols + i];
        }
        float* values = dst + row * cols;
        for (int64_t i = 0; i < cols; i++)
            values[i] = static_cast<float>(values[i] + sum[static_cast<size_t>(i)]);
    }
    check_finite(added.up, dst, rows * cols);
}

// Every file that a weight is read from.
template <typename Use>
void for_each_file(const WeightParts& parts, Use&& use) {
    for (const FilePart& part : parts.rows) use(part);
    for (const LowRankPart& added : parts.added) {
        use(added.up);
        use(added.down);
    }
}

// Parts of whole rows follow one another and cover the weight; blocks of columns lie within it; between the
// parts of a vector there may be zeros.
void check_parts(const Weight& weight, const WeightParts& parts, bool may_be_absent) {
    const bool vector = weight.kind == WeightKind::kVector;
    // The parts of a vector count its values.
    const int64_t rows = vector ? weight.cols : weight.rows;
    const char* name = weight.name.c_str();
    int64_t row = 0;
    for (const FilePart& part : parts.rows) {
        BERTHA_CHECK(part.file != nullptr && part.offset >= 0 && part.rows > 0, "INVALID_ARG",
                     "weight %.200s: expected parts of open files", name);
        BERTHA_CHECK((part.dtype == FileDtype::kI8) == (part.row_scales >= 0), "INVALID_ARG",
                     "weight %.200s: expected scales of the rows of integers, and of no others", name);
        if (part.cols == 0) {
            BERTHA_CHECK(vector ? part.row_begin >= row : part.row_begin == row, "INVALID_ARG",
                         "weight %.200s: its parts must follow one another", name);
            row = part.row_begin + part.rows;
            continue;
        }
        BERTHA_CHECK(weight.kind == WeightKind::kMatrix && row == 0 && part.row_begin + part.rows <= rows &&
                         part.col_begin >= 0 && part.col_begin + part.cols <= weight.cols,
                     "INVALID_ARG", "weight %.200s: expected blocks within [%lld, %lld]", name,
                     static_cast<long long>(weight.rows), static_cast<long long>(weight.cols));
        BERTHA_CHECK(&part == &parts.rows.back() || (&part)[1].cols > 0, "INVALID_ARG",
                     "weight %.200s: expected blocks alone", name);
    }
    const bool is_whole = row == rows || (parts.rows.empty() ? may_be_absent : parts.rows.front().cols > 0);
    BERTHA_CHECK(is_whole, "INVALID_ARG", "weight %.200s: expected parts of %lld rows in all, got %lld", name,
                 static_cast<long long>(rows), static_cast<long long>(row));
    for (const LowRankPart& added : parts.added)
        BERTHA_CHECK(weight.kind == WeightKind::kMatrix && added.up.cols == added.down.rows &&
                         added.down.cols == weight.cols && added.row_begin + added.up.rows <= weight.rows,
                     "INVALID_ARG", "weight %.200s: expected a product of [%lld, %lld] or fewer rows", name,
                     static_cast<long long>(weight.rows), static_cast<long long>(weight.cols));
}

}  // namespace

FileSource::FileSource(const Program& program, std::vector<WeightParts> parts, bool may_be_absent)
    : program_(program), parts_(std::move(parts)), files_(parts_.size(), 0), downs_(parts_.size()) {
    BERTHA_CHECK(parts_.size() == program.weights.size(), "INVALID_ARG",
                 "expected parts for %zu weights, got %zu", program.weights.size(), parts_.size());
    std::map<const WeightFile*, int32_t> numbers;
    for (size_t i = 0; i < parts_.size(); i++) {
        check_parts(program.weights[i], parts_[i], may_be_absent);
        for_each_file(parts_[i], [&](const FilePart& part) {
            const int32_t number = numbers.emplace(part.file.get(), static_cast<int32_t>(numbers.size()))
                                       .first->second;
            files_[i] = std::max(files_[i], number);
        });
        for (const LowRankPart& added : parts_[i].added) {
            std::vector<float> down(static_cast<size_t>(added.down.rows * added.down.cols));
            read_scaled(added.down, 0, added.down.rows, added.down.cols, added.down.cols, down.data());
            downs_[i].push_back(std::move(down));
        }
    }
}

void FileSource::read(int32_t weight, int64_t row_begin, int64_t row_end, float* dst) {
    const Weight& shape = program_.weights[static_cast<size_t>(weight)];
    const bool vector = shape.kind == WeightKind::kVector;
    const int64_t cols = vector ? 1 : shape.cols;
    if (vector) row_end = shape.cols;
    const WeightParts& parts = this->parts(weight);
    // Absent, or blocks of columns, or a vector with zeros between its parts.
    if (vector || parts.rows.empty() || parts.rows.front().cols > 0)
        std::fill(dst, dst + (row_end - row_begin) * cols, 0.0f);
    // use(first row, rows) of what lies in rows begin .. begin + count of the weight.
    const auto within = [&](int64_t begin, int64_t count, auto&& use) {
        const int64_t first = std::max(row_begin, begin), end = std::min(row_end, begin + count);
        if (first < end) use(first, end - first);
    };
    for (const FilePart& part : parts.rows)
        within(part.row_begin, part.rows, [&](int64_t first, int64_t count) {
            read_scaled(part, first - part.row_begin, count, part.cols == 0 ? cols : part.cols, cols,
                        dst + (first - row_begin) * cols + part.col_begin);
        });
    for (size_t i = 0; i < parts.added.size(); i++) {
        const LowRankPart& added = parts.added[i];
        within(added.row_begin, added.up.rows, [&](int64_t first, int64_t count) {
            std::vector<float> up(static_cast<size_t>(count * added.up.cols));
            read_scaled(added.up, first - added.row_begin, count, added.up.cols, added.up.cols, up.data());
            add_product(added, up.data(), downs_[static_cast<size_t>(weight)][i].data(), count, cols,
                        dst + (first - row_begin) * cols);
        });
    }
}

bool FileSource::has_codes(int32_t weight, bool input_scaled) {
    const WeightParts& parts = this->parts(weight);
    return program_.weights[static_cast<size_t>(weight)].kind != WeightKind::kVector && parts.added.empty() &&
           !parts.rows.empty() &&
           std::all_of(parts.rows.begin(), parts.rows.end(), [&](const FilePart& part) {
               return part.dtype == FileDtype::kI8 && part.cols == 0 && part.scale == 1.0 &&
                      (part.input_scales >= 0) == input_scaled;
           });
}

void FileSource::read_codes(int32_t weight, int64_t row_begin, int64_t row_end, float* codes, float* scales) {
    const int64_t cols = program_.weights[static_cast<size_t>(weight)].cols;
    for (const FilePart& part : parts(weight).rows) {
        const int64_t first = std::max(row_begin, part.row_begin),
                      count = std::min(row_end, part.row_begin + part.rows) - first;
        if (count <= 0) continue;
        read_part(part, first - part.row_begin, count, cols, codes + (first - row_begin) * cols,
                  [](float*, int64_t) {});
        read_row_scales(part, first - part.row_begin, count, scales + first - row_begin);
    }
}

std::string FileSource::identity(int32_t weight) {
    return weight_key(program_.weights[static_cast<size_t>(weight)], parts(weight));
}

void FileSource::verify() {
    const WeightFile* last = nullptr;
    for (const WeightParts& weight : parts_)
        for_each_file(weight, [&](const FilePart& part) {
            if (part.file.get() == last) return;
            last = part.file.get();
            BERTHA_CHECK(last->is_unchanged(), "IO",
                         "the file of tensor %.200s was changed while it was read", part.name.c_str());
        });
}

std::unique_ptr<RowSource> FileSource::keep(int32_t weight) {
    const WeightParts& parts = this->parts(weight);
    if (parts.rows.size() != 1 || !parts.added.empty()) return nullptr;
    return std::make_unique<FileRows>(parts.rows.front(), program_.weights[static_cast<size_t>(weight)].cols);
}

}  // namespace bertha::addon
