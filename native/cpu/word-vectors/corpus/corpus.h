// A corpus, read once: its words are counted and written as numbers to a temporary file, from which every
// epoch reads them again; never more than a block of it is in memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cpu/word-vectors/corpus/temp_file.h"
#include "cpu/word-vectors/word_table.h"

namespace bertha::cpu {

constexpr int32_t kSentenceEnd = -1;
constexpr int32_t kDroppedWord = -2;
constexpr int64_t kLongestSentence = 10'000;
constexpr size_t kLongestWord = 1'000;  // bytes

class Corpus {
public:
    // Above max_vocab distinct words the rarest are forgotten, those seen once first, then twice and so on.
    Corpus(const std::string& directory, int64_t max_vocab);

    // Text whose words stand between ASCII blanks, a sentence a line. A word or line may go on in the next
    // call.
    void add_text(std::string_view bytes);
    // The end of a text: its last word and line are whole. A byte order mark is skipped at the begin of the
    // next.
    void end_text();
    // Words by their lengths in bytes; kSentenceEnd ends a sentence.
    void add_words(std::string_view bytes, const std::vector<int32_t>& lengths);
    void end_sentence();
    // All has been added.
    void finish();

    // Numbers of the file from begin to end: words, kSentenceEnd, kDroppedWord.
    void read(int64_t begin, int64_t end, std::vector<int32_t>& numbers) const;
    int64_t size() const { return written_ + static_cast<int64_t>(pending_.size()); }
    // Whole sentences: slice i goes from slices()[i] to slices()[i + 1].
    const std::vector<int64_t>& slices() const { return slices_; }

    struct Report {
        int64_t words = 0, sentences = 0;
        int64_t repaired_words = 0;   // that were not UTF-8, or held a NUL
        int64_t cut_words = 0;        // that were longer than kLongestWord
        int64_t forgotten_words = 0;  // distinct ones, for want of room
    };
    const Report& report() const { return report_; }
    const WordTable& words() const { return table_; }
    int64_t bytes_in_memory() const;

private:
    void add_word(std::string_view word);
    void end_word();
    void put(int32_t number);
    void flush();
    void forget_rare();

    TempFile file_;
    const int64_t max_vocab_;
    int64_t least_kept_ = 1;
    WordTable table_;
    std::string word_;      // the begin of a word that goes on
    bool is_begin_ = true;  // of a text
    int64_t in_sentence_ = 0;
    int64_t written_ = 0;
    std::vector<int32_t> pending_;
    std::vector<int64_t> slices_{0};
    Report report_;
};

}  // namespace bertha::cpu
