#include "cpu/word-vectors/glove/cooccurrences.h"

#include <algorithm>

namespace bertha::cpu {
namespace {

constexpr uint64_t kFree = UINT64_MAX;
constexpr size_t kFirstSlots = size_t{1} << 16;
constexpr int64_t kReadRecords = 1 << 14;

}  // namespace

Cooccurrences::Cooccurrences(Options options)
    : options_(std::move(options)), slots_(kFirstSlots, Slot{kFree, 0.0}) {}

void Cooccurrences::add_sentence(const std::vector<int32_t>& words) {
    for (size_t right = 0; right < words.size(); right++) {
        const size_t reach = std::min(right, static_cast<size_t>(options_.window));
        for (size_t distance = 1; distance <= reach; distance++) {
            const double weight = options_.distance_weighting ? 1.0 / static_cast<double>(distance) : 1.0;
            const auto left_word = static_cast<uint64_t>(words[right - distance]),
                       word = static_cast<uint64_t>(words[right]);
            add(left_word << 32 | word, weight);
            if (options_.symmetric) add(word << 32 | left_word, weight);
        }
    }
}

void Cooccurrences::add(uint64_t key, double count) {
    const size_t mask = slots_.size() - 1;
    size_t i = static_cast<size_t>((key * 0x9e3779b97f4a7c15u) >> 20) & mask;
    while (slots_[i].key != key && slots_[i].key != kFree) i = (i + 1) & mask;
    slots_[i].count += count;
    if (slots_[i].key == key) return;
    slots_[i].key = key;
    if (++used_ < slots_.size() / 4 * 3) return;
    // While it grows the old table and the new one are both there, and a sorted copy as large as what is
    // used.
    if (static_cast<int64_t>(4 * slots_.size() * sizeof(Slot)) > options_.memory_bytes) return write_run();
    std::vector<Slot> before(2 * slots_.size(), Slot{kFree, 0.0});
    before.swap(slots_);
    used_ = 0;
    for (const Slot& slot : before)
        if (slot.key != kFree) add(slot.key, slot.count);
}

std::vector<Cooccurrences::Slot> Cooccurrences::sorted_slots() {
    std::vector<Slot> sorted;
    sorted.reserve(used_);
    for (const Slot& slot : slots_)
        if (slot.key != kFree) sorted.push_back(slot);
    std::sort(sorted.begin(), sorted.end(), [](const Slot& a, const Slot& b) { return a.key < b.key; });
    return sorted;
}

void Cooccurrences::write_run() {
    const std::vector<Slot> sorted = sorted_slots();
    if (file_ == nullptr) file_ = std::make_unique<TempFile>(options_.directory);
    const int64_t begin = run_ends_.empty() ? 0 : run_ends_.back();
    file_->write(sorted.data(), static_cast<int64_t>(sorted.size()) * kSlotBytes, begin * kSlotBytes);
    run_ends_.push_back(begin + static_cast<int64_t>(sorted.size()));
    std::fill(slots_.begin(), slots_.end(), Slot{kFree, 0.0});
    used_ = 0;
}

void Cooccurrences::begin_merge() {
    if (run_ends_.empty()) {
        if (used_ > 0) slots_ = sorted_slots();
        slots_.resize(used_);
        next_slot_ = 0;
        return;
    }
    if (used_ > 0) write_run();
    std::vector<Slot>().swap(slots_);
    runs_.clear();
    heap_ = {};
    for (size_t i = 0; i < run_ends_.size(); i++) {
        runs_.push_back({i == 0 ? 0 : run_ends_[i - 1], run_ends_[i], {}, 0});
        push_run(i);
    }
}

// The next record of a run comes into the heap.
void Cooccurrences::push_run(size_t i) {
    Run& run = runs_[i];
    if (run.at == run.block.size()) {
        const int64_t count = std::min(kReadRecords, run.end - run.next);
        if (count == 0) return;
        run.block.resize(static_cast<size_t>(count));
        file_->read(run.block.data(), count * kSlotBytes, run.next * kSlotBytes);
        run.next += count;
        run.at = 0;
    }
    heap_.emplace(run.block[run.at].key, i);
}

bool Cooccurrences::next(Cooccurrence& pair) {
    Slot slot{kFree, 0.0};
    if (run_ends_.empty()) {
        if (next_slot_ == slots_.size()) return false;
        slot = slots_[next_slot_++];
    }
    while (!heap_.empty() && (slot.key == kFree || heap_.top().first == slot.key)) {
        const size_t i = heap_.top().second;
        heap_.pop();
        slot.key = runs_[i].block[runs_[i].at].key;
        slot.count += runs_[i].block[runs_[i].at++].count;
        push_run(i);
    }
    if (slot.key == kFree) return false;
    pair = {static_cast<uint32_t>(slot.key >> 32), static_cast<uint32_t>(slot.key),
            static_cast<float>(slot.count)};
    return true;
}

}  // namespace bertha::cpu
