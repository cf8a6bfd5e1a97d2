// word2vec (Mikolov et al. 2013) and fastText (Bojanowski et al. 2017): skip-gram and CBOW, with negative
// sampling or hierarchical softmax, with n-grams or without. Threads share the tables (hogwild.h); with one
// thread the result has the same bits every time.
//
// Skip-gram without n-grams takes a centre word and its whole window in one step, with one set of negatives:
// rows touched are m + T and not m · (1 + T), and the products are a small matrix. The context words are the
// input rows, the centre the target. Everything else is a mean of input rows, `hidden`, before its targets.
// With negatives and without n-grams neighbouring centre words share them in one step.
#pragma once

#include <memory>
#include <vector>

#include "cpu/word-vectors/corpus/vocabulary.h"
#include "cpu/word-vectors/training/huffman.h"
#include "cpu/word-vectors/training/sampling.h"
#include "cpu/word-vectors/training/training_job.h"
#include "cpu/word-vectors/word_vectors.h"
#include "engine/pool/long_job.h"

namespace bertha::cpu {

struct Word2VecOptions {
    bool skip_gram = true, hierarchical = false, cbow_mean = true, shrink_windows = true;
    int64_t dimensions = 100;
    int32_t window = 5, negative = 5, epochs = 5, threads = 1;
    double ns_exponent = 0.75, sample = 1e-3;
    float alpha = 0.025f, min_alpha = 1e-4f;
    uint64_t seed = 1;
    NgramOptions ngrams;  // fastText; none without buckets
    bool is_fast_text = false;
    int64_t available_bytes = 0;  // what the tables may take; 0: not known
};

class Word2Vec {
public:
    // `initial` (may be null): words that it has begin with its vectors, of the same dimensions.
    Word2Vec(std::shared_ptr<const Corpus> corpus, int64_t min_count, const Word2VecOptions& options,
             std::shared_ptr<const WordVectors> initial);
    ~Word2Vec();

    // All of the training, from the vocabulary on; what it throws: OUT_OF_MEMORY, ABORTED, NON_FINITE, IO.
    // The trainer must live as long.
    std::vector<LongPhase> phases();
    // After them.
    std::shared_ptr<WordVectors> take_vectors();
    TrainingProgress& progress() { return progress_; }

private:
    struct Member;

    bool make_vocabulary();
    bool make_tables();
    bool make_subwords();
    LongPhase rows_phase(void (Word2Vec::*body)(int64_t begin, int64_t end), const int64_t& rows);
    void start_rows(int64_t begin, int64_t end);
    void compose_rows(int64_t begin, int64_t end);
    void keep_tables();
    bool release();
    bool step(Member& member);
    bool advance(Member& member);
    bool next_sentence(Member& member);
    void read_sentence(Member& member);
    bool next_slice(Member& member);
    void finish_slice(Member& member);
    void prepare(Member& member, size_t index);
    void prepare_centre(Member& member, size_t index);
    void prepare_batch(Member& member, size_t index);
    struct Window {
        size_t begin, end;
    };
    Window window_of(const Member& member, size_t index, CounterRandom& random) const;
    bool is_batched() const { return !options_.is_fast_text && !options_.hierarchical; }
    void append_windows(Member& member, size_t index, const Window* windows);
    void append_means(Member& member, size_t index, const Window* windows);
    double sampled_loss(const Member& member, int64_t count) const;
    void append_path(Member& member, int32_t word);
    void append_samples(Member& member, int32_t word, CounterRandom& random);
    void append_negatives(Member& member, size_t first, CounterRandom& random);
    void push_hidden(Member& member);
    void push_batch(Member& member);
    void compute(Member& member);
    void check_finite(const float* row) const;
    float rate_at(int32_t epoch, int64_t position) const;
    float* input_row(int64_t i) const { return input_.floats() + i * width_; }
    float* output_row(int64_t i) const { return output_.floats() + i * width_; }

    const std::shared_ptr<const Corpus> corpus_;
    const Word2VecOptions options_;
    const std::shared_ptr<const WordVectors> initial_;
    const int64_t width_;
    VocabularyBuilder vocabulary_builder_;
    Vocabulary vocabulary_;
    int64_t next_initial_ = 0, next_subwords_ = 0;
    int64_t words_ = 0, input_rows_ = 0;
    Buffer input_, output_;
    std::unique_ptr<AliasSampler> negatives_;
    HuffmanTree tree_;
    std::vector<uint32_t> keep_;          // an occurrence is kept where 32 random bits are at most this
    std::vector<int64_t> subword_begin_;  // [words + 1]
    std::vector<int32_t> subword_rows_;   // of a word: its own row, then its n-grams'
    NgramRows ngram_rows_{0};             // of those that a word has
    std::vector<std::unique_ptr<Member>> members_;
    std::atomic<int64_t> next_slice_{0};
    std::shared_ptr<WordVectors> vectors_;
    TrainingProgress progress_;
};

}  // namespace bertha::cpu
