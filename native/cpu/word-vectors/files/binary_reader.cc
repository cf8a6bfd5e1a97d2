// word2vec's binary form: a line "words dimensions", then for each word its bytes, a blank, and the vector as
// little-endian float32; word2vec.c puts a newline behind each vector, gensim from version 4 on does not.
#include <algorithm>
#include <cstring>

#include "cpu/word-vectors/files/vectors_reader.h"

namespace bertha::cpu {
namespace {

constexpr int64_t kStepBytes = 1 << 20;
constexpr int64_t kLongestWord = 1 << 16;

class BinaryReader final : public VectorsReader {
public:
    BinaryReader(std::shared_ptr<const InputFile> file, const ReadOptions& options)
        : VectorsReader(std::move(file), options) {
        std::string begin;
        file_->read(0, 256, begin);
        const size_t line = begin.find('\n');
        const HeaderLine header = parse_header(
            std::string_view(begin).substr(0, std::min(line, begin.size())));
        if (line == std::string::npos || !header.is_header())
            file_->fail_in_line(1, "expected the numbers of words and dimensions");
        promised_ = header.words;
        set_shape(header.words, header.dimensions,
                  4 * std::min<int64_t>(header.dimensions, int64_t{1} << 40) + 2);
        next_ = static_cast<int64_t>(line) + 1;
    }

    std::vector<LongPhase> phases() override {
        return {{1, [this](int) { return read_some(); }}, norms_phase()};
    }

private:
    bool read_some() {
        progress_.check_cancelled();
        const int64_t vector_bytes = 4 * vectors_->dimensions;
        std::string bytes;
        file_->read(next_, kStepBytes + kLongestWord + vector_bytes + 2, bytes);
        const int64_t wanted = std::min(promised_, options_.limit);
        size_t at = 0;
        while (read_ < wanted && static_cast<int64_t>(at) < kStepBytes) {
            const size_t end = bytes.find(' ', at);
            if (end == std::string::npos || static_cast<int64_t>(end - at) > kLongestWord)
                file_->fail_at(next_ + static_cast<int64_t>(at), "expected word %lld of %lld and a blank",
                               static_cast<long long>(read_ + 1), static_cast<long long>(promised_));
            if (bytes.size() - end - 1 < static_cast<size_t>(vector_bytes))
                file_->fail_at(next_ + static_cast<int64_t>(end) + 1, "expected the %lld bytes of a vector",
                               static_cast<long long>(vector_bytes));
            const std::string_view word = std::string_view(bytes).substr(at, end - at);
            const int64_t offset = next_ + static_cast<int64_t>(at);
            float* row = vectors_->row(vectors_->size());
            std::memcpy(row, bytes.data() + end + 1, static_cast<size_t>(vector_bytes));
            std::fill(row + vectors_->dimensions, row + vectors_->width, 0.0f);
            check_finite_row(row, word, offset);
            add_word(word, 0, offset, false);
            read_++;
            at = end + 1 + static_cast<size_t>(vector_bytes);
            if (at < bytes.size() && bytes[at] == '\n') at++;
        }
        next_ += static_cast<int64_t>(at);
        progress_.done.store(next_, std::memory_order_relaxed);
        if (read_ < wanted) return true;
        if (wanted == promised_ && next_ != file_->size())
            file_->fail_at(next_, "expected the end of the file after %lld words",
                           static_cast<long long>(promised_));
        vectors_->inverse_norms.resize(static_cast<size_t>(vectors_->size()));
        return false;
    }

    int64_t promised_ = 0, read_ = 0, next_ = 0;
};

}  // namespace

std::shared_ptr<VectorsReader> make_binary_reader(std::shared_ptr<const InputFile> file,
                                                  const ReadOptions& options) {
    return std::make_shared<BinaryReader>(std::move(file), options);
}

}  // namespace bertha::cpu
