#include "cpu/word-vectors/word_table.h"

#include <algorithm>
#include <cstring>

#include "engine/check.h"

namespace bertha::cpu {
namespace {

constexpr size_t kFirstSlots = 1024;

}  // namespace

// Eight bytes a step; the mixing is splitmix64's.
uint64_t WordTable::hash(std::string_view word) {
    uint64_t h = word.size() * 0x9e3779b97f4a7c15u;
    const auto mix = [&h](uint64_t x) {
        h = (h ^ x) * 0xbf58476d1ce4e5b9u;
        h ^= h >> 29;
    };
    size_t i = 0;
    for (; i + 8 <= word.size(); i += 8) {
        uint64_t x;
        std::memcpy(&x, word.data() + i, 8);
        mix(x);
    }
    uint64_t rest = 0;
    if (i < word.size()) std::memcpy(&rest, word.data() + i, word.size() - i);
    mix(rest);
    return h * 0x94d049bb133111ebu;
}

size_t WordTable::place_of(std::string_view word, uint64_t hash) const {
    const size_t mask = slots_.size() - 1;
    const auto tag = static_cast<uint32_t>(hash);
    for (size_t i = (hash >> 32) & mask;; i = (i + 1) & mask) {
        const Slot& slot = slots_[i];
        if (slot.id < 0 || (slot.hash == tag && this->word(slot.id) == word)) return i;
    }
}

int64_t WordTable::find(std::string_view word) const {
    return slots_.empty() ? -1 : slots_[place_of(word, hash(word))].id;
}

int64_t WordTable::add(std::string_view word, int64_t count) {
    if (slots_.size() < 2 * (counts_.size() + 1)) grow_to(std::max(kFirstSlots, 2 * slots_.size()));
    const uint64_t own = hash(word);
    Slot& slot = slots_[place_of(word, own)];
    if (slot.id >= 0) {
        counts_[static_cast<size_t>(slot.id)] += count;
        return slot.id;
    }
    BERTHA_CHECK(size() < INT32_MAX, "OUT_OF_MEMORY", "expected less than 2^31 distinct words");
    slot = {static_cast<uint32_t>(own), static_cast<int32_t>(size())};
    text_.insert(text_.end(), word.begin(), word.end());
    begin_.push_back(text_.size());
    counts_.push_back(count);
    return slot.id;
}

void WordTable::reserve(int64_t words, int64_t text_bytes) {
    const auto wanted = static_cast<size_t>(words);
    size_t slots = std::max(kFirstSlots, slots_.size());
    while (slots < 2 * (wanted + 1)) slots *= 2;
    if (slots > slots_.size()) grow_to(slots);
    text_.reserve(static_cast<size_t>(text_bytes));
    begin_.reserve(wanted + 1);
    counts_.reserve(wanted);
}

void WordTable::grow_to(size_t slots) {
    std::vector<Slot> wider(slots, Slot{0, -1});
    slots_.swap(wider);
    for (int64_t id = 0; id < size(); id++) {
        const uint64_t own = hash(word(id));
        slots_[place_of(word(id), own)] = {static_cast<uint32_t>(own), static_cast<int32_t>(id)};
    }
}

int64_t WordTable::bytes() const {
    return static_cast<int64_t>(text_.capacity() + begin_.capacity() * sizeof(uint64_t) +
                                counts_.capacity() * sizeof(int64_t) + slots_.capacity() * sizeof(Slot));
}

}  // namespace bertha::cpu
