#include "cpu/word-vectors/files/vectors_writer.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "cpu/word-vectors/abandoned_files.h"
#include "engine/check.h"
#include "engine/system/system_error.h"

namespace bertha::cpu {
namespace {

constexpr size_t kBlockBytes = size_t{1} << 20;
constexpr int32_t kFastTextMagic = 793712314, kFastTextVersion = 12;
constexpr const char* kPartMark = ".part-";

// Bytes that no word may hold in a format; zero bytes end words in some.
struct Forbidden {
    std::string_view bytes;
    const char* name;
};

Forbidden forbidden_in(WrittenFormat format) {
    switch (format) {
        case WrittenFormat::kWord2VecBinary: return {" \n", "blanks and line ends"};
        case WrittenFormat::kFastText:
        case WrittenFormat::kSafetensors: return {{"\0", 1}, "zero bytes"};
        default: return {"\n", "line ends"};
    }
}

// Removes what processes that were killed have left of earlier writings of the path.
void remove_earlier(const std::string& path) {
    const size_t name = name_begin(path);
    remove_abandoned(name == 0 ? "./" : path.substr(0, name), path.substr(name) + kPartMark);
}

}  // namespace

VectorsWriter::VectorsWriter(std::shared_ptr<const WordVectors> vectors, const std::string& path,
                             WrittenFormat format)
    : vectors_(std::move(vectors)), path_(path), format_(format) {
    BERTHA_CHECK(format != WrittenFormat::kFastText ||
                     (vectors_->fast_text != nullptr && vectors_->fast_text->output.bytes() > 0),
                 "INVALID_ARG", "expected vectors of fastText for a model of fastText");
    const Forbidden forbidden = forbidden_in(format);
    for (int64_t i = 0; i < vectors_->size(); i++)
        BERTHA_CHECK(vectors_->words.word(i).find_first_of(forbidden.bytes) == std::string_view::npos,
                     "INVALID_ARG", "expected words without %s for this format, got word %lld: %.60s",
                     forbidden.name, static_cast<long long>(i), std::string(vectors_->words.word(i)).c_str());
    items_ = vectors_->size();
    if (format == WrittenFormat::kSafetensors) items_ *= 2;  // words, then rows
    if (format == WrittenFormat::kFastText) items_ = 3 * items_ + written_ngrams();
    remove_earlier(path);
    // Beside the path; the process's number and one of its own tell writings of the same path apart.
    file_ = make_unique_file(path + kPartMark, File::Mode::kCreate, temporary_);
    BERTHA_CHECK(file_.is_open(), "IO", "cannot write %s: %s", path.c_str(), system_error(errno).c_str());
}

VectorsWriter::~VectorsWriter() { discard(); }

void VectorsWriter::discard() {
    file_.close();
    if (!std::exchange(is_settled_, true)) remove_file(temporary_);
}

std::vector<LongPhase> VectorsWriter::phases() {
    return {{1, [this](int) {
                 try {
                     return write_some();
                 } catch (...) {
                     discard();
                     throw;
                 }
             }}};
}

void VectorsWriter::append_row(const float* row) {
    block_.append(reinterpret_cast<const char*>(row),
                  static_cast<size_t>(vectors_->dimensions) * sizeof(float));
}

// A file has a row for every n-gram, or is pruned.
int64_t VectorsWriter::written_ngrams() const {
    const FastTextTables& tables = *vectors_->fast_text;
    return tables.has_zero_rows ? tables.ngrams.buckets : tables.ngram_rows;
}

void VectorsWriter::append_ngram(int64_t i) {
    const FastTextTables& tables = *vectors_->fast_text;
    const int64_t row = tables.has_zero_rows ? tables.ngram_row(static_cast<int32_t>(i)) : i;
    if (row >= 0) return append_row(tables.input.floats() + (vectors_->size() + row) * vectors_->width);
    block_.append(static_cast<size_t>(vectors_->dimensions) * sizeof(float), '\0');
}

void VectorsWriter::append_word(int64_t i) {
    const std::string_view word = vectors_->words.word(i);
    switch (format_) {
        case WrittenFormat::kVocabulary:
            block_.append(word).append(" ").append(std::to_string(vectors_->words.count(i))).append("\n");
            return;
        case WrittenFormat::kWord2VecBinary:
            block_.append(word).append(" ");
            return append_row(vectors_->row(i));
        default: break;
    }
    block_.append(word);
    char number[32];
    for (int64_t z = 0; z < vectors_->dimensions; z++) {
        const auto result = std::to_chars(number, number + sizeof number, vectors_->row(i)[z]);
        block_.append(" ").append(number, result.ptr);
    }
    block_.append("\n");
}

void VectorsWriter::append_matrix_begin(int64_t rows) {
    append(uint8_t{0});
    append(rows);
    append(vectors_->dimensions);
}

void VectorsWriter::append_fast_text_begin() {
    const FastTextTables& tables = *vectors_->fast_text;
    const auto words = static_cast<int32_t>(vectors_->size());
    int64_t tokens = 0;
    for (int64_t i = 0; i < words; i++) tokens += vectors_->words.count(i);
    append(kFastTextMagic);
    append(kFastTextVersion);
    constexpr int32_t kWindow = 5, kEpochs = 5, kMinCount = 1, kNegative = 5, kWordNgrams = 1,
                      kNegativeLoss = 2, kSkipGram = 2, kUpdates = 100;
    for (const int32_t value :
         {static_cast<int32_t>(vectors_->dimensions), kWindow, kEpochs, kMinCount, kNegative, kWordNgrams,
          kNegativeLoss, kSkipGram, static_cast<int32_t>(tables.ngrams.buckets), tables.ngrams.min_n,
          tables.ngrams.max_n, kUpdates})
        append(value);
    append(1e-4);
    append(words);
    append(words);
    append(int32_t{0});
    append(tokens);
    append(tables.is_pruned ? static_cast<int64_t>(tables.kept_rows.size()) : int64_t{-1});
    for (int64_t i = 0; i < words; i++) {
        block_.append(vectors_->words.word(i)).append(1, '\0');
        append(vectors_->words.count(i));
        append(uint8_t{0});
        if (block_.size() > kBlockBytes) flush();
    }
    for (size_t i = 0; tables.is_pruned && i < tables.kept_rows.size(); i++) {
        append(tables.kept_hashes[i]);
        append(tables.kept_rows[i]);
    }
}

// `words` is one block of UTF-8, a zero byte behind each word.
void VectorsWriter::append_safetensors_begin() {
    int64_t word_bytes = 0;
    for (int64_t i = 0; i < vectors_->size(); i++)
        word_bytes += static_cast<int64_t>(vectors_->words.word(i).size()) + 1;
    const int64_t counts = 8 * vectors_->size(), rows = 4 * vectors_->size() * vectors_->dimensions;
    const auto tensor = [](const char* name, const char* dtype, const std::string& shape, int64_t begin,
                           int64_t end) {
        return std::string("\"") + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":[" + shape +
               "],\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(end) + "]}";
    };
    std::string header = "{" +
                         tensor("vectors", "F32",
                                std::to_string(vectors_->size()) + "," + std::to_string(vectors_->dimensions),
                                0, rows) +
                         "," +
                         tensor("counts", "I64", std::to_string(vectors_->size()), rows, rows + counts) +
                         "," +
                         tensor("words", "U8", std::to_string(word_bytes), rows + counts,
                                rows + counts + word_bytes) +
                         "}";
    header.resize((header.size() + 7) / 8 * 8, ' ');
    append(static_cast<uint64_t>(header.size()));
    block_ += header;
}

