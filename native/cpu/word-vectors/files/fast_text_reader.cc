// fastText's models (.bin, versions 11 and 12): numbers of the training, the words, which n-grams were kept,
// the input rows of words and n-grams, and the output rows.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "cpu/word-vectors/files/vectors_reader.h"

namespace bertha::cpu {
namespace {

constexpr int64_t kStepBytes = 1 << 20;
constexpr int64_t kLongestWord = 1 << 16;
constexpr int32_t kSupervised = 3;

class FastTextReader final : public VectorsReader {
public:
    FastTextReader(std::shared_ptr<const InputFile> file, const ReadOptions& options)
        : VectorsReader(std::move(file), options), tables_(std::make_shared<FastTextTables>()) {
        read_header();
    }

    std::vector<LongPhase> phases() override {
        return {{1, [this](int) { return read_words(); }},
                {1, [this](int) { return start_input(); }},
                {1, [this](int) { return read_rows(tables_->input, input_rows_); }},
                {1, [this](int) { return start_output(); }},
                {1, [this](int) { return read_rows(tables_->output, output_rows_); }},
                {1, [this](int) { return end(); }},
                {options_.threads, [this](int) { return compose_some(); }},
                {1,
                 [this](int) {
                     if (!options_.with_subwords) vectors_->fast_text.reset();
                     return false;
                 }},
                norms_phase()};
    }

private:
    template <typename T>
    T take(const char* what) {
        T value;
        file_->read_exactly(next_, sizeof value, &value, what);
        next_ += static_cast<int64_t>(sizeof value);
        return value;
    }
    template <typename T>
    T take_within(const char* what, T low, T high) {
        const int64_t at = next_;
        const T value = take<T>(what);
        if (value < low || value > high)
            file_->fail_at(at, "expected %s from %lld to %lld, got %lld", what, static_cast<long long>(low),
                           static_cast<long long>(high), static_cast<long long>(value));
        return value;
    }

    void read_header() {
        next_ = 4;  // behind the magic number
        take_within<int32_t>("the version", 11, 12);
        const int64_t dimensions = take_within<int32_t>("the dimensions", 1, 1 << 16);
        for (const char* unused : {"the window", "the epochs", "the least count", "the negative samples",
                                   "the word n-grams", "the loss"})
            take<int32_t>(unused);
        const int64_t model_at = next_;
        const auto model = take_within<int32_t>("the kind of model", 1, 3);
        if (model == kSupervised)
            file_->fail_at(
                model_at,
                "expected word vectors, got a supervised model, whose rows are no vectors of words");
        const auto bucket = take_within<int32_t>("the number of n-gram rows", 0, INT32_MAX);
        const auto min_n = take_within<int32_t>("the shortest n-gram", 0, INT32_MAX);
        const auto max_n = take_within<int32_t>("the longest n-gram", 0, INT32_MAX);
        if (min_n > max_n)
            file_->fail_at(next_ - 8, "expected a shortest n-gram up to the longest, %d, got %d", max_n,
                           min_n);
        if (max_n > 0 && bucket == 0) file_->fail_at(next_ - 12, "expected rows for the n-grams, got 0");
        take<int32_t>("the rate of updates");
        take<double>("the sampling threshold");
        const auto size = take_within<int32_t>("the number of words", 1, INT32_MAX);
        const auto words = take_within<int32_t>("the number of words", 1, size);
        const int64_t labels_at = next_;
        if (take<int32_t>("the number of labels") != size - words || size != words)
            file_->fail_at(labels_at, "expected a model of words without labels");
        take<int64_t>("the number of tokens");
        pruned_ = take<int64_t>("the number of kept n-grams");
        if (pruned_ < -1 || pruned_ > std::min<int64_t>(INT32_MAX, file_->size() / 8))
            file_->fail_at(next_ - 8, "expected the number of kept n-grams");
        words_ = words;
        // Each word takes ten bytes at least beside its row.
        set_shape(words_, dimensions, 4 * dimensions + 10);
        tables_->ngrams = {min_n, max_n, max_n > 0 ? bucket : 0};
        tables_->is_pruned = pruned_ >= 0 && max_n > 0;
        tables_->ngram_rows = max_n == 0 ? 0 : pruned_ >= 0 ? pruned_ : bucket;
        input_rows_ = words_ + tables_->ngram_rows;
        if (input_rows_ > INT32_MAX)
            file_->fail_at(0, "expected less than 2^31 rows of words and n-grams, got %lld",
                           static_cast<long long>(input_rows_));
        if (input_rows_ > file_->size() / (4 * dimensions))
            file_->fail_at(0, "expected %lld rows of %lld numbers, the file has %lld bytes",
                           static_cast<long long>(input_rows_), static_cast<long long>(dimensions),
                           static_cast<long long>(file_->size()));
    }

