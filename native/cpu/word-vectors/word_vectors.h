// Words and their vectors, as files give them and training leaves them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "cpu/word-vectors/subwords.h"
#include "cpu/word-vectors/word_table.h"
#include "engine/allocator.h"

namespace bertha::cpu {

// The tables of a fastText model: a word's vector is the mean of its own row and its n-grams' rows. Some
// models hold the rows of some n-grams alone: of a pruned file the others do not count; where this library
// has trained, those that no word of the corpus has are zeros.
struct FastTextTables {
    NgramOptions ngrams;
    Buffer input;   // [words + n-gram rows, width]
    Buffer output;  // [words, width]; empty where a file had none that is kept
    int64_t ngram_rows = 0;
    std::vector<int32_t> kept_hashes;  // of the n-grams that have rows, sorted, and their rows
    std::vector<int32_t> kept_rows;
    bool is_pruned = false, has_zero_rows = false;

    // The row of an n-gram behind those of the words, -1 where it has none.
    int64_t ngram_row(int32_t hash) const;
};

struct WordVectors {
    WordTable words;
    int64_t dimensions = 0;
    int64_t width = 0;                 // floats from a row to the next; zeros fill it up
    Buffer rows;                       // [words, width]
    std::vector<float> inverse_norms;  // 1 / length, 0 for a vector of zeros
    std::shared_ptr<const FastTextTables> fast_text;

    int64_t size() const { return words.size(); }
    float* row(int64_t i) const { return rows.floats() + i * width; }
    int64_t bytes() const { return static_cast<int64_t>(rows.bytes()) + words.bytes(); }
};

// The vector of any word, [dimensions]; false where it has neither a row nor n-grams.
bool compose_vector(const WordVectors& vectors, std::string_view word, float* out);
void compute_inverse_norms(WordVectors& vectors, int64_t begin, int64_t end);

}  // namespace bertha::cpu
