// Neighbouring centre words that take their step together, with one set of negatives: those that are none of
// them. Rows that they share are touched once.
#include <algorithm>

#include "cpu/word-vectors/training/word2vec.h"
#include "cpu/word-vectors/training/word2vec_member.h"

namespace bertha::cpu {

void Word2Vec::prepare_batch(Member& member, size_t index) {
    Member::Centre& centre = member.next;
    const std::vector<Member::Word>& words = member.sentence.words;
    centre.centres = std::min(words.size() - index, kBatchCentres);
    Window windows[kBatchCentres];
    for (size_t i = 0; i < centre.centres; i++) {
        const Member::Word own = words[index + i];
        CounterRandom random(options_.seed, static_cast<uint64_t>(member.sentence.epoch),
                             static_cast<uint64_t>(own.token));
        windows[i] = window_of(member, index + i, random);
        centre.targets.push_back(output_row(own.rank));
        centre.labels.push_back(1.0f);
        if (i + 1 == centre.centres) append_negatives(member, 0, random);
    }
    options_.skip_gram ? append_windows(member, index, windows) : append_means(member, index, windows);
}

// The words of all windows as inputs, and how often each of them meets a centre word, and so the negatives.
void Word2Vec::append_windows(Member& member, size_t index, const Window* windows) {
    Member::Centre& centre = member.next;
    Window all = windows[0];
    for (size_t i = 1; i < centre.centres; i++)
        all = {std::min(all.begin, windows[i].begin), std::max(all.end, windows[i].end)};
    const size_t targets = centre.targets.size();
    centre.times.resize((all.end - all.begin) * targets);
    float* times = centre.times.data();
    for (size_t place = all.begin; place < all.end; place++) {
        int32_t met = 0;
        for (size_t i = 0; i < centre.centres; i++) {
            const int32_t meets = place >= windows[i].begin && place < windows[i].end && place != index + i;
            times[i] = static_cast<float>(meets);
            met += meets;
        }
        if (met == 0) continue;
        std::fill(times + centre.centres, times + targets, static_cast<float>(met));
        times += targets;
        centre.contexts += met;
        centre.sources.push_back(input_row(member.sentence.words[place].rank));
    }
}

// The words of each window as the sources of a hidden vector, which meets its own centre word alone.
void Word2Vec::append_means(Member& member, size_t index, const Window* windows) {
    Member::Centre& centre = member.next;
    for (size_t i = 0; i < centre.centres; i++) {
        for (size_t place = windows[i].begin; place < windows[i].end; place++)
            if (place != index + i) centre.sources.push_back(input_row(member.sentence.words[place].rank));
        centre.source_ends.push_back(centre.sources.size());
        for (size_t j = 0; j < centre.targets.size(); j++)
            centre.times.push_back(j == i || j >= centre.centres ? 1.0f : 0.0f);
    }
    centre.contexts = static_cast<int64_t>(centre.sources.size());
}

// Each centre word's mean, or sum, before its targets; then its whole gradient to all of its sources.
void Word2Vec::push_batch(Member& member) {
    const Member::Centre& centre = member.ready;
    const size_t count = centre.centres;
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
                                width_, centre.rate, member.scratch.data(), centre.times.data(), true});
    of_each([&](const float* own, float* const* sources, int64_t number, float share) {
        member.kernels.scatter_rows(own, width_, options_.cbow_mean ? 1.0f : share, sources, number);
    });
}

}  // namespace bertha::cpu
