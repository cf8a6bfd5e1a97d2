// Text: "word f f …" a line, after a line "words dimensions" or not. Lines are counted first, range by range,
// so that every range knows the number of its first row; then ranges are parsed into their rows, and in the
// end the words come into their table in order. A line as most programs write it, with one blank between its
// fields, is read in one pass; any other from its end, as a word may hold blanks.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <string_view>

#include "cpu/word-vectors/files/parse_float.h"
#include "cpu/word-vectors/files/vectors_reader.h"

namespace bertha::cpu {
namespace {

constexpr int64_t kRangeBytes = 1 << 18;  // one or two milliseconds of parsing
constexpr int64_t kLongestLine = 1 << 24;
constexpr int64_t kWordsPerStep = 1 << 13;
constexpr int64_t kCountedPerStep = 8;  // ranges

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view line) {
    while (!line.empty() && (is_blank(line.back()) || line.back() == '\r')) line.remove_suffix(1);
    return line;
}

int64_t count_fields(std::string_view line) {
    int64_t fields = 0;
    for (size_t i = 0; i < line.size(); i++)
        if (!is_blank(line[i]) && (i == 0 || is_blank(line[i - 1]))) fields++;
    return fields;
}

// Takes the last field off; false where there is none.
bool take_last(std::string_view& line, std::string_view& field) {
    size_t end = line.size();
    while (end > 0 && is_blank(line[end - 1])) end--;
    size_t begin = end;
    while (begin > 0 && !is_blank(line[begin - 1])) begin--;
    field = line.substr(begin, end - begin);
    line = line.substr(0, begin);
    return begin < end;
}

class TextReader final : public VectorsReader {
public:
    TextReader(std::shared_ptr<const InputFile> file, const ReadOptions& options)
        : VectorsReader(std::move(file), options) {
        read_begin();
        ranges_.resize(static_cast<size_t>((file_->size() - begin_ + kRangeBytes - 1) / kRangeBytes));
        buffers_.resize(static_cast<size_t>(options_.threads));
    }

    std::vector<LongPhase> phases() override {
        return {{options_.threads, [this](int member) { return count_some(buffer(member)); }},
                {1, [this](int) { return make_room(); }},
                {options_.threads, [this](int member) { return parse_some(buffer(member)); }},
                {1, [this](int) { return take_words(); }},
                norms_phase()};
    }

private:
    struct Range {
        int64_t first_row = 0;
        int64_t lines = 0;  // that begin in it
        std::string words;
        std::vector<int32_t> lengths;
    };

    // The first lines: whether there is a header, and how many numbers a vector has.
    void read_begin() {
        std::string text;
        file_->read(0, kLongestLine, text);
        const size_t mark = text.compare(0, 3, "\xef\xbb\xbf") == 0 ? 3 : 0;
        const auto line_at = [&](size_t begin) {
            return std::string_view(text).substr(begin,
                                                 std::min(text.find('\n', begin), text.size()) - begin);
        };
        const std::string_view first = line_at(mark);
        const size_t second_at = std::min(text.size(), mark + first.size() + 1);
        const int64_t fields = count_fields(trimmed(first)), then = count_fields(trimmed(line_at(second_at)));
        const HeaderLine header = parse_header(first);
        const bool fits = header.is_header() && then == header.dimensions + 1;
        const bool is_there = options_.header == Header::kThere ||
                              (options_.header == Header::kAuto && header.is_header() &&
                               header.dimensions != 1 && (fits || second_at < text.size()));
        if (is_there && !header.is_header())
            file_->fail_in_line(1, "expected the numbers of words and dimensions, got %.*s",
                                static_cast<int>(std::min<size_t>(60, first.size())), first.data());
        if (!is_there && options_.header == Header::kAuto && fields == 2)
            file_->fail_in_line(
                1,
                "expected more than one number a word: whether this is a header or a word with one "
                "number cannot be told, the option header says it");
        has_header_ = is_there;
        begin_ = static_cast<int64_t>(is_there ? second_at : mark);
        promised_ = is_there ? header.words : -1;
        dimensions_ = is_there ? header.dimensions : fields - 1;
        if (dimensions_ < 1) file_->fail_in_line(1, "expected a word and its vector");
        if (is_there) set_shape(promised_, dimensions_, 2 * dimensions_ + 1);
    }

