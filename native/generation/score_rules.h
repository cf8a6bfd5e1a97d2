// What the settings do to the scores of one step, before a token is chosen: transformers' logits processors
// and warpers in their order, in double.
#pragma once

#include "generation/search_settings.h"

namespace bertha::generation {

// log(sum of exp(scores)); -inf where all scores are.
double log_sum_exp(const double* scores, int64_t count);

// The rules for one prompt and source. `scores` [vocab]: logits (greedy, sampling) or log-probabilities
// (beams) of what follows `ids`, the text so far with its prompt. A banned id gets -inf.
class ScoreRules {
public:
    // `source`: the encoder's ids, or the prompt where there is none.
    ScoreRules(const SearchSettings& settings, int64_t prompt_length, const Ids& source, int64_t vocab);

    void apply(const Ids& ids, double* scores);
    // Whether a text of so many ids may not end yet, must begin or must end with certain ids, and the like:
    // the names of the settings that can ban every id, for an error.
    static const char* banning_settings();

private:
    void penalise_repetitions(const Ids& ids, double* scores);
    void ban_ngrams(const Ids& ids, const Ids& among, int32_t n, double* scores) const;
    void ban_words(const Ids& ids, double* scores) const;
    void force(const Ids& forced, double* scores) const;
    void ban(const Ids& banned, double* scores) const;

    const SearchSettings& settings_;
    const int64_t prompt_length_, vocab_;
    const Ids source_;
    std::vector<bool> penalised_;  // [vocab], all false between calls; empty without a penalty
};

// What sampling leaves of the scores: temperature, top_k, top_p, min_p, typical_p.
class Warper {
public:
    Warper(const SearchSettings& settings, int64_t vocab);
    void apply(double* scores);

private:
    void keep_top_k(double* scores);
    void keep_top_p(double* scores);
    void keep_min_p(double* scores);
    void keep_typical(double* scores);
    // Into order_ and sorted_: the ids that are not banned.
    void collect(const double* scores);

    const SearchSettings& settings_;
    const int64_t vocab_;
    Ids order_;
    std::vector<double> sorted_;
};

// The first id, in order of ids, whose cumulative probability exceeds u; scores as logits, not all banned.
int32_t draw(const double* scores, int64_t vocab, double u);

}  // namespace bertha::generation
