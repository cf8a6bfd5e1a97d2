// fastText's character n-grams: of '<' + word + '>', min_n to max_n characters, as numbers of rows.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace bertha::cpu {

struct NgramOptions {
    int32_t min_n = 0, max_n = 0;
    int64_t buckets = 0;
};

// FNV-1a over bytes read as signed, as fastText has it.
uint32_t subword_hash(std::string_view bytes);
// Appends the hash of each n-gram modulo `buckets`, in fastText's order. Characters begin at bytes that are
// not 10xxxxxx; '<' and '>' alone are left out. None where max_n or buckets is 0.
void append_ngrams(std::string_view word, const NgramOptions& options, std::vector<int32_t>& ids);

// The rows of a corpus's n-grams behind those of its words, in order of appearance.
class NgramRows {
public:
    explicit NgramRows(int64_t words) : words_(words) {}

    // Of an n-gram, which gets the next one where it is new. Throws OUT_OF_MEMORY where it would be row
    // 2^31 - 1: numbers of rows are int32.
    int32_t row_of(int32_t hash);
    // By row behind the words'.
    const std::vector<int32_t>& hashes() const { return hashes_; }
    // No more n-grams come.
    void finish() { std::unordered_map<int32_t, int32_t>().swap(row_of_); }

private:
    int64_t words_;
    std::unordered_map<int32_t, int32_t> row_of_;
    std::vector<int32_t> hashes_;
};

}  // namespace bertha::cpu
