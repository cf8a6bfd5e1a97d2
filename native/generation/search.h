// The search for one text: which hypotheses the decoder runs next, and what becomes of its logits. Knows
// nothing of the model: the job runs the rows and hands over what they give.
#pragma once

#include <memory>
#include <optional>

#include "engine/check.h"
#include "engine/decoding.h"
#include "generation/score_rules.h"

namespace bertha::generation {

// Why a text ended. kNone: it has not.
enum class Finish { kNone, kEos, kLength, kStop, kAbort, kDeadline };

// A text, whole or as far as it is.
struct Sequence {
    Ids ids;  // prompt included
    // Of each new id: its log-probability after the rules, and for beams which beam of its step it was added
    // to.
    std::vector<double> log_probabilities;
    Ids beams;
    double sum = 0;    // of log_probabilities
    double score = 0;  // sum / (new ids)^length_penalty
    Finish finish = Finish::kNone;
};

// A row to run: `token` goes on from row `parent` of the last step. At first there is one, with parent -1,
// which stands for the prompt: its last id's logits are wanted.
struct SearchRow {
    int32_t parent;
    int32_t token;
};

class Search final : public RowReader {
public:
    // `source`: the encoder's ids; empty for a decoder alone. Throws INVALID_IDS for an id that is not below
    // `vocab`, MAX_LENGTH where the prompt leaves no room.
    Search(SearchSettings settings, Ids prompt, const Ids& source, int64_t vocab);
    Search(const Search&) = delete;
    Search& operator=(const Search&) = delete;

    const std::vector<SearchRow>& rows() const { return rows_; }
    bool done() const { return rows_.empty(); }

    // What a row's logits [vocab] say; each row once before a step, any threads. Logits are overwritten.
    void read(int64_t row, float* logits) override;
    // Goes on, once all rows are read. Throws INVALID_OPTION where the settings ban every id, NON_FINITE for
    // NaN and +inf; the search cannot go on then.
    void step();
    // Ends what still runs: a text that `sequence` counts (not with beams), or all.
    void end(size_t sequence, Finish reason);
    void end_all(Finish reason);

    // Without beams: all texts, also while they grow, in the order of their numbers. With beams: the best,
    // once it is done.
    const std::vector<Sequence>& sequences() const { return sequences_; }
    const SearchSettings& settings() const { return settings_; }

private:
    struct Candidate {
        double sum, log_probability;
        int32_t beam, id;
    };

    // What a row's logits gave.
    struct RowResult {
        std::vector<Candidate> candidates;  // of beams; else one of each sequence that goes on from the row
        std::optional<Failure> failure;
    };
    // For draws.
    struct Dense {
        Warper warper;
        std::vector<double> scores;  // [vocab]
    };

    Candidate choose(size_t sequence, float* logits);
    Candidate draw_from(size_t sequence, const RowScores& scores, const float* logits);
    void consider(int32_t beam, float* logits, std::vector<Candidate>& candidates) const;
    void add_best(const RowScores& scores, float* masked, double offset, size_t count,
                  std::vector<Candidate>& candidates) const;
    double log_sum(const float* logits) const;
    double log_sum_of(const RowScores& scores, const float* masked, double offset) const;
    void refuse_if_all_banned(double log_sum) const;
    void step_sequences();
    void add(Sequence& sequence, const Candidate& chosen);
    void step_beams();
    void go_on_with_best();
    void finish_beam(Sequence sequence, Finish reason);
    bool has_hope() const;
    Sequence extended(const Sequence& from, const Candidate& candidate) const;
    bool is_eos(int32_t id) const;
    int64_t length() const { return prompt_length_ + steps_; }

    const SearchSettings settings_;
    const int64_t vocab_, prompt_length_;
    const ScoreRules rules_;
    int64_t steps_ = 0;
    std::vector<SearchRow> rows_;
    std::vector<Sequence> sequences_;
    std::vector<size_t> row_sequences_;  // without beams: which sequence each row goes on with; at first all
                                         // the one
    std::vector<Sequence> running_;      // beams, the best first
    std::vector<Sequence> finished_;     // beams, the best first
    size_t most_candidates_ = 0;
    std::vector<Candidate> candidates_;
    std::vector<RowResult> results_;  // by row
    std::vector<Dense> dense_;        // by sequence
};

}  // namespace bertha::generation
