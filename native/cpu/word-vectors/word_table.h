// Words in one block of UTF-8, each with a number and a count, found by hash: about 40 bytes a word beside
// its text.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace bertha::cpu {

class WordTable {
public:
    WordTable() = default;

    int64_t size() const { return static_cast<int64_t>(counts_.size()); }
    std::string_view word(int64_t id) const {
        const auto i = static_cast<size_t>(id);
        return {text_.data() + begin_[i], begin_[i + 1] - begin_[i]};
    }
    int64_t count(int64_t id) const { return counts_[static_cast<size_t>(id)]; }
    void set_count(int64_t id, int64_t count) { counts_[static_cast<size_t>(id)] = count; }
    const std::vector<int64_t>& counts() const { return counts_; }
    // -1: not there
    int64_t find(std::string_view word) const;
    // The number of a word, which is added where it is new.
    int64_t add(std::string_view word, int64_t count);
    // Room for so many words and bytes of them, so that adding them moves nothing.
    void reserve(int64_t words, int64_t text_bytes);
    int64_t bytes() const;

private:
    struct Slot {
        uint32_t hash;
        int32_t id;  // -1: free
    };
    static uint64_t hash(std::string_view word);
    size_t place_of(std::string_view word, uint64_t hash) const;
    void grow_to(size_t slots);

    std::vector<char> text_;
    std::vector<uint64_t> begin_{0};
    std::vector<int64_t> counts_;
    std::vector<Slot> slots_;
};

}  // namespace bertha::cpu
