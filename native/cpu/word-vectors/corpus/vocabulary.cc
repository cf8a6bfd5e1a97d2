#include "cpu/word-vectors/corpus/vocabulary.h"

#include <algorithm>
#include <utility>

namespace bertha::cpu {
namespace {

constexpr int64_t kWordsPerStep = 1 << 13;

}  // namespace

VocabularyBuilder::VocabularyBuilder(std::shared_ptr<const Corpus> corpus, int64_t min_count)
    : corpus_(std::move(corpus)), min_count_(min_count), runs_({&corpus_->words()}) {}

bool VocabularyBuilder::step() {
    const WordTable& table = corpus_->words();
    if (next_id_ < table.size()) {
        sort_block();
        return true;
    }
    if (!std::exchange(is_merging_, true)) {
        vocabulary_.words.reserve(static_cast<int64_t>(order_.size()), text_bytes_);
        runs_.begin_merge();
    }
    for (int64_t i = 0; i < kWordsPerStep; i++) {
        const int32_t* const id = runs_.next();
        if (id == nullptr) return false;
        vocabulary_.rank_of[static_cast<size_t>(*id)] = static_cast<int32_t>(
            vocabulary_.words.add(table.word(*id), table.count(*id)));
        vocabulary_.kept_words += table.count(*id);
    }
    return true;
}

void VocabularyBuilder::sort_block() {
    const WordTable& table = corpus_->words();
    const int64_t end = std::min(table.size(), next_id_ + kWordsPerStep);
    const size_t begin = order_.size();
    if (next_id_ == 0) {
        order_.reserve(static_cast<size_t>(table.size()));
        vocabulary_.rank_of.reserve(static_cast<size_t>(table.size()));
    }
    for (; next_id_ < end; next_id_++) {
        vocabulary_.rank_of.push_back(kDroppedWord);
        if (table.count(next_id_) < min_count_) continue;
        order_.push_back(static_cast<int32_t>(next_id_));
        text_bytes_ += static_cast<int64_t>(table.word(next_id_).size());
    }
    runs_.add_run(order_.data() + begin, order_.data() + order_.size());
}

Vocabulary make_vocabulary(const std::shared_ptr<const Corpus>& corpus, int64_t min_count) {
    VocabularyBuilder builder(corpus, min_count);
    while (builder.step()) continue;
    return builder.take();
}

}  // namespace bertha::cpu
