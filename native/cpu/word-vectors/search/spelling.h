// Words that are spelled like a given one, for messages about unknown words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cpu/word-vectors/word_table.h"

namespace bertha::cpu {

// Up to `count` words within a third of the word's characters in edits (Levenshtein; ASCII letters without
// case), the nearest first, of equally near ones the first in the table. Looks through its first 2^18 words.
std::vector<std::string> nearest_spellings(const WordTable& words, std::string_view word, int64_t count);

}  // namespace bertha::cpu
