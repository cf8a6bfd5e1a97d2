// GloVe (Pennington, Socher and Manning 2014). Words are dealt into blocks, and the co-occurrences into the
// cells of a square of blocks. A round takes cells that share neither a row nor a column of the square:
// threads take one each and touch no row of another. A cell's records have an order of its own, so that the
// result has the same bits for any number of threads, and a cell's rows stay in the caches.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "cpu/word-vectors/corpus/vocabulary.h"
#include "cpu/word-vectors/glove/cooccurrences.h"
#include "cpu/word-vectors/training/training_job.h"
#include "cpu/word-vectors/word_kernels.h"
#include "cpu/word-vectors/word_vectors.h"
#include "engine/pool/long_job.h"

namespace bertha::cpu {

struct GloveOptions {
    int64_t dimensions = 100;
    int32_t epochs = 25, threads = 1;
    float x_max = 100.0f, alpha = 0.75f, eta = 0.05f;
    uint64_t seed = 1;
    Cooccurrences::Options counting;
};

class Glove {
public:
    Glove(std::shared_ptr<const Corpus> corpus, int64_t min_count, const GloveOptions& options);

    // All of the training, from the vocabulary on; what it throws: OUT_OF_MEMORY, ABORTED, NON_FINITE, IO.
    // The trainer must live as long.
    std::vector<LongPhase> phases();
    // After them: word and context vectors added.
    std::shared_ptr<WordVectors> take_vectors();
    TrainingProgress& progress() { return progress_; }

private:
    // Of a cell; words by their places in the cell's blocks.
    using Record = GloveRecord;
    static constexpr auto kRecordBytes = static_cast<int64_t>(sizeof(Record));
    // What a member has of the cell that it trains on.
    struct Member {
        int64_t block = 0, context_block = 0;
        int64_t next = 0, end = 0;  // records in the file
        std::vector<Record> records;
        size_t next_record = 0;
    };
    bool make_vocabulary();
    bool count_some();
    bool start_cells();
    bool measure_cells();
    bool deal_some();
    bool flush_some();
    bool shuffle_cell();
    int64_t cell_of(const Cooccurrence& pair) const;
    void read_records(int64_t begin, int64_t end, std::vector<Record>& records) const;
    bool start_rows();
    std::vector<LongPhase> rounds_of(int32_t epoch);
    LongPhase round(int32_t epoch, int64_t diagonal);
    bool next_cell(Member& member, std::atomic<int64_t>& next, int64_t diagonal);
    bool train_some(Member& member);
    bool add_contexts();
    bool release();
    std::vector<int64_t> order_of(uint64_t stream, uint64_t number, int64_t count) const;
    // The rows of a block lie together, in the order of its words.
    int64_t begin_of(int64_t block) const {
        return block * (words_ / blocks_) + std::min(block, words_ % blocks_);
    }
    int64_t place_of(int64_t word) const { return begin_of(word % blocks_) + word / blocks_; }
    float* row(const Buffer& table, int64_t place) const { return table.floats() + place * width_; }

    const std::shared_ptr<const Corpus> corpus_;
    const GloveOptions options_;
    const int64_t width_;
    VocabularyBuilder vocabulary_builder_;
    Vocabulary vocabulary_;
    int64_t words_ = 0, blocks_ = 0;
    std::unique_ptr<Cooccurrences> counts_;
    size_t next_slice_ = 0, next_number_ = 0;
    std::vector<int32_t> numbers_, sentence_;
    bool is_sentence_whole_ = false;
    std::unique_ptr<TempFile> file_;   // the records, cell by cell
    std::vector<int64_t> cell_begin_;  // [blocks * blocks + 1] records
    // While records are dealt: what of each cell is not in the file yet, and where it goes.
    std::vector<std::vector<Record>> open_cells_;
    std::vector<int64_t> cell_end_;
    int64_t open_records_ = 0;
    size_t next_flushed_ = 0;
    bool is_flushing_ = false, is_dealt_ = false;
    size_t next_cell_ = 0;
    std::vector<Member> members_;
    Buffer words_table_, word_sums_, contexts_table_, context_sums_;
    std::atomic<int64_t> next_rows_{0};
    int64_t next_added_ = 0;
    std::shared_ptr<WordVectors> vectors_;
    TrainingProgress progress_;
};

}  // namespace bertha::cpu
