#include "addon/weights/file_source.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/check.h"

#if defined(_WIN32)
#include <io.h>
#else
#include <unistd.h>
#endif

namespace bertha::addon {
namespace {

constexpr int64_t kChunkBytes = 1 << 16;  // what is read at a time

int64_t element_size(FileDtype dtype) {
    return dtype == FileDtype::kF64 ? 8 : dtype == FileDtype::kF32 ? 4 : 2;
}

void read_exactly(const FilePart& part, int64_t offset, int64_t bytes, char* dst) {
    while (bytes > 0) {
#if defined(_WIN32)
        _lseeki64(part.file->fd(), offset, SEEK_SET);
        const int64_t got = _read(part.file->fd(), dst,
                                  static_cast<unsigned>(std::min<int64_t>(bytes, 1 << 30)));
#else
        const int64_t got = pread(part.file->fd(), dst, static_cast<size_t>(bytes),
                                  static_cast<off_t>(offset));
#endif
        if (got < 0 && errno == EINTR) continue;
        BERTHA_CHECK(got >= 0, "IO", "cannot read tensor %.200s: %s", part.name.c_str(),
                     std::strerror(errno));
        BERTHA_CHECK(got > 0, "IO",
                     "the file ended %lld bytes early in tensor %.200s: was it truncated while it was read?",
                     static_cast<long long>(bytes), part.name.c_str());
        offset += got;
        dst += got;
        bytes -= got;
    }
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
        visit(values, n);
        done += n;
    }
}

#if !defined(_WIN32)
// A part of a file.
class FileRows final : public RowSource {
public:
    FileRows(const FilePart& part, int64_t cols) : part_(part), cols_(cols) {}

    void read(int64_t row, float* dst) override {
        read_part(part_, row, 1, cols_, dst, [](const float*, int64_t) {});
    }

private:
    const FilePart part_;
    const int64_t cols_;
};
#endif

}  // namespace

FileSource::FileSource(const Program& program, std::vector<std::vector<FilePart>> parts, bool may_be_absent)
    : program_(program), parts_(std::move(parts)) {
    BERTHA_CHECK(parts_.size() == program.weights.size(), "INVALID_ARG",
                 "expected parts for %zu weights, got %zu", program.weights.size(), parts_.size());
    for (size_t i = 0; i < parts_.size(); i++) {
        int64_t row = 0;
        for (const FilePart& part : parts_[i]) {
            BERTHA_CHECK(part.file != nullptr && part.offset >= 0 && part.rows > 0 && part.row_begin == row,
                         "INVALID_ARG", "weight %.200s: its parts must follow one another",
                         program.weights[i].name.c_str());
            row += part.rows;
        }
        if (parts_[i].empty() && may_be_absent) continue;
        // The parts of a vector count its values.
        const int64_t expected = program.weights[i].kind == WeightKind::kVector ? program.weights[i].cols
                                                                                : program.weights[i].rows;
        BERTHA_CHECK(
            row == expected, "INVALID_ARG", "weight %.200s: expected parts of %lld rows in all, got %lld",
            program.weights[i].name.c_str(), static_cast<long long>(expected), static_cast<long long>(row));
    }
}

void FileSource::read(int32_t weight, int64_t row_begin, int64_t row_end, float* dst) {
    const Weight& shape = program_.weights[static_cast<size_t>(weight)];
    const bool vector = shape.kind == WeightKind::kVector;
    const int64_t cols = vector ? 1 : shape.cols;
    if (vector) row_end = shape.cols;
    if (parts_[static_cast<size_t>(weight)].empty()) std::fill(dst, dst + (row_end - row_begin) * cols, 0.0f);
    for (const FilePart& part : parts_[static_cast<size_t>(weight)]) {
        const int64_t begin = std::max(row_begin, part.row_begin),
                      end = std::min(row_end, part.row_begin + part.rows);
        if (begin < end)
            read_part(part, begin - part.row_begin, end - begin, cols, dst + (begin - row_begin) * cols,
                      [&part](const float* values, int64_t count) { check_finite(part, values, count); });
    }
}

void FileSource::verify() {
    const WeightFile* last = nullptr;
    for (const auto& weight : parts_) {
        for (const FilePart& part : weight) {
            if (part.file.get() == last) continue;
            last = part.file.get();
            BERTHA_CHECK(last->is_unchanged(), "IO",
                         "the file of tensor %.200s was changed while it was read", part.name.c_str());
        }
    }
}

std::unique_ptr<RowSource> FileSource::keep(int32_t weight) {
#if !defined(_WIN32)
    const std::vector<FilePart>& parts = parts_[static_cast<size_t>(weight)];
    if (parts.size() != 1) return nullptr;
    return std::make_unique<FileRows>(parts.front(), program_.weights[static_cast<size_t>(weight)].cols);
#else
    (void)weight;
    return nullptr;
#endif
}

}  // namespace bertha::addon
