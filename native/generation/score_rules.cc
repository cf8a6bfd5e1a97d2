#include "generation/score_rules.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bertha::generation {
namespace {

constexpr double kBanned = -std::numeric_limits<double>::infinity();

}  // namespace

double log_sum_exp(const double* scores, int64_t count) {
    const double top = *std::max_element(scores, scores + count);
    if (top == kBanned) return kBanned;
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += std::exp(scores[i] - top);
    return top + std::log(sum);
}

double RowScores::banned() { return kBanned; }

ScoreRules::ScoreRules(const SearchSettings& settings, int64_t prompt_length, const Ids& source,
                       int64_t vocab)
    : settings_(settings),
      prompt_length_(prompt_length),
      vocab_(vocab),
      source_(settings.encoder_no_repeat_ngram_size > 0 ? source : Ids()) {}

void ScoreRules::apply(const Ids& ids, RowScores& scores) const {
    const auto ban = [&scores](const Ids& banned) {
        for (const int32_t id : banned) scores.ban(id);
    };
    const auto force = [&scores](const Ids& forced) {
        scores.ban_all();
        for (const int32_t id : forced) scores.set(id, 0);
    };
    const int64_t length = static_cast<int64_t>(ids.size());
    if (settings_.repetition_penalty != 1) penalise_repetitions(ids, scores);
    ban_ngrams(ids, ids, settings_.no_repeat_ngram_size, scores);
    ban_ngrams(ids, source_, settings_.encoder_no_repeat_ngram_size, scores);
    ban_words(ids, scores);
    if (length < settings_.min_length) ban(settings_.eos);
    if (settings_.forced_bos >= 0 && length == 1) force({settings_.forced_bos});
    if (!settings_.forced_eos.empty() && length == settings_.max_length - 1) force(settings_.forced_eos);
    ban(settings_.suppress_tokens);
    const int64_t begin = prompt_length_ + (prompt_length_ == 1 && settings_.forced_bos >= 0 ? 1 : 0);
    if (length == begin) ban(settings_.begin_suppress_tokens);
}

const char* ScoreRules::banning_settings() {
    return "badWordsIds, suppressTokens, beginSuppressTokens, noRepeatNgramSize, encoderNoRepeatNgramSize "
           "and "
           "minLength";
}

// The first rule: what is touched has been penalised.
void ScoreRules::penalise_repetitions(const Ids& ids, RowScores& scores) const {
    const double penalty = settings_.repetition_penalty;
    for (const int32_t id : ids) {
        if (scores.is_touched(id)) continue;
        const double score = scores.at(id);
        scores.set(id, score < 0 ? score * penalty : score / penalty);
    }
}

// Bans what would repeat n ids of `among`: the last n - 1 ids stand somewhere in it, what follows there is
// banned. The source's vocabulary may be larger.
void ScoreRules::ban_ngrams(const Ids& ids, const Ids& among, int32_t n, RowScores& scores) const {
    if (n <= 0 || static_cast<int64_t>(ids.size()) + 1 < n) return;
    const auto tail = ids.end() - (n - 1);
    const int64_t last = static_cast<int64_t>(among.size()) - n;
    for (int64_t at = 0; at <= last; at++) {
        const int32_t next = among[static_cast<size_t>(at + n - 1)];
        if (next < vocab_ && std::equal(tail, ids.end(), among.begin() + at)) scores.ban(next);
    }
}

// A word that is an end token alone does not count.
void ScoreRules::ban_words(const Ids& ids, RowScores& scores) const {
    for (const Ids& word : settings_.bad_words) {
        const auto rest = static_cast<int64_t>(word.size()) - 1;
        if (rest == 0 &&
            std::find(settings_.eos.begin(), settings_.eos.end(), word[0]) != settings_.eos.end())
            continue;
        if (static_cast<int64_t>(ids.size()) >= rest && std::equal(ids.end() - rest, ids.end(), word.begin()))
            scores.ban(word.back());
    }
}

Warper::Warper(const SearchSettings& settings, int64_t vocab) : settings_(settings), vocab_(vocab) {
    if (!settings.do_sample) return;
    order_.reserve(static_cast<size_t>(vocab));
    sorted_.reserve(static_cast<size_t>(vocab));
}

