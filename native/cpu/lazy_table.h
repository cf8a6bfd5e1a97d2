// A lookup table whose rows are read from their source when a batch first needs them: services use a small
// part of a vocabulary, which is half of a small model and four fifths of a multilingual one. Loading has
// read every row once; a checksum of each tells whether it is still the same.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/allocator.h"
#include "engine/backend.h"

namespace bertha::cpu {

class LazyTable {
public:
    // `name` is the tensor's, for errors.
    LazyTable(std::string name, int64_t rows, int64_t cols, std::unique_ptr<RowSource> source);

    // While loading, on any thread: rows first .. first + count as they were read, [count, cols].
    void remember(int64_t first, int64_t count, const float* values);

    // [rows, cols]; only rows that require() has seen may be read.
    const float* data() const { return data_.floats(); }
    int64_t bytes() const { return static_cast<int64_t>(data_.bytes() + sums_.size() * sizeof(uint64_t)); }
    // Any thread. Throws IO, also for a row that is not what was remembered.
    void require(const int32_t* rows, int64_t count);

private:
    const std::string name_;
    const int64_t cols_;
    const std::unique_ptr<RowSource> source_;
    const Buffer data_;
    std::mutex mutex_;  // held while a row is read
    std::vector<std::atomic<bool>> present_;
    std::vector<uint64_t> sums_;  // by row
};

}  // namespace bertha::cpu
