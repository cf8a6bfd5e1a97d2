#include "cpu/word-vectors/search/spelling.h"

#include <algorithm>
#include <utility>

namespace bertha::cpu {
namespace {

constexpr int64_t kMostWords = int64_t{1} << 18;
constexpr int kMostEdits = 3;
constexpr size_t kLongestWord = 64;  // characters

// Characters as numbers, ASCII letters small; bytes that are not UTF-8 count for themselves.
void characters_of(std::string_view word, std::vector<uint32_t>& characters) {
    characters.clear();
    for (const char byte : word) {
        const auto value = static_cast<uint8_t>(byte);
        if ((value & 0xc0) == 0x80 && !characters.empty())
            characters.back() = characters.back() << 8 | value;
        else
            characters.push_back(value >= 'A' && value <= 'Z' ? value + ('a' - 'A') : value);
    }
}

// The number of edits, or `most` + 1 where there are more.
int edits(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b, int most, std::vector<int>& row) {
    row.resize(b.size() + 1);
    for (size_t j = 0; j <= b.size(); j++) row[j] = static_cast<int>(j);
    for (size_t i = 1; i <= a.size(); i++) {
        int diagonal = row[0], least = row[0] = static_cast<int>(i);
        for (size_t j = 1; j <= b.size(); j++) {
            const int above = row[j];
            row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
            least = std::min(least, row[j]);
        }
        if (least > most) return most + 1;
    }
    return std::min(row[b.size()], most + 1);
}

}  // namespace

std::vector<std::string> nearest_spellings(const WordTable& words, std::string_view word, int64_t count) {
    std::vector<uint32_t> wanted, own;
    characters_of(word, wanted);
    std::vector<std::string> found;
    if (wanted.empty() || wanted.size() > kLongestWord) return found;
    const int most = std::clamp(static_cast<int>(wanted.size()) / 3, 1, kMostEdits);
    std::vector<std::pair<int, int64_t>> near;
    std::vector<int> row;
    for (int64_t id = 0; id < std::min(words.size(), kMostWords); id++) {
        const std::string_view candidate = words.word(id);
        if (candidate.size() > word.size() + 4 * static_cast<size_t>(most)) continue;
        characters_of(candidate, own);
        const auto apart = static_cast<int64_t>(own.size()) - static_cast<int64_t>(wanted.size());
        if (apart > most || -apart > most) continue;
        if (const int distance = edits(wanted, own, most, row); distance <= most)
            near.emplace_back(distance, id);
    }
    std::sort(near.begin(), near.end());
    for (size_t i = 0; i < near.size() && static_cast<int64_t>(i) < count; i++)
        found.emplace_back(words.word(near[i].second));
    return found;
}

}  // namespace bertha::cpu
