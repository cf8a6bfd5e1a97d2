#include "generation/search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/isa/isa.h"
#include "generation/uniform.h"

namespace bertha::generation {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void check_ids(const Ids& ids, int64_t vocab, const char* what) {
    for (const int32_t id : ids)
        BERTHA_CHECK(id >= 0 && id < vocab, "INVALID_IDS", "expected ids from 0 to %lld for %s, got %d",
                     static_cast<long long>(vocab - 1), what, id);
}

void check_settings(const SearchSettings& settings, const Ids& prompt, int64_t vocab) {
    BERTHA_CHECK(!prompt.empty(), "INVALID_IDS", "expected at least one id for the prompt, got none");
    BERTHA_CHECK(static_cast<int64_t>(prompt.size()) < settings.max_length, "MAX_LENGTH",
                 "expected a prompt of less than %d ids, got %zu", settings.max_length, prompt.size());
    BERTHA_CHECK(settings.num_beams >= 1 && settings.num_return_sequences >= 1, "INVALID_OPTION",
                 "expected at least one beam and one text, got %d and %d", settings.num_beams,
                 settings.num_return_sequences);
    check_ids(prompt, vocab, "the prompt");
    for (const Ids& word : settings.bad_words) {
        BERTHA_CHECK(!word.empty(), "INVALID_IDS",
                     "expected at least one id for a word of badWordsIds, got none");
        check_ids(word, vocab, "badWordsIds");
    }
    if (settings.forced_bos >= 0) check_ids({settings.forced_bos}, vocab, "forcedBosTokenId");
    check_ids(settings.forced_eos, vocab, "forcedEosTokenId");
    check_ids(settings.suppress_tokens, vocab, "suppressTokens");
    check_ids(settings.begin_suppress_tokens, vocab, "beginSuppressTokens");
    check_ids(settings.eos, vocab, "eosTokenId");
}

// Larger sums first; equal ones stay in order: lower beam, then lower id.
template <typename Candidate>
bool is_better(const Candidate& a, const Candidate& b) {
    if (a.sum != b.sum) return a.sum > b.sum;
    return a.beam != b.beam ? a.beam < b.beam : a.id < b.id;
}

}  // namespace

Search::Search(SearchSettings settings, Ids prompt, const Ids& source, int64_t vocab)
    : settings_(std::move(settings)),
      vocab_(vocab),
      prompt_length_(static_cast<int64_t>(prompt.size())),
      rules_(settings_, prompt_length_, source.empty() ? prompt : source, vocab) {
    check_settings(settings_, prompt, vocab);
    rows_ = {{-1, prompt.back()}};
    results_.resize(static_cast<size_t>(std::max(settings_.num_beams, settings_.num_return_sequences)));
    Sequence start;
    start.ids = std::move(prompt);
    if (settings_.num_beams > 1) {
        const size_t ends = std::max<size_t>(2, 1 + settings_.eos.size());
        most_candidates_ = ends * static_cast<size_t>(settings_.num_beams);
        running_ = {std::move(start)};
        return;
    }
    const size_t count = settings_.do_sample ? static_cast<size_t>(settings_.num_return_sequences) : 1;
    sequences_.assign(count, start);
    for (size_t i = 0; i < count; i++) row_sequences_.push_back(i);
    for (size_t i = 0; settings_.do_sample && i < count; i++)
        dense_.push_back({Warper(settings_, vocab), std::vector<double>(static_cast<size_t>(vocab))});
}

void Search::read(int64_t row, float* logits) {
    RowResult& result = results_[static_cast<size_t>(row)];
    result.candidates.clear();
    result.failure = failure_of(
        [&] {
            if (settings_.num_beams > 1)
                return consider(static_cast<int32_t>(row), logits, result.candidates);
            if (steps_ > 0)
                return result.candidates.push_back(choose(row_sequences_[static_cast<size_t>(row)], logits));
            // The prompt's row is all sequences'.
            for (const size_t sequence : row_sequences_)
                result.candidates.push_back(choose(sequence, logits));
        },
        "the system has no memory left for this text");
}

void Search::step() {
    for (size_t row = 0; row < rows_.size(); row++)
        if (results_[row].failure) throw Error(results_[row].failure->code, results_[row].failure->message);
    settings_.num_beams > 1 ? step_beams() : step_sequences();
}

void Search::end(size_t sequence, Finish reason) {
    const auto at = std::find(row_sequences_.begin(), row_sequences_.end(), sequence);
    if (at == row_sequences_.end()) return;
    sequences_[sequence].finish = reason;
    // The prompt's row is all sequences' until the first step.
    if (steps_ > 0 || row_sequences_.size() == 1) rows_.erase(rows_.begin() + (at - row_sequences_.begin()));
    row_sequences_.erase(at);
}

