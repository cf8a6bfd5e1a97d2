#include "generation/search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/check.h"
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
      rules_(settings_, prompt_length_, source.empty() ? prompt : source, vocab),
      warper_(settings_, vocab) {
    check_settings(settings_, prompt, vocab);
    rows_ = {{-1, prompt.back()}};
    scores_.resize(static_cast<size_t>(vocab));
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
}

void Search::step(const float* logits, int64_t stride) {
    settings_.num_beams > 1 ? step_beams(logits, stride) : step_sequences(logits, stride);
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

// Into scores_, with NaN and infinity refused: whatever follows would hide them.
void Search::read_logits(const float* logits) {
    bool finite = true;
    for (int64_t i = 0; i < vocab_; i++) {
        finite &= logits[i] < std::numeric_limits<float>::infinity();
        scores_[static_cast<size_t>(i)] = static_cast<double>(logits[i]);
    }
    BERTHA_CHECK(finite, "NON_FINITE",
                 "expected finite logits for token %lld of the text, got NaN or infinity",
                 static_cast<long long>(steps_ + 1));
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

void Search::step_sequences(const float* logits, int64_t stride) {
    const bool is_first = steps_ == 0;
    const size_t running = row_sequences_.size();
    for (size_t i = 0; i < running; i++) {
        const size_t row = is_first ? 0 : i;
        choose(sequences_[row_sequences_[i]], row_sequences_[i], logits + static_cast<int64_t>(row) * stride);
    }
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

// Adds a token to one sequence: the likeliest, of equal ones the lowest, or one that is drawn.
void Search::choose(Sequence& sequence, size_t number, const float* logits) {
    read_logits(logits);
    double* scores = scores_.data();
    rules_.apply(sequence.ids, scores);
    if (settings_.do_sample) warper_.apply(scores);
    const double log_sum = log_sum_exp(scores, vocab_);
    refuse_if_all_banned(log_sum);
    int64_t id = std::max_element(scores, scores + vocab_) - scores;
    if (settings_.do_sample) {
        const auto step = static_cast<size_t>(steps_);
        const double u = step < settings_.uniforms.size()
                             ? settings_.uniforms[step]
                             : uniform(settings_.seed, static_cast<uint32_t>(number),
                                       static_cast<uint32_t>(step));
        id = draw(scores, vocab_, u);
    }
    sequence.ids.push_back(static_cast<int32_t>(id));
    sequence.log_probabilities.push_back(scores[id] - log_sum);
    sequence.sum += scores[id] - log_sum;
    sequence.score = sequence.sum / std::pow(static_cast<double>(steps_ + 1), settings_.length_penalty);
    if (is_eos(sequence.ids.back()))
        sequence.finish = Finish::kEos;
    else if (static_cast<int64_t>(sequence.ids.size()) >= settings_.max_length)
        sequence.finish = Finish::kLength;
}

void Search::step_beams(const float* logits, int64_t stride) {
    candidates_.clear();
    for (size_t beam = 0; beam < running_.size(); beam++)
        consider(static_cast<int32_t>(beam), logits + static_cast<int64_t>(beam) * stride);
    refuse_if_all_banned(candidates_.empty() ? -kInfinity : 0);
    std::sort(candidates_.begin(), candidates_.end(), is_better<Candidate>);
    go_on_with_best();
    if (!running_.empty() && has_hope()) return;
    rows_.clear();
    running_.clear();
    sequences_ = std::move(finished_);
    sequences_.resize(std::min(sequences_.size(), static_cast<size_t>(settings_.num_return_sequences)));
}

// The best candidates of all beams so far, with those of one more.
void Search::consider(int32_t beam, const float* logits) {
    read_logits(logits);
    double* scores = scores_.data();
    const Sequence& from = running_[static_cast<size_t>(beam)];
    const double log_sum = log_sum_exp(scores, vocab_);
    if (log_sum == -kInfinity) return;
    for (int64_t i = 0; i < vocab_; i++) scores[i] -= log_sum;
    rules_.apply(from.ids, scores);
    const double left = settings_.renormalize_logits ? log_sum_exp(scores, vocab_) : 0;
    if (left == -kInfinity) return;
    for (int64_t i = 0; i < vocab_; i++) {
        const double log_probability = scores[i] - left, sum = from.sum + log_probability;
        if (sum == -kInfinity) continue;
        // Equal sums come in order, so a later one is never better.
        if (candidates_.size() == most_candidates_) {
            if (sum <= candidates_.front().sum) continue;
            std::pop_heap(candidates_.begin(), candidates_.end(), is_better<Candidate>);
            candidates_.pop_back();
        }
        candidates_.push_back({sum, log_probability, beam, static_cast<int32_t>(i)});
        std::push_heap(candidates_.begin(), candidates_.end(), is_better<Candidate>);
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