void VectorsWriter::begin() {
    if (format_ == WrittenFormat::kWord2Vec || format_ == WrittenFormat::kWord2VecBinary)
        block_ += std::to_string(vectors_->size()) + " " + std::to_string(vectors_->dimensions) + "\n";
    if (format_ == WrittenFormat::kFastText) append_fast_text_begin();
    if (format_ == WrittenFormat::kSafetensors) append_safetensors_begin();
}

bool VectorsWriter::write_some() {
    progress_.check_cancelled();
    if (next_ == 0) begin();
    const int64_t words = vectors_->size();
    const FastTextTables* tables = vectors_->fast_text.get();
    for (; next_ < items_ && block_.size() < kBlockBytes; next_++) {
        if (format_ == WrittenFormat::kSafetensors) {
            if (next_ == words)
                for (int64_t i = 0; i < words; i++) append(vectors_->words.count(i));
            if (next_ < words)
                append_row(vectors_->row(next_));
            else
                block_.append(vectors_->words.word(next_ - words)).append(1, '\0');
        } else if (format_ == WrittenFormat::kFastText) {
            const int64_t inputs = words + written_ngrams(), row = next_ - words;
            if (row < 0) continue;  // the words stand in the begin
            if (row == 0) append_matrix_begin(inputs);
            if (row == inputs) append_matrix_begin(words);
            if (row < words)
                append_row(tables->input.floats() + row * vectors_->width);
            else if (row < inputs)
                append_ngram(row - words);
            else
                append_row(tables->output.floats() + (row - inputs) * vectors_->width);
        } else {
            append_word(next_);
        }
    }
    flush();
    if (next_ < items_) return true;
    is_settled_ = file_.sync() && file_.close() && rename_file(temporary_, path_);
    BERTHA_CHECK(is_settled_, "IO", "cannot write %s: %s", path_.c_str(), system_error(errno).c_str());
    return false;
}

void VectorsWriter::flush() {
    const auto bytes = static_cast<int64_t>(block_.size());
    BERTHA_CHECK(file_.write_at(written_, block_.data(), bytes), "IO",
                 "cannot write %zu more bytes to %s: %s", block_.size(), path_.c_str(),
                 system_error(errno).c_str());
    written_ += bytes;
    block_.clear();
}

}  // namespace bertha::cpu