void Search::end_all(Finish reason) {
    if (done()) return;
    rows_.clear();
    row_sequences_.clear();
    for (Sequence& sequence : sequences_)
        if (sequence.finish == Finish::kNone) sequence.finish = reason;
    // Beams that are not finished stand behind those that are.
    const auto wanted = static_cast<size_t>(settings_.num_return_sequences);
    if (settings_.num_beams == 1) return;
    for (Sequence& beam : running_) {
        if (finished_.size() >= wanted) break;
        beam.score = steps_ == 0 ? 0
                                 : beam.sum / std::pow(static_cast<double>(steps_), settings_.length_penalty);
        beam.finish = reason;
        finished_.push_back(std::move(beam));
    }
    running_.clear();
    sequences_ = std::move(finished_);
    sequences_.resize(std::min(sequences_.size(), wanted));
}

double Search::log_sum(const float* logits) const {
    const double sum = cpu::kernels().wide_log_sum(logits, vocab_);
    BERTHA_CHECK(!std::isnan(sum), "NON_FINITE",
                 "expected finite logits for token %lld of the text, got NaN or infinity",
                 static_cast<long long>(steps_ + 1));
    return sum;
}

// log(sum of exp(scores)). masked: the logits, -inf where a rule has touched them.
double Search::log_sum_of(const RowScores& scores, const float* masked, double offset) const {
    std::vector<double> parts;
    if (!scores.all_banned()) parts.push_back(log_sum(masked) - offset);
    // In the order of ids: that of a hash table is its own.
    std::vector<int32_t> ids;
    for (const auto& [id, score] : scores.touched())
        if (score != -kInfinity) ids.push_back(id);
    std::sort(ids.begin(), ids.end());
    for (const int32_t id : ids) parts.push_back(scores.at(id));
    return parts.empty() ? -kInfinity : log_sum_exp(parts.data(), static_cast<int64_t>(parts.size()));
}

void Search::refuse_if_all_banned(double log_sum) const {
    BERTHA_CHECK(
        log_sum != -kInfinity, "INVALID_OPTION",
        "expected at least one id that may be written as token %lld of the text, but %s ban all %lld",
        static_cast<long long>(steps_ + 1), ScoreRules::banning_settings(), static_cast<long long>(vocab_));
}

bool Search::is_eos(int32_t id) const {
    return std::find(settings_.eos.begin(), settings_.eos.end(), id) != settings_.eos.end();
}

void Search::step_sequences() {
    const bool is_first = steps_ == 0;
    const size_t running = row_sequences_.size();
    for (size_t i = 0; i < running; i++)
        add(sequences_[row_sequences_[i]], is_first ? results_[0].candidates[i] : results_[i].candidates[0]);
    steps_++;
    rows_.clear();
    size_t left = 0;
    for (size_t i = 0; i < running; i++) {
        const Sequence& sequence = sequences_[row_sequences_[i]];
        if (sequence.finish != Finish::kNone) continue;
        rows_.push_back({static_cast<int32_t>(is_first ? 0 : i), sequence.ids.back()});
        row_sequences_[left++] = row_sequences_[i];
    }
    row_sequences_.resize(left);
}

// What follows one sequence: the likeliest id, of equal ones the lowest, or one that is drawn.
Search::Candidate Search::choose(size_t sequence, float* logits) {
    RowScores scores(logits, 0);
    rules_.apply(sequences_[sequence].ids, scores);
    if (settings_.do_sample) return draw_from(sequence, scores, logits);
    for (const auto& each : scores.touched()) {
        BERTHA_CHECK(!std::isnan(each.second), "NON_FINITE",
                     "expected finite logits for token %lld of the text, got NaN",
                     static_cast<long long>(steps_ + 1));
        logits[each.first] = static_cast<float>(-kInfinity);
    }
    const double sum = log_sum_of(scores, logits, 0);
    refuse_if_all_banned(sum);
    std::vector<Candidate> best;
    add_best(scores, logits, 0, 1, best);
    best.front().log_probability = best.front().sum - sum;
    return best.front();
}

Search::Candidate Search::draw_from(size_t sequence, const RowScores& scores, const float* logits) {
    Dense& dense = dense_[sequence];
    double* all = dense.scores.data();
    log_sum(logits);
    for (int64_t i = 0; i < vocab_; i++)
        all[i] = scores.all_banned() ? -kInfinity : static_cast<double>(logits[i]);
    for (const auto& [id, score] : scores.touched()) all[id] = score;
    dense.warper.apply(all);
    const double sum = log_sum_exp(all, vocab_);
    refuse_if_all_banned(sum);
    const auto step = static_cast<size_t>(steps_);
    const double u = step < settings_.uniforms.size()
                         ? settings_.uniforms[step]
                         : uniform(settings_.seed, static_cast<uint32_t>(sequence),
                                   static_cast<uint32_t>(step));
    const int32_t id = draw(all, vocab_, u);
    return {all[id], all[id] - sum, 0, id};
}

// The `count` best scores, with -inf for none that is banned. masked: see log_sum_of.
void Search::add_best(const RowScores& scores, float* masked, double offset, size_t count,
                      std::vector<Candidate>& candidates) const {
    if (!scores.all_banned()) {
        std::vector<float> values(count);
        Ids ids(count);
        const int64_t found = cpu::kernels().best(masked, vocab_, static_cast<int64_t>(count), values.data(),
                                                  ids.data());
        for (size_t i = 0; i < static_cast<size_t>(found); i++)
            candidates.push_back({static_cast<double>(values[i]) - offset, 0, 0, ids[i]});
    }
    for (const auto& [id, score] : scores.touched())
        if (score != -kInfinity) candidates.push_back({score, 0, 0, id});
    std::sort(candidates.begin(), candidates.end(), is_better<Candidate>);
    if (candidates.size() > count) candidates.resize(count);
}

