// The step of a centre word: its targets, and what they change.
#include <algorithm>
#include <cmath>

#include "cpu/word-vectors/training/hogwild.h"
#include "cpu/word-vectors/training/word2vec.h"
#include "cpu/word-vectors/training/word2vec_member.h"

namespace bertha::cpu {
namespace {

constexpr uint64_t kLossEvery = 64;  // centre words

}  // namespace

// The inner nodes from the root to a word, as targets.
void Word2Vec::append_path(Member& member, int32_t word) {
    const auto i = static_cast<size_t>(word);
    for (int64_t j = tree_.begin[i]; j < tree_.begin[i + 1]; j++) {
        member.next.targets.push_back(output_row(tree_.points[static_cast<size_t>(j)]));
        member.next.labels.push_back(tree_.codes[static_cast<size_t>(j)] == 0 ? 1.0f : 0.0f);
    }
}

// A word and its negatives as targets; a negative that is the word itself is left out.
void Word2Vec::append_samples(Member& member, int32_t word, CounterRandom& random) {
    Member::Centre& centre = member.next;
    const auto push = [&](int32_t row, float label) {
        centre.targets.push_back(output_row(row));
        centre.labels.push_back(label);
    };
    push(word, 1.0f);
    for (int32_t n = 0; n < options_.negative; n++)
        if (const int32_t drawn = negatives_->draw(random); drawn != word) push(drawn, 0.0f);
}

// The mean of the sources, or their sum, with the targets; all sources get its whole gradient. With groups
// the mean moves as its rows would: each context's step sees those before it, as fastText's steps do.
void Word2Vec::push_hidden(Member& member) {
    const Member::Centre& centre = member.ready;
    const auto sources = static_cast<int64_t>(centre.sources.size()),
               targets = static_cast<int64_t>(centre.targets.size()),
               groups = static_cast<int64_t>(centre.group_ends.size());
    float *const hidden = member.hidden.floats(), *const gradient = member.gradient.floats();
    const float share = 1.0f / static_cast<float>(sources);
    const bool is_mean = options_.cbow_mean || options_.skip_gram;
    member.kernels.gather_rows(centre.sources.data(), sources, width_, is_mean ? share : 1.0f, hidden);
    if (groups > 0) std::copy_n(hidden, width_, member.start.floats());
    member.kernels.hidden_step({hidden, centre.targets.data(), centre.labels.data(), targets, width_,
                                centre.rate, gradient, member.scratch.data(), centre.group_ends.data(),
                                groups});
    for (int64_t z = 0; groups > 0 && z < width_; z++) gradient[z] = hidden[z] - member.start.floats()[z];
    member.kernels.scatter_rows(gradient, width_, is_mean ? 1.0f : share, centre.sources.data(), sources);
}

void Word2Vec::compute(Member& member) {
    const Member::Centre& centre = member.ready;
    if (centre.contexts == 0 || centre.targets.empty()) return;
    const auto sources = static_cast<int64_t>(centre.sources.size()),
               targets = static_cast<int64_t>(centre.targets.size());
    const bool is_window = options_.skip_gram && !options_.is_fast_text;
    const auto needed = static_cast<size_t>(is_window ? window_scratch(sources, targets, width_) : targets);
    if (member.scratch.size() < needed) member.scratch.resize(needed);
    {
        const HogwildRows rows(options_.threads > 1);
        if (is_window)
            member.kernels.window_step({centre.sources.data(), centre.targets.data(), centre.labels.data(),
                                        sources, targets, width_, centre.rate, member.scratch.data()});
        else
            push_hidden(member);
    }
    if (static_cast<uint64_t>(centre.token) % kLossEvery != 0 || centre.rate <= 0.0f) return;
    // The errors are rate · (label − p): what is missing of a probability of 1.
    const int64_t errors = is_window ? sources * targets : targets;
    for (int64_t i = 0; i < errors; i++)
        member.loss_sum -= std::log(
            std::max(1e-7f, 1.0f - std::abs(member.scratch[static_cast<size_t>(i)]) / centre.rate));
    member.loss_count += is_window || (options_.is_fast_text && options_.skip_gram) ? centre.contexts : 1;
}

}  // namespace bertha::cpu
