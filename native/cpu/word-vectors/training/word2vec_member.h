// The state of one thread that trains word2vec or fastText.
#pragma once

#include <vector>

#include "cpu/isa/isa.h"
#include "cpu/word-vectors/training/word2vec.h"

namespace bertha::cpu {

// Neighbouring centre words that take their step together.
constexpr size_t kBatchCentres = 2;

// What one member has in hand.
struct Word2Vec::Member {
    std::vector<int32_t> numbers;  // of the slice
    size_t next_number = 0;
    int64_t slice_begin = 0;
    int32_t epoch = 0;
    float rate = 0.0f;

    struct Word {
        int32_t rank;
        int64_t token;  // its place in the corpus
    };
    struct Sentence {
        std::vector<Word> words;
        int32_t epoch = 0;
        float rate = 0.0f;
    };
    Sentence sentence, ahead;
    size_t centre = 0;  // of the sentence, prepared

    // The steps of a centre word: prepared one ahead, so that its rows are on their way to the caches.
    struct Centre {
        std::vector<float*> sources, targets;
        std::vector<float> labels;
        std::vector<int32_t> group_ends;  // of fastText's skip-gram: behind the targets of each context
        std::vector<size_t> source_ends;  // of CBOW's batch: behind the sources of each centre word
        std::vector<float> times;         // of a batch: WindowStep's
        size_t centres = 1;
        int64_t contexts = 0;
        int64_t token = 0;
        float rate = 0.0f;
    };
    Centre ready, next;
    bool has_begun = false, has_next = false;
    std::vector<float> scratch;
    Buffer hidden;           // of all of a batch
    Buffer gradient, start;  // of the hidden vector, which groups move

    double loss_sum = 0.0;
    int64_t loss_count = 0;
    const WordKernels& kernels = word_kernels();
};

}  // namespace bertha::cpu
