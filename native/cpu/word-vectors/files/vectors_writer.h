// Writes word vectors: beside the path first, and over it when all is written.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cpu/word-vectors/training/training_job.h"
#include "cpu/word-vectors/word_vectors.h"
#include "engine/pool/long_job.h"
#include "engine/system/file.h"

namespace bertha::cpu {

enum class WrittenFormat { kWord2Vec, kWord2VecBinary, kGlove, kFastText, kSafetensors, kVocabulary };

class VectorsWriter {
public:
    // Throws INVALID_ARG where the format cannot hold the vectors.
    VectorsWriter(std::shared_ptr<const WordVectors> vectors, const std::string& path, WrittenFormat format);
    ~VectorsWriter();
    VectorsWriter(const VectorsWriter&) = delete;
    VectorsWriter& operator=(const VectorsWriter&) = delete;

    // What they throw: IO with the path, ABORTED.
    std::vector<LongPhase> phases();
    TrainingProgress& progress() { return progress_; }

private:
    bool write_some();
    void discard();
    void begin();
    void append_row(const float* row);
    int64_t written_ngrams() const;
    void append_ngram(int64_t i);
    void append_word(int64_t i);
    void append_fast_text_begin();
    void append_safetensors_begin();
    void append_matrix_begin(int64_t rows);
    void flush();
    template <typename T>
    void append(const T& value) {
        block_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }

    const std::shared_ptr<const WordVectors> vectors_;
    const std::string path_;
    const WrittenFormat format_;
    std::string temporary_;
    File file_;
    int64_t written_ = 0;      // bytes
    bool is_settled_ = false;  // under its name, or removed
    int64_t next_ = 0, items_ = 0;
    std::string block_;
    TrainingProgress progress_;
};

}  // namespace bertha::cpu
