// Reads files of word vectors, of any form: word2vec's text and binary, GloVe's text, fastText's models.
// Ranges of a text are parsed by several threads straight into the matrix. Nothing is allocated for what a
// header promises before the file's size allows it.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "cpu/word-vectors/files/read_file.h"
#include "cpu/word-vectors/training/training_job.h"
#include "cpu/word-vectors/word_vectors.h"
#include "engine/pool/long_job.h"

namespace bertha::cpu {

enum class VectorsFormat { kAuto, kText, kBinary, kFastText };
enum class Header { kAuto, kThere, kAbsent };

struct ReadOptions {
    VectorsFormat format = VectorsFormat::kAuto;
    Header header = Header::kAuto;
    int64_t limit = INT64_MAX;      // words from the front
    bool refuses_bad_utf8 = false;  // else U+FFFD
    bool with_subwords = true;      // of fastText
    int threads = 1;
    std::string name;  // of the file, in errors
};

struct ReadReport {
    int64_t duplicates = 0;      // words that were there already: the first stays
    int64_t repaired_words = 0;  // that were not UTF-8
};

class VectorsReader {
public:
    virtual ~VectorsReader() = default;
    virtual std::vector<LongPhase> phases() = 0;
    std::shared_ptr<WordVectors> take_vectors() { return std::move(vectors_); }
    const ReadReport& report() const { return report_; }
    TrainingProgress& progress() { return progress_; }

protected:
    VectorsReader(std::shared_ptr<const InputFile> file, const ReadOptions& options)
        : file_(std::move(file)), options_(options), vectors_(std::make_shared<WordVectors>()) {}

    // Checks the numbers of a header against the file and makes room. `least_bytes`: of a word with its
    // vector.
    void set_shape(int64_t words, int64_t dimensions, int64_t least_bytes);
    // The next word, of row words().size() + duplicates; false where it was there already.
    bool add_word(std::string_view word, int64_t count, int64_t at, bool is_line);
    void check_finite_row(const float* row, std::string_view word, int64_t at) const;
    // Norms of all rows.
    LongPhase norms_phase();

    const std::shared_ptr<const InputFile> file_;
    const ReadOptions options_;
    std::shared_ptr<WordVectors> vectors_;
    ReadReport report_;
    TrainingProgress progress_;
    std::atomic<int64_t> next_rows_{0};
};

// Looks at the begin of a file and makes the reader for it. Throws IO, VECTORS_FORMAT, UNSAFE_FORMAT for
// pickles, DTYPE_UNSUPPORTED for quantized fastText models.
std::shared_ptr<VectorsReader> make_vectors_reader(const std::string& path, const ReadOptions& options);
std::shared_ptr<VectorsReader> make_text_reader(std::shared_ptr<const InputFile> file,
                                                const ReadOptions& options);
std::shared_ptr<VectorsReader> make_binary_reader(std::shared_ptr<const InputFile> file,
                                                  const ReadOptions& options);
std::shared_ptr<VectorsReader> make_fast_text_reader(std::shared_ptr<const InputFile> file,
                                                     const ReadOptions& options);

// "words dimensions", both whole numbers; -1 where it is something else.
struct HeaderLine {
    int64_t words = -1, dimensions = -1;
    bool is_header() const { return words >= 0; }
};
HeaderLine parse_header(std::string_view line);

}  // namespace bertha::cpu