    bool read_words() {
        progress_.check_cancelled();
        std::string bytes;
        file_->read(next_, kStepBytes + kLongestWord + 16, bytes);
        size_t at = 0;
        for (; vectors_->size() < words_ && static_cast<int64_t>(at) < kStepBytes;) {
            const int64_t offset = next_ + static_cast<int64_t>(at);
            const size_t end = bytes.find('\0', at);
            if (end == std::string::npos || static_cast<int64_t>(end - at) > kLongestWord ||
                bytes.size() - end < 10)
                file_->fail_at(offset, "expected a word that ends with a zero byte, and its count");
            int64_t count;
            std::memcpy(&count, bytes.data() + end + 1, sizeof count);
            if (bytes[end + 9] != 0) file_->fail_at(offset, "expected a word, got a label");
            if (!add_word(std::string_view(bytes).substr(at, end - at), std::max<int64_t>(0, count), offset,
                          false))
                file_->fail_at(offset, "expected a word that is not there yet");
            at = end + 10;
        }
        next_ += static_cast<int64_t>(at);
        return vectors_->size() < words_;
    }

    bool start_input() {
        std::vector<std::pair<int32_t, int32_t>> kept;
        for (int64_t i = 0; i < pruned_; i++) {
            const auto hash = take_within<int32_t>("an n-gram", 0, INT32_MAX);
            kept.emplace_back(
                hash, take_within<int32_t>("the row of an n-gram", 0, static_cast<int32_t>(pruned_ - 1)));
        }
        std::sort(kept.begin(), kept.end());
        for (const auto& [hash, row] : kept) {
            tables_->kept_hashes.push_back(hash);
            tables_->kept_rows.push_back(row);
        }
        take_shape(input_rows_);
        tables_->input = Buffer::sparse(static_cast<size_t>(input_rows_ * vectors_->width) * sizeof(float));
        return false;
    }

    // quantized, rows, columns
    void take_shape(int64_t rows) {
        const int64_t at = next_;
        BERTHA_CHECK(take<uint8_t>("the kind of matrix") == 0, "DTYPE_UNSUPPORTED",
                     "%s is a quantized fastText model (.ftz): expected the model it was made of",
                     file_->name().c_str());
        const auto m = take<int64_t>("the number of rows"), n = take<int64_t>("the number of columns");
        if (m != rows || n != vectors_->dimensions)
            file_->fail_at(at, "expected a matrix of %lld rows and %lld columns, got %lld and %lld",
                           static_cast<long long>(rows), static_cast<long long>(vectors_->dimensions),
                           static_cast<long long>(m), static_cast<long long>(n));
        next_row_ = 0;
        file_->read_exactly(next_ + rows * vectors_->dimensions * 4 - 1, 1, &last_, "a matrix");
    }

    bool read_rows(const Buffer& table, int64_t rows) {
        progress_.check_cancelled();
        const int64_t row_bytes = 4 * vectors_->dimensions,
                      count = std::min(rows - next_row_, std::max<int64_t>(1, kStepBytes / row_bytes));
        block_.resize(static_cast<size_t>(count * vectors_->dimensions));
        file_->read_exactly(next_, count * row_bytes, block_.data(), "a matrix");
        for (int64_t i = 0; i < count; i++) {
            float* row = table.floats() + (next_row_ + i) * vectors_->width;
            std::memcpy(row, block_.data() + i * vectors_->dimensions, static_cast<size_t>(row_bytes));
            std::fill(row + vectors_->dimensions, row + vectors_->width, 0.0f);
            check_finite_row(row, "with this row", next_ + i * row_bytes);
        }
        next_row_ += count;
        next_ += count * row_bytes;
        progress_.done.store(next_, std::memory_order_relaxed);
        return next_row_ < rows;
    }

    bool start_output() {
        output_rows_ = words_;
        take_shape(output_rows_);
        tables_->output = Buffer::sparse(static_cast<size_t>(output_rows_ * vectors_->width) * sizeof(float));
        return false;
    }

    bool end() {
        if (next_ != file_->size()) file_->fail_at(next_, "expected the end of the file");
        vectors_->fast_text = tables_;
        vectors_->inverse_norms.resize(static_cast<size_t>(words_));
        next_compose_.store(0);
        return false;
    }

    bool compose_some() {
        progress_.check_cancelled();
        constexpr int64_t kWords = 256;
        const int64_t begin = next_compose_.fetch_add(kWords);
        for (int64_t i = begin; i < std::min(words_, begin + kWords); i++) {
            float* row = vectors_->row(i);
            compose_vector(*vectors_, vectors_->words.word(i), row);
            std::fill(row + vectors_->dimensions, row + vectors_->width, 0.0f);
        }
        return begin + kWords < words_;
    }

    const std::shared_ptr<FastTextTables> tables_;
    int64_t next_ = 0, words_ = 0, pruned_ = -1, input_rows_ = 0, output_rows_ = 0, next_row_ = 0;
    std::atomic<int64_t> next_compose_{0};
    std::vector<float> block_;
    char last_ = 0;
};

}  // namespace

std::shared_ptr<VectorsReader> make_fast_text_reader(std::shared_ptr<const InputFile> file,
                                                     const ReadOptions& options) {
    return std::make_shared<FastTextReader>(std::move(file), options);
}

}  // namespace bertha::cpu
