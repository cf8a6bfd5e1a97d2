#include "cpu/lazy_table.h"

#include <utility>

#include "engine/check.h"
#include "engine/weights/checksum.h"

namespace bertha::cpu {

LazyTable::LazyTable(std::string name, int64_t rows, int64_t cols, std::unique_ptr<RowSource> source)
    : name_(std::move(name)),
      cols_(cols),
      source_(std::move(source)),
      data_(Buffer::sparse(static_cast<size_t>(rows * cols) * sizeof(float))),
      present_(static_cast<size_t>(rows)),
      sums_(static_cast<size_t>(rows)) {}

void LazyTable::remember(int64_t first, int64_t count, const float* values) {
    for (int64_t i = 0; i < count; i++)
        sums_[static_cast<size_t>(first + i)] = checksum(values + i * cols_, cols_ * 4);
}

void LazyTable::require(const int32_t* rows, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        std::atomic<bool>& present = present_[static_cast<size_t>(rows[i])];
        if (present.load(std::memory_order_acquire)) continue;
        const std::lock_guard<std::mutex> lock(mutex_);
        if (present.load(std::memory_order_relaxed)) continue;
        float* row = data_.floats() + rows[i] * cols_;
        source_->read(rows[i], row);
        BERTHA_CHECK(checksum(row, cols_ * 4) == sums_[static_cast<size_t>(rows[i])], "IO",
                     "the file of tensor %.200s has changed since the model was loaded: load it again",
                     name_.c_str());
        present.store(true, std::memory_order_release);
    }
}

}  // namespace bertha::cpu
