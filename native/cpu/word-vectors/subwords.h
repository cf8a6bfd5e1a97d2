// fastText's character n-grams: of '<' + word + '>', min_n to max_n characters, as numbers of rows.
#pragma once

#include <cstdint>
#include <string_view>
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

}  // namespace bertha::cpu
