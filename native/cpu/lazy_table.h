// A lookup table whose rows are read from their source when a batch first needs them: services use a small
// part of a vocabulary, which is half of a small model and four fifths of a multilingual one.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/allocator.h"
#include "engine/backend.h"

namespace bertha::cpu {

class LazyTable {
public:
    LazyTable(int64_t rows, int64_t cols, std::unique_ptr<RowSource> source);

    // [rows, cols]; only rows that require() has seen may be read.
    const float* data() const { return data_.floats(); }
    int64_t bytes() const { return static_cast<int64_t>(data_.bytes()); }
    // Any thread. Throws IO.
    void require(const int32_t* rows, int64_t count);

private:
    const int64_t cols_;
    const std::unique_ptr<RowSource> source_;
    const Buffer data_;
    std::mutex mutex_;  // held while a row is read
    std::vector<std::atomic<bool>> present_;
};

}  // namespace bertha::cpu