    // What a member reads into: kept from step to step, so that its pages are there.
    std::string& buffer(int member) { return buffers_[static_cast<size_t>(member)]; }
    int64_t range_begin(int64_t range) const { return begin_ + range * kRangeBytes; }
    int64_t line_of(int64_t row) const { return row + (has_header_ ? 2 : 1); }

    // A line belongs to the range that its first byte lies in.
    bool count_some(std::string& bytes) {
        progress_.check_cancelled();
        const auto size = static_cast<int64_t>(ranges_.size());
        const int64_t first = next_range_.fetch_add(kCountedPerStep),
                      last = std::min(size, first + kCountedPerStep);
        for (int64_t range = first; range < last; range++) {
            // A line begins behind each newline but the file's last byte.
            const int64_t begin = range_begin(range), end = std::min(file_->size(), begin + kRangeBytes);
            const int64_t is_first = range == 0 ? 1 : 0;
            file_->read(begin - 1 + is_first, end - begin - is_first, bytes);
            int64_t& lines = ranges_[static_cast<size_t>(range)].lines = is_first;
            for (size_t at = 0; (at = bytes.find('\n', at)) != std::string::npos; at++) lines++;
        }
        return last < size;
    }

    bool make_room() {
        int64_t rows = 0;
        for (Range& range : ranges_) {
            range.first_row = rows;
            rows += range.lines;
        }
        if (promised_ >= 0 && rows != promised_)
            file_->fail_in_line(line_of(std::min(rows, promised_)),
                                "expected %lld words, as the header says, got %lld lines",
                                static_cast<long long>(promised_), static_cast<long long>(rows));
        if (promised_ < 0) set_shape(rows, dimensions_, 2 * dimensions_ + 1);
        rows_ = std::min(rows, options_.limit);
        next_range_.store(0);
        return false;
    }

    bool parse_some(std::string& bytes) {
        progress_.check_cancelled();
        const int64_t range = next_range_.fetch_add(1), size = static_cast<int64_t>(ranges_.size());
        if (range >= size) return false;
        Range& own = ranges_[static_cast<size_t>(range)];
        if (own.lines > 0 && own.first_row < rows_) parse(range, own, bytes);
        progress_.done.fetch_add(kRangeBytes, std::memory_order_relaxed);
        return range + 1 < size;
    }

    void parse(int64_t range, Range& own, std::string& bytes) {
        const int64_t before = range > 0 ? 1 : 0, begin = range_begin(range) - before;
        int64_t wanted = kRangeBytes + before + (int64_t{1} << 14);
        file_->read(begin, wanted, bytes);
        size_t at = before == 0 ? 0 : bytes.find('\n') + 1;
        for (int64_t i = 0; i < own.lines && own.first_row + i < rows_; i++) {
            if (const size_t next = parse_plain_line(bytes, at, own.first_row + i, own)) {
                at = next;
                continue;
            }
            size_t end = bytes.find('\n', at);
            while (end == std::string::npos && begin + static_cast<int64_t>(bytes.size()) < file_->size()) {
                if (wanted > kLongestLine)
                    file_->fail_in_line(line_of(own.first_row + i), "expected a shorter line");
                file_->read(begin, wanted *= 4, bytes);
                end = bytes.find('\n', at);
            }
            if (end == std::string::npos) end = bytes.size();
            parse_line(std::string_view(bytes).substr(at, end - at), own.first_row + i, own);
            at = end + 1;
        }
    }

    // Reads "word f f …\n" with single blanks and returns where the next line begins; 0 for whatever is
    // written otherwise.
    size_t parse_plain_line(std::string_view bytes, size_t at, int64_t row, Range& own) {
        const char* const begin = bytes.data() + at;
        const char* const end = bytes.data() + bytes.size();
        const char* next = begin;
        while (next < end && !is_blank(*next) && *next != '\n') next++;
        const std::string_view word(begin, static_cast<size_t>(next - begin));
        float* values = vectors_->row(row);
        for (int64_t z = 0; z < dimensions_; z++) {
            if (next == end || *next != ' ') return 0;
            next = read_float(next + 1, end, values + z);
            if (next == nullptr) return 0;
        }
        while (next < end && (is_blank(*next) || *next == '\r')) next++;
        if (next == end || *next != '\n' || word.empty()) return 0;
        end_row(word, row, own);
        return static_cast<size_t>(next + 1 - bytes.data());
    }

