#include "cpu/word-vectors/glove/cooccurrences.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace bertha::cpu {
namespace {

constexpr uint64_t kFree = UINT64_MAX;
constexpr size_t kFirstSlots = size_t{1} << 16;
constexpr int64_t kReadRecords = 1 << 14;
constexpr int kDigitBits = 11;
// Of one piece: slots that are written in a row, and such that go anywhere.
constexpr size_t kSlotsInARow = size_t{1} << 16, kSlotsAnywhere = size_t{1} << 14;

}  // namespace

Cooccurrences::Cooccurrences(Options options) : options_(std::move(options)) { start_table(kFirstSlots); }

bool Cooccurrences::add_some(const std::vector<int32_t>& words, int64_t& left) {
    if (stage_ != Stage::kCounting) {
        left = 0;
        tidy_some();
        return true;
    }
    for (; right_ < words.size(); right_++, distance_ = 1) {
        const size_t reach = std::min(right_, static_cast<size_t>(options_.window));
        largest_word_ = std::max<int64_t>(largest_word_, words[right_]);
        for (; distance_ <= reach; distance_++) {
            if (used_ >= slot_count_ / 4 * 3) {
                left = 0;
                make_room();
                return true;
            }
            if (left <= 0) return true;
            left--;
            const double weight = options_.distance_weighting ? 1.0 / static_cast<double>(distance_) : 1.0;
            const auto left_word = static_cast<uint64_t>(words[right_ - distance_]),
                       word = static_cast<uint64_t>(words[right_]);
            add(left_word << 32 | word, weight);
            if (options_.symmetric) add(word << 32 | left_word, weight);
        }
    }
    right_ = 0;
    distance_ = 1;
    return false;
}

void Cooccurrences::add(uint64_t key, double count) {
    Slot* const slots = slots_.as<Slot>();
    const size_t mask = slot_count_ - 1;
    size_t i = static_cast<size_t>((key * 0x9e3779b97f4a7c15u) >> 20) & mask;
    while (slots[i].key != key && slots[i].key != kFree) i = (i + 1) & mask;
    if (slots[i].key == kFree) {
        slots[i] = {key, 0.0};
        used_++;
    }
    slots[i].count += count;
}

// While the table grows the old one and the new one are both there; while it is sorted, two copies of what is
// used.
void Cooccurrences::make_room() {
    if (static_cast<int64_t>(4 * slot_count_ * sizeof(Slot)) > options_.memory_bytes) return start_sorting();
    before_ = std::move(slots_);
    before_count_ = slot_count_;
    slots_ = Buffer();
    start_table(2 * slot_count_);
}

void Cooccurrences::start_table(size_t slots) {
    slots_ = Buffer(slots * sizeof(Slot));
    slot_count_ = slots;
    used_ = 0;
    stage_ = Stage::kClearing;
    place_ = 0;
}

void Cooccurrences::start_sorting() {
    sorted_ = Buffer(std::max<size_t>(1, used_) * sizeof(Slot));
    spare_ = Buffer(std::max<size_t>(1, used_) * sizeof(Slot));
    sorted_count_ = 0;
    shifts_.clear();
    for (const int half : {0, 32})
        for (int shift = 0; shift == 0 || largest_word_ >> shift > 0; shift += kDigitBits)
            shifts_.push_back(half + shift);
    next_shift_ = 0;
    stage_ = Stage::kGathering;
    place_ = 0;
}

void Cooccurrences::start_digit() {
    digit_begin_.fill(0);
    stage_ = Stage::kTallying;
}

size_t Cooccurrences::digit_of(uint64_t key) const {
    return static_cast<size_t>(key >> shifts_[next_shift_]) & (digit_begin_.size() - 1);
}

bool Cooccurrences::sort_some() {
    if (stage_ == Stage::kSorted) return false;
    if (stage_ == Stage::kCounting) {
        is_last_ = true;
        start_sorting();
    }
    tidy_some();
    return true;
}

