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

// Each centre word's mean, or sum, before its targets; then its whole gradient to all of its sources.
void Word2Vec::push_batch(Member& member) {
    const Member::Centre& centre = member.ready;
    const size_t count = centre.source_ends.size();
    float* hidden[kBatchCentres];
    const auto of_each = [&](auto&& body) {
        for (size_t i = 0, begin = 0; i < count; begin = centre.source_ends[i++]) {
            const auto sources = static_cast<int64_t>(centre.source_ends[i] - begin);
            body(hidden[i], centre.sources.data() + begin, sources, 1.0f / static_cast<float>(sources));
        }
    };
    for (size_t i = 0; i < count; i++) hidden[i] = member.hidden.floats() + static_cast<int64_t>(i) * width_;
    of_each([&](float* own, float* const* sources, int64_t number, float share) {
        member.kernels.gather_rows(sources, number, width_, options_.cbow_mean ? share : 1.0f, own);
    });
    member.kernels.window_step({hidden, centre.targets.data(), centre.labels.data(),
                                static_cast<int64_t>(count), static_cast<int64_t>(centre.targets.size()),
                                width_, centre.rate, member.scratch.data(), true});
    of_each([&](const float* own, float* const* sources, int64_t number, float share) {
        member.kernels.scatter_rows(own, width_, options_.cbow_mean ? 1.0f : share, sources, number);
    });
}

void Word2Vec::compute(Member& member) {
    const Member::Centre& centre = member.ready;
    if (centre.contexts == 0 || centre.targets.empty()) return;
    const auto batch = static_cast<int64_t>(centre.source_ends.size());
    const bool is_window = options_.skip_gram && !options_.is_fast_text;
    const int64_t inputs = is_window ? static_cast<int64_t>(centre.sources.size())
                                     : std::max<int64_t>(1, batch),
                  targets = static_cast<int64_t>(centre.targets.size());
    const auto needed = static_cast<size_t>(is_window || batch > 0 ? window_scratch(inputs, targets, width_)
                                                                   : targets);
    if (member.scratch.size() < needed) member.scratch.resize(needed);
    {
        const HogwildRows rows(options_.threads > 1);
        if (is_window)
            member.kernels.window_step({centre.sources.data(), centre.targets.data(), centre.labels.data(),
                                        inputs, targets, width_, centre.rate, member.scratch.data()});
        else
            batch > 0 ? push_batch(member) : push_hidden(member);
    }
    if (static_cast<uint64_t>(centre.token) % kLossEvery != 0 || centre.rate <= 0.0f) return;
    // The errors are rate · (label − p): what is missing of a probability of 1.
    for (int64_t i = 0; i < inputs * targets; i++)
        member.loss_sum -= std::log(
            std::max(1e-7f, 1.0f - std::abs(member.scratch[static_cast<size_t>(i)]) / centre.rate));
    member.loss_count += is_window || (options_.is_fast_text && options_.skip_gram) ? centre.contexts
                                                                                    : inputs;
}

}  // namespace bertha::cpu
