// What the settings do to the scores of one step, before a token is chosen: transformers' logits processors
// and warpers in their order, in double.
#pragma once

#include <unordered_map>

#include "generation/search_settings.h"

namespace bertha::generation {

// log(sum of exp(scores)); -inf where all scores are.
double log_sum_exp(const double* scores, int64_t count);

// The scores of what may follow one text: logits less a number, but for the few ids that a rule has touched.
class RowScores {
public:
    RowScores(const float* logits, double offset) : logits_(logits), offset_(offset) {}

    double at(int32_t id) const {
        const auto touched = touched_.find(id);
        if (touched != touched_.end()) return touched->second;
        return all_banned_ ? banned() : static_cast<double>(logits_[id]) - offset_;
    }
    bool is_touched(int32_t id) const { return touched_.count(id) > 0; }
    void set(int32_t id, double score) { touched_[id] = score; }
    void ban(int32_t id) { touched_[id] = banned(); }
    void ban_all() {
        all_banned_ = true;
        touched_.clear();
    }
    // Whether only touched ids are left.
    bool all_banned() const { return all_banned_; }
    const std::unordered_map<int32_t, double>& touched() const { return touched_; }

    static double banned();

private:
    const float* logits_;
    const double offset_;
    bool all_banned_ = false;
    std::unordered_map<int32_t, double> touched_;
};

// The rules for one prompt and source. A banned id gets -inf.
class ScoreRules {
public:
    // `source`: the encoder's ids, or the prompt where there is none.
    ScoreRules(const SearchSettings& settings, int64_t prompt_length, const Ids& source, int64_t vocab);

    // `scores`: logits (greedy, sampling) or log-probabilities (beams) of what follows `ids`, the text so far
    // with its prompt.
    void apply(const Ids& ids, RowScores& scores) const;
    // Whether a text of so many ids may not end yet, must begin or must end with certain ids, and the like:
    // the names of the settings that can ban every id, for an error.
    static const char* banning_settings();

private:
    void penalise_repetitions(const Ids& ids, RowScores& scores) const;
    void ban_ngrams(const Ids& ids, const Ids& among, int32_t n, RowScores& scores) const;
    void ban_words(const Ids& ids, RowScores& scores) const;

    const SearchSettings& settings_;
    const int64_t prompt_length_, vocab_;
    const Ids source_;
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
