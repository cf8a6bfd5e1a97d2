// Sorting in pieces: each block of items is sorted for itself, and then their runs are merged, item by item,
// so that no piece takes a thread of the pool for long.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

namespace bertha {

// `IsBefore` is a strict order of items; those that are alike come in the order of their runs.
template <typename T, typename IsBefore>
class MergedRuns {
public:
    explicit MergedRuns(IsBefore is_before) : is_before_(std::move(is_before)) {}

    // Sorts items that stay where they are while runs are merged.
    void add_run(T* begin, T* end) {
        if (begin == end) return;
        std::stable_sort(begin, end, is_before_);
        runs_.push_back({begin, end, runs_.size()});
    }
    void begin_merge() {
        std::make_heap(runs_.begin(), runs_.end(),
                       [this](const Run& a, const Run& b) { return comes_later(a, b); });
    }
    // The first item that is left; null at the end.
    T* next() {
        if (runs_.empty()) return nullptr;
        const auto later = [this](const Run& a, const Run& b) { return comes_later(a, b); };
        std::pop_heap(runs_.begin(), runs_.end(), later);
        T* const item = runs_.back().next++;
        if (runs_.back().next == runs_.back().end)
            runs_.pop_back();
        else
            std::push_heap(runs_.begin(), runs_.end(), later);
        return item;
    }

private:
    struct Run {
        T *next, *end;
        size_t number;
    };
    bool comes_later(const Run& a, const Run& b) const {
        if (is_before_(*b.next, *a.next)) return true;
        return !is_before_(*a.next, *b.next) && b.number < a.number;
    }

    IsBefore is_before_;
    std::vector<Run> runs_;
};

}  // namespace bertha
