#include "cpu/lazy_table.h"

#include <utility>

namespace bertha::cpu {

LazyTable::LazyTable(int64_t rows, int64_t cols, std::unique_ptr<RowSource> source)
    : cols_(cols),
      source_(std::move(source)),
      data_(Buffer::sparse(static_cast<size_t>(rows * cols) * sizeof(float))),
      present_(static_cast<size_t>(rows)) {}

void LazyTable::require(const int32_t* rows, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        std::atomic<bool>& present = present_[static_cast<size_t>(rows[i])];
        if (present.load(std::memory_order_acquire)) continue;
        const std::lock_guard<std::mutex> lock(mutex_);
        if (present.load(std::memory_order_relaxed)) continue;
        source_->read(rows[i], data_.floats() + rows[i] * cols_);
        present.store(true, std::memory_order_release);
    }
}

}  // namespace bertha::cpu
