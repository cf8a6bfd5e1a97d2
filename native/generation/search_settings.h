// How a text is searched for. Names and neutral values are those of transformers' GenerationConfig.
#pragma once

#include <cstdint>
#include <vector>

namespace bertha::generation {

using Ids = std::vector<int32_t>;

// When a beam search ends: as soon as all beams are finished, when no better text is likely, when none is
// possible.
enum class EarlyStopping { kWhenFull, kWhenUnlikely, kNever };

struct SearchSettings {
    int32_t max_length = 0;  // most ids, prompt included
    int32_t min_length = 0;
    int32_t num_beams = 1;
    int32_t num_return_sequences = 1;
    double length_penalty = 1;
    EarlyStopping early_stopping = EarlyStopping::kWhenUnlikely;
    bool do_sample = false;
    double temperature = 1;
    int32_t top_k = 0;  // 0: all
    double top_p = 1;
    double min_p = 0;
    double typical_p = 1;
    double repetition_penalty = 1;
    int32_t no_repeat_ngram_size = 0;  // 0: no such rule
    int32_t encoder_no_repeat_ngram_size = 0;
    std::vector<Ids> bad_words;
    int32_t forced_bos = -1;  // -1: none
    Ids forced_eos;
    Ids suppress_tokens;
    Ids begin_suppress_tokens;
    bool renormalize_logits = false;
    Ids eos;
    uint64_t seed = 0;
    std::vector<double> uniforms;  // where there are any: one a step, drawn with instead of the seed's
};

}  // namespace bertha::generation
