#include "cpu/word-vectors/files/vectors_reader.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cpu/word-vectors/corpus/utf8.h"
#include "cpu/word-vectors/word_kernels.h"

namespace bertha::cpu {
namespace {

constexpr int32_t kFastTextMagic = 793712314;
constexpr int64_t kSniffedBytes = 1 << 16;
constexpr int64_t kMostDimensions = 1 << 16;
constexpr int64_t kRowsPerStep = 1 << 13;

bool ends_with(const std::string& text, std::string_view end) {
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// Whether the first vector behind a header is bytes rather than digits.
bool is_binary(std::string_view begin, bool is_named_so) {
    const size_t line = begin.find('\n');
    if (line == std::string_view::npos || !parse_header(begin.substr(0, line)).is_header())
        return is_named_so;
    const size_t word = begin.find(' ', line);
    if (word == std::string_view::npos) return is_named_so;
    const std::string_view vector = begin.substr(
        word, static_cast<size_t>(4 * parse_header(begin.substr(0, line)).dimensions));
    const auto is_text = [](char c) {
        return std::strchr("0123456789+-.,eExXnaifNAIF \t\r\n", c) != nullptr && c != '\0';
    };
    if (is_named_so) return vector.empty() || !std::all_of(vector.begin(), vector.end(), is_text);
    return std::any_of(vector.begin(), vector.end(), [](char c) { return static_cast<uint8_t>(c) < 9; });
}

}  // namespace

HeaderLine parse_header(std::string_view line) {
    HeaderLine header;
    int64_t numbers[2];
    size_t at = 0;
    for (int64_t& number : numbers) {
        while (at < line.size() && (line[at] == ' ' || line[at] == '\t')) at++;
        const size_t begin = at;
        number = 0;
        for (; at < line.size() && line[at] >= '0' && line[at] <= '9'; at++)
            if (number < int64_t{1} << 50) number = number * 10 + (line[at] - '0');
        if (at == begin) return header;
    }
    while (at < line.size() && std::strchr(" \t\r", line[at]) != nullptr) at++;
    if (at != line.size()) return header;
    header.words = numbers[0];
    header.dimensions = numbers[1];
    return header;
}

void VectorsReader::set_shape(int64_t words, int64_t dimensions, int64_t least_bytes) {
    if (words < 1 || dimensions < 1)
        file_->fail_at(0, "expected at least one word and one number a word, got %lld and %lld",
                       static_cast<long long>(words), static_cast<long long>(dimensions));
    if (dimensions > kMostDimensions || words > INT32_MAX || words > file_->size() / least_bytes)
        file_->fail_at(0, "expected room for %lld vectors of %lld numbers, the file has %lld bytes",
                       static_cast<long long>(words), static_cast<long long>(dimensions),
                       static_cast<long long>(file_->size()));
    words = std::min(words, options_.limit);
    vectors_->dimensions = dimensions;
    vectors_->width = row_width(dimensions);
    vectors_->rows = Buffer(static_cast<size_t>(words * vectors_->width) * sizeof(float));
    progress_.of.store(file_->size());
}

bool VectorsReader::add_word(std::string_view word, int64_t count, int64_t at, bool is_line) {
    const auto refuse = [&](const char* why) {
        is_line ? file_->fail_in_line(at, "%s", why) : file_->fail_at(at, "%s", why);
    };
    if (word.empty()) refuse("expected a word before its vector");
    std::string repaired;
    if (!is_utf8(word)) {
        if (options_.refuses_bad_utf8) refuse("expected UTF-8");
        report_.repaired_words++;
        repaired = repaired_utf8(word);
        word = repaired;
    }
    const int64_t before = vectors_->size(), id = vectors_->words.add(word, 0);
    if (id < before) {
        report_.duplicates++;
        return false;
    }
    vectors_->words.set_count(id, count);
    return true;
}

void VectorsReader::check_finite_row(const float* row, std::string_view word, int64_t at) const {
    for (int64_t z = 0; z < vectors_->dimensions; z++)
        if (!std::isfinite(row[z]))
            file_->fail_at(at, "expected finite numbers, those of the word %.*s are not",
                           static_cast<int>(std::min<size_t>(100, word.size())), word.data());
}

LongPhase VectorsReader::norms_phase() {
    return {options_.threads, [this](int) {
                progress_.check_cancelled();
                const int64_t begin = next_rows_.fetch_add(kRowsPerStep), size = vectors_->size();
                if (begin == 0) file_->check_unchanged();
                if (begin == 0 && size == 0) file_->fail_at(0, "expected a word");
                if (begin < size)
                    compute_inverse_norms(*vectors_, begin, std::min(size, begin + kRowsPerStep));
                return begin + kRowsPerStep < size;
            }};
}

std::shared_ptr<VectorsReader> make_vectors_reader(const std::string& path, const ReadOptions& options) {
    const auto file = std::make_shared<const InputFile>(path, options.name);
    std::string begin;
    file->read(0, kSniffedBytes, begin);
    if (begin.empty()) file->fail_at(0, "expected words and vectors, the file is empty");
    const auto starts = [&begin](std::string_view prefix) {
        return begin.compare(0, prefix.size(), prefix) == 0;
    };
    const bool is_pickle = begin.size() > 1 && begin[0] == '\x80' && begin[1] >= 2 && begin[1] <= 5;
    BERTHA_CHECK(!is_pickle, "UNSAFE_FORMAT",
                 "%s is a pickle, which is a program: in gensim, "
                 "KeyedVectors.load(…).save_word2vec_format('words.vec') "
                 "makes a file that can be read",
                 options.name.c_str());
    BERTHA_CHECK(!starts("PK\x03\x04"), "UNSAFE_FORMAT", "%s is a zip archive: expected a file of vectors",
                 options.name.c_str());
    if (starts("\x1f\x8b"))
        file->fail_at(0, "expected vectors, got gzip data, which only files named .gz may hold");
    int32_t magic = 0;
    if (begin.size() >= 4) std::memcpy(&magic, begin.data(), 4);
    VectorsFormat format = options.format;
    if (format == VectorsFormat::kAuto && magic == kFastTextMagic) format = VectorsFormat::kFastText;
    if (format == VectorsFormat::kAuto)
        format = is_binary(begin, ends_with(options.name, ".bin")) ? VectorsFormat::kBinary
                                                                   : VectorsFormat::kText;
    if (format == VectorsFormat::kFastText) return make_fast_text_reader(file, options);
    return format == VectorsFormat::kBinary ? make_binary_reader(file, options)
                                            : make_text_reader(file, options);
}

}  // namespace bertha::cpu
