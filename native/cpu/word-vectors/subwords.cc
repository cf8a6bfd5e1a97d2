#include "cpu/word-vectors/subwords.h"

#include <string>

#include "engine/check.h"

namespace bertha::cpu {
namespace {

uint32_t add_byte(uint32_t hash, char byte) {
    return (hash ^ static_cast<uint32_t>(static_cast<int8_t>(byte))) * 16777619u;
}

bool continues(char byte) { return (static_cast<uint8_t>(byte) & 0xc0) == 0x80; }

}  // namespace

uint32_t subword_hash(std::string_view bytes) {
    uint32_t hash = 2166136261u;
    for (const char byte : bytes) hash = add_byte(hash, byte);
    return hash;
}

void append_ngrams(std::string_view word, const NgramOptions& options, std::vector<int32_t>& ids) {
    if (options.max_n <= 0 || options.buckets <= 0) return;
    std::string text;
    text.reserve(word.size() + 2);
    text += '<';
    text += word;
    text += '>';
    for (size_t begin = 0; begin < text.size(); begin++) {
        if (continues(text[begin])) continue;
        uint32_t hash = 2166136261u;
        size_t end = begin;
        for (int32_t n = 1; end < text.size() && n <= options.max_n; n++) {
            do hash = add_byte(hash, text[end++]);
            while (end < text.size() && continues(text[end]));
            const bool is_border = n == 1 && (begin == 0 || end == text.size());
            if (n >= options.min_n && !is_border)
                ids.push_back(static_cast<int32_t>(hash % static_cast<uint64_t>(options.buckets)));
        }
    }
}

int32_t NgramRows::row_of(int32_t hash) {
    const int64_t next = words_ + static_cast<int64_t>(hashes_.size());
    const auto found = row_of_.find(hash);
    if (found != row_of_.end()) return found->second;
    BERTHA_CHECK(next < INT32_MAX, "OUT_OF_MEMORY", "expected less than 2^31 rows of words and n-grams");
    row_of_.emplace(hash, static_cast<int32_t>(next));
    hashes_.push_back(hash);
    return static_cast<int32_t>(next);
}

}  // namespace bertha::cpu