// A piece of the stage; where it was the last, on to the next stage.
void Cooccurrences::tidy_some() {
    size_t end = sorted_count_;
    switch (stage_) {
        case Stage::kCounting:
        case Stage::kSorted: return;
        case Stage::kClearing: end = clear_some(); break;
        case Stage::kMoving: end = move_some(); break;
        case Stage::kGathering: end = gather_some(); break;
        case Stage::kTallying: end = tally_some(); break;
        case Stage::kScattering: end = scatter_some(); break;
        case Stage::kWriting: end = write_some(); break;
    }
    if (place_ < end) return;
    place_ = 0;
    if (stage_ == Stage::kClearing && before_count_ > 0) {
        stage_ = Stage::kMoving;
    } else if (stage_ == Stage::kClearing || stage_ == Stage::kMoving) {
        before_.reset();
        before_count_ = 0;
        stage_ = Stage::kCounting;
    } else if (stage_ == Stage::kGathering) {
        if (is_last_) slots_.reset();
        used_ = 0;
        start_digit();
    } else if (stage_ == Stage::kTallying) {
        size_t begin = 0;
        for (size_t& digit : digit_begin_) begin += std::exchange(digit, begin);
        stage_ = Stage::kScattering;
    } else if (stage_ == Stage::kScattering) {
        std::swap(sorted_, spare_);
        if (++next_shift_ < shifts_.size()) return start_digit();
        spare_.reset();
        stage_ = is_last_ && (run_ends_.empty() || sorted_count_ == 0) ? Stage::kSorted : Stage::kWriting;
    } else {
        run_ends_.push_back((run_ends_.empty() ? 0 : run_ends_.back()) + static_cast<int64_t>(sorted_count_));
        sorted_.reset();
        stage_ = is_last_ ? Stage::kSorted : Stage::kCounting;
    }
}

size_t Cooccurrences::clear_some() {
    const size_t count = std::min(kSlotsInARow, slot_count_ - place_);
    std::memset(slots_.as<Slot>() + place_, 0xff, count * sizeof(Slot));
    place_ += count;
    return slot_count_;
}

size_t Cooccurrences::move_some() {
    const size_t end = std::min(before_count_, place_ + kSlotsAnywhere);
    for (; place_ < end; place_++)
        if (const Slot& slot = before_.as<Slot>()[place_]; slot.key != kFree) add(slot.key, slot.count);
    return before_count_;
}

// The table is free again behind it.
size_t Cooccurrences::gather_some() {
    const size_t end = std::min(slot_count_, place_ + kSlotsInARow);
    for (; place_ < end; place_++) {
        Slot& slot = slots_.as<Slot>()[place_];
        if (slot.key == kFree) continue;
        sorted_.as<Slot>()[sorted_count_++] = slot;
        slot.key = kFree;
    }
    return slot_count_;
}

size_t Cooccurrences::tally_some() {
    const size_t end = std::min(sorted_count_, place_ + kSlotsInARow);
    for (; place_ < end; place_++) digit_begin_[digit_of(sorted_.as<Slot>()[place_].key)]++;
    return sorted_count_;
}

size_t Cooccurrences::scatter_some() {
    const size_t end = std::min(sorted_count_, place_ + kSlotsAnywhere);
    for (; place_ < end; place_++) {
        const Slot& slot = sorted_.as<Slot>()[place_];
        spare_.as<Slot>()[digit_begin_[digit_of(slot.key)]++] = slot;
    }
    return sorted_count_;
}

size_t Cooccurrences::write_some() {
    if (file_ == nullptr) file_ = std::make_unique<TempFile>(options_.directory);
    const size_t count = std::min(kSlotsAnywhere, sorted_count_ - place_);
    const int64_t begin = (run_ends_.empty() ? 0 : run_ends_.back()) + static_cast<int64_t>(place_);
    file_->write(sorted_.as<Slot>() + place_, static_cast<int64_t>(count) * kSlotBytes, begin * kSlotBytes);
    place_ += count;
    return sorted_count_;
}

void Cooccurrences::begin_merge() {
    next_slot_ = 0;
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
        if (next_slot_ == sorted_count_) return false;
        slot = sorted_.as<Slot>()[next_slot_++];
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
