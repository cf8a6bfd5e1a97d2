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

// A word and its negatives as targets.
void Word2Vec::append_samples(Member& member, int32_t word, CounterRandom& random) {
    Member::Centre& centre = member.next;
    const size_t first = centre.targets.size();
    centre.targets.push_back(output_row(word));
    centre.labels.push_back(1.0f);
    append_negatives(member, first, random);
}

// Negatives as targets; one that is among those from `first` on already with the label 1 is left out.
void Word2Vec::append_negatives(Member& member, size_t first, CounterRandom& random) {
    Member::Centre& centre = member.next;
    const size_t last = centre.targets.size();
    for (int32_t n = 0; n < options_.negative; n++) {
        float* const row = output_row(negatives_->draw(random));
        const auto words = centre.targets.begin();
        if (std::find(words + first, words + last, row) != words + last) continue;
        centre.targets.push_back(row);
        centre.labels.push_back(0.0f);
    }
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
    const bool is_window = options_.skip_gram && !options_.is_fast_text,
               is_batch = !centre.source_ends.empty();
    const int64_t inputs = is_window ? static_cast<int64_t>(centre.sources.size())
                                     : static_cast<int64_t>(centre.centres),
                  targets = static_cast<int64_t>(centre.targets.size());
    const auto needed = static_cast<size_t>(is_window || is_batch ? window_scratch(inputs, targets, width_)
                                                                  : targets);
    if (member.scratch.size() < needed) member.scratch.resize(needed);
    {
        const HogwildRows rows(options_.threads > 1);
        if (is_window)
            member.kernels.window_step({centre.sources.data(), centre.targets.data(), centre.labels.data(),
                                        inputs, targets, width_, centre.rate, member.scratch.data(),
                                        centre.times.empty() ? nullptr : centre.times.data()});
        else
            is_batch ? push_batch(member) : push_hidden(member);
    }
    if (static_cast<uint64_t>(centre.token) % kLossEvery != 0 || centre.rate <= 0.0f) return;
    member.loss_sum += sampled_loss(member, inputs * targets);
    member.loss_count += is_batch ? inputs : options_.skip_gram ? centre.contexts : 1;
}

// The errors are times · rate · (label − p): what is missing of a probability of 1.
double Word2Vec::sampled_loss(const Member& member, int64_t count) const {
    const Member::Centre& centre = member.ready;
    double loss = 0.0;
    for (size_t i = 0; i < static_cast<size_t>(count); i++) {
        const float times = centre.times.empty() ? 1.0f : centre.times[i];
        if (times == 0.0f) continue;
        const float missing = std::abs(member.scratch[i]) / (times * centre.rate);
        loss -= static_cast<double>(times) * std::log(std::max(1e-7f, 1.0f - missing));
    }
    return loss;
}

}  // namespace bertha::cpu