void Search::add(Sequence& sequence, const Candidate& chosen) {
    sequence.ids.push_back(chosen.id);
    sequence.log_probabilities.push_back(chosen.log_probability);
    sequence.sum += chosen.log_probability;
    sequence.score = sequence.sum / std::pow(static_cast<double>(steps_ + 1), settings_.length_penalty);
    if (is_eos(sequence.ids.back()))
        sequence.finish = Finish::kEos;
    else if (static_cast<int64_t>(sequence.ids.size()) >= settings_.max_length)
        sequence.finish = Finish::kLength;
}

void Search::step_beams() {
    candidates_.clear();
    for (size_t beam = 0; beam < running_.size(); beam++)
        candidates_.insert(candidates_.end(), results_[beam].candidates.begin(),
                           results_[beam].candidates.end());
    refuse_if_all_banned(candidates_.empty() ? -kInfinity : 0);
    std::sort(candidates_.begin(), candidates_.end(), is_better<Candidate>);
    if (candidates_.size() > most_candidates_) candidates_.resize(most_candidates_);
    go_on_with_best();
    if (!running_.empty() && has_hope()) return;
    rows_.clear();
    running_.clear();
    sequences_ = std::move(finished_);
    sequences_.resize(std::min(sequences_.size(), static_cast<size_t>(settings_.num_return_sequences)));
}

// The best candidates of one beam.
void Search::consider(int32_t beam, float* logits, std::vector<Candidate>& candidates) const {
    const Sequence& from = running_[static_cast<size_t>(beam)];
    const double sum = log_sum(logits);
    if (sum == -kInfinity) return;
    RowScores scores(logits, sum);
    rules_.apply(from.ids, scores);
    for (const auto& each : scores.touched()) logits[each.first] = static_cast<float>(-kInfinity);
    // Summed up again: a difference would lose what is left of a probability near 1.
    const double left = settings_.renormalize_logits ? log_sum_of(scores, logits, sum) : 0;
    if (left == -kInfinity) return;
    add_best(scores, logits, sum, most_candidates_, candidates);
    for (Candidate& each : candidates) {
        each.log_probability = each.sum - left;
        each.sum = from.sum + each.log_probability;
        each.beam = beam;
    }
}

// A candidate that ends is finished only if it is among the first num_beams; the best that do not end go on.
void Search::go_on_with_best() {
    const auto beams = static_cast<size_t>(settings_.num_beams);
    const bool is_last = length() + 1 >= settings_.max_length;
    std::vector<Sequence> next;
    next.reserve(beams);
    rows_.clear();
    steps_++;
    for (size_t i = 0; i < candidates_.size(); i++) {
        const Candidate& candidate = candidates_[i];
        const Sequence& from = running_[static_cast<size_t>(candidate.beam)];
        const bool ends = is_eos(candidate.id);
        if (ends || is_last) {
            if (i < beams) finish_beam(extended(from, candidate), ends ? Finish::kEos : Finish::kLength);
        } else if (next.size() < beams) {
            next.push_back(extended(from, candidate));
            rows_.push_back({candidate.beam, candidate.id});
        }
    }
    running_ = std::move(next);
}

Sequence Search::extended(const Sequence& from, const Candidate& candidate) const {
    Sequence sequence = from;
    sequence.ids.push_back(candidate.id);
    sequence.log_probabilities.push_back(candidate.log_probability);
    sequence.beams.push_back(candidate.beam);
    sequence.sum = candidate.sum;
    return sequence;
}

// The best num_beams are kept, the earlier first of equal ones.
void Search::finish_beam(Sequence sequence, Finish reason) {
    sequence.score = sequence.sum / std::pow(static_cast<double>(steps_), settings_.length_penalty);
    sequence.finish = reason;
    const auto place = std::find_if(finished_.begin(), finished_.end(), [&sequence](const Sequence& other) {
        return sequence.score > other.score;
    });
    finished_.insert(place, std::move(sequence));
    if (finished_.size() > static_cast<size_t>(settings_.num_beams)) finished_.pop_back();
}

// Whether a beam that runs may still become better than the worst of the finished.
bool Search::has_hope() const {
    if (finished_.size() < static_cast<size_t>(settings_.num_beams)) return true;
    if (settings_.early_stopping == EarlyStopping::kWhenFull) return false;
    const bool longest = settings_.early_stopping == EarlyStopping::kNever && settings_.length_penalty > 0;
    const int64_t tokens = longest ? settings_.max_length - prompt_length_ : steps_;
    return running_.front().sum / std::pow(static_cast<double>(tokens), settings_.length_penalty) >
           finished_.back().score;
}

}  // namespace bertha::generation