    void end_row(std::string_view word, int64_t row, Range& own) {
        own.words.append(word);
        own.lengths.push_back(static_cast<int32_t>(word.size()));
        std::fill(vectors_->row(row) + dimensions_, vectors_->row(row) + vectors_->width, 0.0f);
    }

    void parse_line(std::string_view line, int64_t row, Range& own) {
        float* values = vectors_->row(row);
        std::string_view rest = trimmed(line), field;
        for (int64_t z = dimensions_; z-- > 0;) {
            if (!take_last(rest, field))
                file_->fail_in_line(line_of(row), "expected a word and %lld numbers, got %lld fields",
                                    static_cast<long long>(dimensions_),
                                    static_cast<long long>(count_fields(line)));
            if (!parse_float(field.data(), field.data() + field.size(), values + z))
                refuse_number(field, line, row);
        }
        while (!rest.empty() && is_blank(rest.back())) rest.remove_suffix(1);
        if (rest.empty() || is_blank(rest.front()))
            file_->fail_in_line(line_of(row), "expected a word before %lld numbers",
                                static_cast<long long>(dimensions_));
        if (rest.find(' ') != std::string_view::npos || rest.find('\t') != std::string_view::npos)
            check_blanks(rest, row);
        end_row(rest, row, own);
    }

    // A word may hold blanks, but a number at its end means that the line has too many.
    void check_blanks(std::string_view word, int64_t row) const {
        std::string_view last;
        float number;
        take_last(word, last);
        if (parse_float(last.data(), last.data() + last.size(), &number))
            file_->fail_in_line(line_of(row), "expected %lld numbers, got more",
                                static_cast<long long>(dimensions_));
    }

    [[noreturn]] void refuse_number(std::string_view field, std::string_view line, int64_t row) const {
        file_->fail_in_line(line_of(row), "expected a finite decimal number for the word %.*s, got %.*s",
                            static_cast<int>(std::min<size_t>(60, std::min(line.find(' '), line.size()))),
                            line.data(), static_cast<int>(std::min<size_t>(60, field.size())), field.data());
    }

    // Words in order; rows move down over those of duplicates.
    bool take_words() {
        progress_.check_cancelled();
        int64_t taken = 0;
        while (word_range_ < ranges_.size() && taken < kWordsPerStep) {
            Range& own = ranges_[word_range_++];
            std::string_view words = own.words;
            for (size_t i = 0; i < own.lengths.size(); i++, taken++) {
                const auto length = static_cast<size_t>(own.lengths[i]);
                const int64_t row = own.first_row + static_cast<int64_t>(i), place = vectors_->size();
                if (add_word(words.substr(0, length), 0, line_of(row), true) && place != row)
                    std::memcpy(vectors_->row(place), vectors_->row(row),
                                static_cast<size_t>(vectors_->width) * sizeof(float));
                words.remove_prefix(length);
            }
            own = Range();
        }
        if (word_range_ < ranges_.size()) return true;
        vectors_->inverse_norms.resize(static_cast<size_t>(vectors_->size()));
        return false;
    }

    bool has_header_ = false;
    int64_t begin_ = 0;  // of the first vector's line
    int64_t promised_ = -1, dimensions_ = 0, rows_ = 0;
    std::vector<Range> ranges_;
    std::vector<std::string> buffers_;  // by member
    std::atomic<int64_t> next_range_{0};
    size_t word_range_ = 0;
};

}  // namespace

std::shared_ptr<VectorsReader> make_text_reader(std::shared_ptr<const InputFile> file,
                                                const ReadOptions& options) {
    return std::make_shared<TextReader>(std::move(file), options);
}

}  // namespace bertha::cpu
