// How often words stand near each other, in bounded memory: counts are collected in a table; when it is full,
// it is sorted and written as a run to a temporary file; in the end the runs are merged. What is counted does
// not depend on threads or on the size of the table, but for the rounding of sums.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "cpu/word-vectors/corpus/temp_file.h"

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

    // A sentence without the words that are left out.
    void add_sentence(const std::vector<int32_t>& words);
    // All sentences have been added: `next` gives the pairs from the first on, also a second time.
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
    void push_run(size_t i);
    void add(uint64_t key, double count);
    void write_run();
    std::vector<Slot> sorted_slots();

    const Options options_;
    std::vector<Slot> slots_;
    size_t used_ = 0;
    std::unique_ptr<TempFile> file_;
    std::vector<int64_t> run_ends_;  // records
    std::vector<Run> runs_;
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> heap_;
    size_t next_slot_ = 0;
};

}  // namespace bertha::cpu
