// The words of a corpus that are common enough, by falling count. Made in short pieces: blocks of words are
// sorted, and then their runs are merged, so that no piece takes a thread of the pool for long.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "cpu/word-vectors/corpus/corpus.h"
#include "engine/pool/merged_runs.h"

namespace bertha::cpu {

struct Vocabulary {
    WordTable words;               // by falling count, equal ones by first appearance
    std::vector<int32_t> rank_of;  // by number in the corpus; kDroppedWord
    int64_t kept_words = 0;        // occurrences of all of them
};

class VocabularyBuilder {
public:
    VocabularyBuilder(std::shared_ptr<const Corpus> corpus, int64_t min_count);

    // A piece of the work, about a millisecond; false when all is done.
    bool step();
    // After all pieces.
    Vocabulary take() { return std::move(vocabulary_); }

private:
    struct IsMoreFrequent {
        const WordTable* table;
        bool operator()(int32_t a, int32_t b) const { return table->count(a) > table->count(b); }
    };
    void sort_block();

    const std::shared_ptr<const Corpus> corpus_;
    const int64_t min_count_;
    int64_t next_id_ = 0, text_bytes_ = 0;
    std::vector<int32_t> order_;  // numbers of words; its memory does not move
    MergedRuns<int32_t, IsMoreFrequent> runs_;
    bool is_merging_ = false;
    Vocabulary vocabulary_;
};

// All pieces at once.
Vocabulary make_vocabulary(const std::shared_ptr<const Corpus>& corpus, int64_t min_count);

}  // namespace bertha::cpu