void Warper::apply(double* scores) {
    if (settings_.temperature != 1)
        for (int64_t i = 0; i < vocab_; i++) scores[i] /= settings_.temperature;
    if (settings_.top_k > 0 && settings_.top_k < vocab_) keep_top_k(scores);
    if (settings_.top_p < 1) keep_top_p(scores);
    if (settings_.min_p > 0) keep_min_p(scores);
    if (settings_.typical_p < 1) keep_typical(scores);
}

void Warper::collect(const double* scores) {
    order_.clear();
    for (int64_t i = 0; i < vocab_; i++)
        if (scores[i] != kBanned) order_.push_back(static_cast<int32_t>(i));
}

// Ties of the k-th stay.
void Warper::keep_top_k(double* scores) {
    sorted_.assign(scores, scores + vocab_);
    const auto kth = sorted_.begin() + (settings_.top_k - 1);
    std::nth_element(sorted_.begin(), kth, sorted_.end(), std::greater<>());
    for (int64_t i = 0; i < vocab_; i++)
        if (scores[i] < *kth) scores[i] = kBanned;
}

// From the least likely on, ids are dropped while their probabilities together stay within 1 - top_p; the
// likeliest stays. Of equal ones, the lower id goes first. Nothing is sorted: the half that holds the last
// one that is dropped is halved again.
void Warper::keep_top_p(double* scores) {
    collect(scores);
    if (order_.empty()) return;
    const auto is_before = [scores](int32_t a, int32_t b) {
        return scores[a] != scores[b] ? scores[a] < scores[b] : a < b;
    };
    const double total = log_sum_exp(scores, vocab_);
    auto begin = order_.begin(), end = order_.end();
    double dropped = 0;
    while (begin + 1 < order_.end() && begin < end) {
        const auto middle = begin + (end - begin + 1) / 2;
        std::nth_element(begin, middle - 1, end, is_before);
        double sum = dropped;
        for (auto id = begin; id < middle; id++) sum += std::exp(scores[*id] - total);
        if (sum > 1 - settings_.top_p) {
            end = middle - 1;
            continue;
        }
        dropped = sum;
        // The likeliest of all is never one of those.
        const auto last = middle == order_.end() ? middle - 1 : middle;
        for (auto id = begin; id < last; id++) scores[*id] = kBanned;
        begin = middle;
    }
}

void Warper::keep_min_p(double* scores) {
    const double top = *std::max_element(scores, scores + vocab_);
    if (top == kBanned) return;
    for (int64_t i = 0; i < vocab_; i++)
        if (std::exp(scores[i] - top) < settings_.min_p) scores[i] = kBanned;
}

// Ids by how far their information, -log p, is from the expected one: those nearest that together have
// typical_p stay, and what is as near as the last of them.
void Warper::keep_typical(double* scores) {
    collect(scores);
    if (order_.empty()) return;
    const double total = log_sum_exp(scores, vocab_);
    double entropy = 0;
    for (const int32_t id : order_) entropy -= (scores[id] - total) * std::exp(scores[id] - total);
    sorted_.assign(static_cast<size_t>(vocab_), 0);
    for (const int32_t id : order_) sorted_[static_cast<size_t>(id)] = std::abs(total - scores[id] - entropy);
    const std::vector<double>& distance = sorted_;
    std::sort(order_.begin(), order_.end(), [&distance](int32_t a, int32_t b) {
        const double left = distance[static_cast<size_t>(a)], right = distance[static_cast<size_t>(b)];
        return left != right ? left < right : a < b;
    });
    double sum = 0;
    size_t last = 0;
    for (; last < order_.size(); last++) {
        sum += std::exp(scores[order_[last]] - total);
        if (sum >= settings_.typical_p) break;
    }
    if (last >= order_.size()) return;
    const double cut = distance[static_cast<size_t>(order_[last])];
    for (size_t i = last + 1; i < order_.size(); i++)
        if (distance[static_cast<size_t>(order_[i])] > cut) scores[order_[i]] = kBanned;
}

int32_t draw(const double* scores, int64_t vocab, double u) {
    const double top = *std::max_element(scores, scores + vocab);
    double total = 0;
    for (int64_t i = 0; i < vocab; i++) total += std::exp(scores[i] - top);
    const double wanted = u * total;
    double sum = 0;
    int64_t last = 0;
    for (int64_t i = 0; i < vocab; i++) {
        const double p = std::exp(scores[i] - top);
        if (p == 0) continue;
        sum += p;
        last = i;
        if (sum > wanted) break;
    }
    return static_cast<int32_t>(last);
}

}  // namespace bertha::generation
