#include "cpu/word-vectors/corpus/corpus.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "cpu/word-vectors/corpus/utf8.h"

namespace bertha::cpu {
namespace {

constexpr size_t kPendingNumbers = size_t{1} << 18;  // 1 MiB
constexpr int64_t kSliceNumbers = 4096;              // about a millisecond of training

constexpr std::array<bool, 256> blanks() {
    std::array<bool, 256> table{};
    for (const unsigned char blank : {' ', '\t', '\n', '\r', '\v', '\f'}) table[blank] = true;
    return table;
}
constexpr std::array<bool, 256> kBlanks = blanks();

}  // namespace

Corpus::Corpus(const std::string& directory, int64_t max_vocab) : file_(directory), max_vocab_(max_vocab) {}

void Corpus::add_text(std::string_view bytes) {
    const char* next = bytes.data();
    const char* const end = next + bytes.size();
    while (next < end) {
        const char* begin = next;
        while (next < end && !kBlanks[static_cast<uint8_t>(*next)]) next++;
        const std::string_view piece(begin, static_cast<size_t>(next - begin));
        if (next == end || !word_.empty()) {
            word_.append(piece.substr(0, std::max(kLongestWord + 4, word_.size()) - word_.size()));
            if (next == end) return;
            end_word();
        } else if (!piece.empty()) {
            add_word(piece);
        }
        if (*next++ == '\n') end_sentence();
    }
}

void Corpus::end_word() {
    if (!word_.empty()) add_word(word_);
    word_.clear();
}

void Corpus::end_text() {
    end_word();
    end_sentence();
    is_begin_ = true;
}

void Corpus::add_words(std::string_view bytes, const std::vector<int32_t>& lengths) {
    for (const int32_t length : lengths) {
        if (length == kSentenceEnd) {
            end_sentence();
            continue;
        }
        is_begin_ = false;
        add_word(bytes.substr(0, static_cast<size_t>(length)));
        bytes.remove_prefix(std::min(bytes.size(), static_cast<size_t>(length)));
    }
}

void Corpus::add_word(std::string_view word) {
    if (is_begin_ && word.substr(0, 3) == "\xef\xbb\xbf") word.remove_prefix(3);
    is_begin_ = false;
    if (word.empty()) return;
    std::string repaired;
    if (!is_utf8(word) || word.find('\0') != std::string_view::npos) {
        // A cut through the word's end is not a fault of the text.
        repaired = repaired_utf8(word.size() > kLongestWord ? cut_utf8(word, kLongestWord) : word);
        for (size_t nul; (nul = repaired.find('\0')) != std::string::npos;)
            repaired.replace(nul, 1, "\xef\xbf\xbd");
        if (word.size() <= kLongestWord || repaired != cut_utf8(word, kLongestWord)) report_.repaired_words++;
        if (word.size() > kLongestWord) report_.cut_words++;
        word = cut_utf8(repaired, kLongestWord);
    } else if (word.size() > kLongestWord) {
        report_.cut_words++;
        word = cut_utf8(word, kLongestWord);
    }
    report_.words++;
    put(static_cast<int32_t>(table_.add(word, 1)));
    if (++in_sentence_ == kLongestSentence) end_sentence();
    if (table_.size() > max_vocab_) forget_rare();
}

void Corpus::end_sentence() {
    if (in_sentence_ == 0) return;
    in_sentence_ = 0;
    report_.sentences++;
    put(kSentenceEnd);
    if (size() - slices_.back() >= kSliceNumbers) slices_.push_back(size());
}

void Corpus::finish() {
    end_text();
    flush();
    if (slices_.back() != size()) slices_.push_back(size());
}

void Corpus::put(int32_t number) {
    pending_.push_back(number);
    if (pending_.size() == kPendingNumbers) flush();
}

void Corpus::flush() {
    file_.write(pending_.data(), static_cast<int64_t>(pending_.size() * sizeof(int32_t)),
                written_ * static_cast<int64_t>(sizeof(int32_t)));
    written_ += static_cast<int64_t>(pending_.size());
    pending_.clear();
}

void Corpus::read(int64_t begin, int64_t end, std::vector<int32_t>& numbers) const {
    numbers.resize(static_cast<size_t>(end - begin));
    file_.read(numbers.data(), (end - begin) * static_cast<int64_t>(sizeof(int32_t)),
               begin * static_cast<int64_t>(sizeof(int32_t)));
}

// The numbers in the file change with it: words are counted on as if the rare ones had never been there.
void Corpus::forget_rare() {
    flush();
    WordTable kept;
    std::vector<int32_t> number_of(static_cast<size_t>(table_.size()), kDroppedWord);
    while (kept.size() == 0 || kept.size() > max_vocab_ / 2) {
        kept = WordTable();
        for (int64_t id = 0; id < table_.size(); id++)
            number_of[static_cast<size_t>(id)] = table_.count(id) <= least_kept_
                                                     ? kDroppedWord
                                                     : static_cast<int32_t>(
                                                           kept.add(table_.word(id), table_.count(id)));
        least_kept_++;
        if (kept.size() == 0) break;
    }
    report_.forgotten_words += table_.size() - kept.size();
    table_ = std::move(kept);
    std::vector<int32_t> block;
    for (int64_t begin = 0; begin < written_; begin += static_cast<int64_t>(kPendingNumbers)) {
        read(begin, std::min(written_, begin + static_cast<int64_t>(kPendingNumbers)), block);
        for (int32_t& number : block)
            if (number >= 0) number = number_of[static_cast<size_t>(number)];
        file_.write(block.data(), static_cast<int64_t>(block.size() * sizeof(int32_t)),
                    begin * static_cast<int64_t>(sizeof(int32_t)));
    }
}

int64_t Corpus::bytes_in_memory() const {
    return table_.bytes() +
           static_cast<int64_t>(pending_.capacity() * sizeof(int32_t) + slices_.capacity() * sizeof(int64_t));
}

}  // namespace bertha::cpu
