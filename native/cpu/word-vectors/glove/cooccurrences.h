// How often words stand near each other, in bounded memory: counts are collected in a table; when it is full,
// it is sorted and written as a run to a temporary file; in the end the runs are merged. What is counted does
// not depend on threads or on the size of the table, but for the rounding of sums.
//
// All of it goes in pieces of about a millisecond: a table that grows is moved, sorted (by digits, from the
// lowest) and written bit by bit, and nothing is counted meanwhile.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "cpu/word-vectors/corpus/temp_file.h"
#include "engine/allocator.h"

namespace bertha::cpu {

struct Cooccurrence {
    uint32_t word, context;
    float count;
};

class Cooccurrences {
public:
    struct Options {
        int32_t window = 15;
        bool symmetric = true;           // else the words on the left alone are contexts
        bool distance_weighting = true;  // 1 / distance, else 1
        int64_t memory_bytes = int64_t{1} << 30;
        std::string directory;
    };
    explicit Cooccurrences(Options options);

    // Goes on with a sentence, given without the words that are left out. `left`, the pairs that this piece
    // may still count, falls. True: there is more to do, call again with the same sentence.
    bool add_some(const std::vector<int32_t>& words, int64_t& left);
    // After all sentences: a piece of the sorting; false when it is done.
    bool sort_some();
    // After the sorting: `next` gives the pairs from the first on, also a second time.
    void begin_merge();
    // In order of word, then context, each pair once; false at the end.
    bool next(Cooccurrence& pair);

private:
    struct Slot {
        uint64_t key;  // word << 32 | context; kFree
        double count;
    };
    static constexpr auto kSlotBytes = static_cast<int64_t>(sizeof(Slot));
    // A sorted part of the file, read a block at a time.
    struct Run {
        int64_t next, end;  // records
        std::vector<Slot> block;
        size_t at = 0;
    };
    using Entry = std::pair<uint64_t, size_t>;  // key, run
    // What the table is at; each of the others goes on to the next, or back to counting.
    enum class Stage { kCounting, kClearing, kMoving, kGathering, kTallying, kScattering, kWriting, kSorted };
    void push_run(size_t i);
    void add(uint64_t key, double count);
    void make_room();
    void start_table(size_t slots);
    void start_sorting();
    void start_digit();
    void tidy_some();
    size_t clear_some();
    size_t move_some();
    size_t gather_some();
    size_t tally_some();
    size_t scatter_some();
    size_t write_some();
    size_t digit_of(uint64_t key) const;

    const Options options_;
    Buffer slots_, before_;  // the table, and the smaller one before it
    size_t slot_count_ = 0, before_count_ = 0, used_ = 0;
    size_t right_ = 0, distance_ = 1;  // where the sentence goes on
    int64_t largest_word_ = 0;
    Stage stage_ = Stage::kCounting;
    size_t place_ = 0;  // of what the stage goes through
    bool is_last_ = false;
    Buffer sorted_, spare_;  // [used_] each
    size_t sorted_count_ = 0;
    std::vector<int> shifts_;  // of the digits, the lowest first
    size_t next_shift_ = 0;
    std::array<size_t, 1 << 11> digit_begin_{};
    std::unique_ptr<TempFile> file_;
    std::vector<int64_t> run_ends_;  // records
    std::vector<Run> runs_;
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> heap_;
    size_t next_slot_ = 0;
};

}  // namespace bertha::cpu
