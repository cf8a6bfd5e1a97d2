#include "cpu/word-vectors/training/word2vec.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

#include "cpu/isa/isa.h"
#include "cpu/word-vectors/training/hogwild.h"
#include "cpu/word-vectors/training/word2vec_member.h"
#include "engine/clock.h"
#include "engine/floating_point.h"

namespace bertha::cpu {
namespace {

constexpr auto kStepTime = std::chrono::microseconds(1500);
constexpr int kCentresPerLook = 64;  // between two looks at the clock
constexpr int64_t kRowsPerStep = 4096;
constexpr uint64_t kInitStream = uint64_t{1} << 40, kKeepStream = uint64_t{1} << 41;

bool is_finite(const float* row, int64_t count) {
    double sum = 0.0;
    for (int64_t z = 0; z < count; z++) sum += static_cast<double>(row[z]);
    return std::isfinite(sum);
}

void prefetch_row(const float* row, int64_t width) {
    for (int64_t z = 0; z < width; z += kRowFloats) __builtin_prefetch(row + z, 1);
}

}  // namespace

Word2Vec::~Word2Vec() = default;

Word2Vec::Word2Vec(std::shared_ptr<const Corpus> corpus, int64_t min_count, const Word2VecOptions& options,
                   std::shared_ptr<const WordVectors> initial)
    : corpus_(std::move(corpus)),
      options_(options),
      initial_(std::move(initial)),
      width_(row_width(options.dimensions)),
      vocabulary_builder_(corpus_, min_count) {
    for (int32_t i = 0; i < options.threads; i++) {
        members_.push_back(std::make_unique<Member>());
        members_.back()->hidden = Buffer(kBatchCentres * static_cast<size_t>(width_) * sizeof(float));
        members_.back()->gradient = Buffer(static_cast<size_t>(width_) * sizeof(float));
        members_.back()->start = Buffer(static_cast<size_t>(width_) * sizeof(float));
    }
    progress_.of.store(corpus_->report().words * options.epochs);
    progress_.rate.store(options.alpha);
}

std::vector<LongPhase> Word2Vec::phases() {
    return {{1, [this](int) { return make_vocabulary(); }},
            {1, [this](int) { return make_tables(); }},
            {1, [this](int) { return make_subwords(); }},
            rows_phase(&Word2Vec::start_rows, input_rows_),
            {options_.threads, [this](int member) { return step(*members_[static_cast<size_t>(member)]); }},
            {1,
             [this](int) {
                 vectors_ = std::make_shared<WordVectors>();
                 vectors_->dimensions = options_.dimensions;
                 vectors_->width = width_;
                 vectors_->inverse_norms.resize(static_cast<size_t>(words_));
                 if (options_.is_fast_text)
                     vectors_->rows = Buffer(static_cast<size_t>(words_ * width_) * sizeof(float));
                 else
                     vectors_->rows = std::move(input_);
                 return false;
             }},
            rows_phase(&Word2Vec::compose_rows, words_),
            {1, [this](int) { return release(); }}};
}

// The corpus's words, and behind them those of earlier training that it lacks.
bool Word2Vec::make_vocabulary() {
    progress_.check_cancelled();
    if (words_ == 0) {
        if (vocabulary_builder_.step()) return true;
        vocabulary_ = vocabulary_builder_.take();
    }
    const int64_t known = initial_ == nullptr ? 0 : initial_->size(),
                  end = std::min(known, next_initial_ + kRowsPerStep);
    for (; next_initial_ < end; next_initial_++)
        vocabulary_.words.add(initial_->words.word(next_initial_), 0);
    words_ = vocabulary_.words.size();
    return next_initial_ < known;
}

bool Word2Vec::make_tables() {
    progress_.check_cancelled();
    const std::vector<int64_t>& counts = vocabulary_.words.counts();
    if (options_.hierarchical)
        tree_ = make_huffman_tree(counts);
    else
        negatives_ = std::make_unique<AliasSampler>(counts, options_.ns_exponent);
    for (const double keep : keep_probabilities(counts, options_.sample))
        keep_.push_back(static_cast<uint32_t>(std::min(4294967295.0, std::floor(keep * 4294967296.0))));
    subword_begin_.push_back(0);
    ngram_rows_ = NgramRows(words_);
    return false;
}

// Some words' own rows and those of their n-grams, which get theirs in order of appearance: those of frequent
// words lie together, and what no word of the corpus has takes no room. Then the table of all.
bool Word2Vec::make_subwords() {
    progress_.check_cancelled();
    const int64_t end = options_.is_fast_text ? std::min(words_, next_subwords_ + kRowsPerStep) : 0;
    for (; next_subwords_ < end; next_subwords_++) {
        const size_t first = subword_rows_.size();
        subword_rows_.push_back(static_cast<int32_t>(next_subwords_));
        append_ngrams(vocabulary_.words.word(next_subwords_), options_.ngrams, subword_rows_);
        for (size_t i = first + 1; i < subword_rows_.size(); i++)
            subword_rows_[i] = ngram_rows_.row_of(subword_rows_[i]);
        subword_begin_.push_back(static_cast<int64_t>(subword_rows_.size()));
    }
    if (options_.is_fast_text && next_subwords_ < words_) return true;
    ngram_rows_.finish();
    input_rows_ = words_ + static_cast<int64_t>(ngram_rows_.hashes().size());
    const int64_t bytes = (input_rows_ + (options_.is_fast_text ? 2 : 1) * words_) * width_ *
                          static_cast<int64_t>(sizeof(float));
    BERTHA_CHECK(options_.available_bytes == 0 || bytes <= options_.available_bytes, "OUT_OF_MEMORY",
                 "expected %.3f GB of memory for the tables, got %.3f GB: fewer are needed with a larger "
                 "minCount or minN, or a smaller vectorSize or bucket",
                 static_cast<double>(bytes) * 1e-9, static_cast<double>(options_.available_bytes) * 1e-9);
    progress_.table_bytes.store(bytes);
    input_ = Buffer(static_cast<size_t>(input_rows_ * width_) * sizeof(float));
    output_ = Buffer(static_cast<size_t>(words_ * width_) * sizeof(float));
    return false;
}

// A fastText model keeps its tables.
void Word2Vec::keep_tables() {
    const auto tables = std::make_shared<FastTextTables>();
    tables->ngrams = options_.ngrams;
    tables->ngram_rows = input_rows_ - words_;
    tables->has_zero_rows = true;
    std::vector<std::pair<int32_t, int32_t>> kept;
    for (const int32_t hash : ngram_rows_.hashes())
        kept.emplace_back(hash, static_cast<int32_t>(kept.size()));
    std::sort(kept.begin(), kept.end());
    for (const auto& [hash, row] : kept) {
        tables->kept_hashes.push_back(hash);
        tables->kept_rows.push_back(row);
    }
    tables->input = std::move(input_);
    tables->output = std::move(output_);
    vectors_->fast_text = tables;
}

// What the vectors do not need goes here, and not when JavaScript forgets the training.
bool Word2Vec::release() {
    if (options_.is_fast_text)
        keep_tables();
    else
        output_.reset();
    negatives_.reset();
    tree_ = {};
    members_.clear();
    std::vector<int32_t>().swap(vocabulary_.rank_of);
    std::vector<uint32_t>().swap(keep_);
    std::vector<int64_t>().swap(subword_begin_);
    std::vector<int32_t>().swap(subword_rows_);
    return false;
}

// `rows`: a member of this, whose value phases before this one set.
LongPhase Word2Vec::rows_phase(void (Word2Vec::*body)(int64_t, int64_t), const int64_t& rows) {
    const auto next = std::make_shared<std::atomic<int64_t>>(0);
    return {options_.threads, [this, body, &rows, next](int) {
                progress_.check_cancelled();
                const int64_t begin = next->fetch_add(kRowsPerStep, std::memory_order_relaxed);
                if (begin < rows) (this->*body)(begin, std::min(rows, begin + kRowsPerStep));
                return begin + kRowsPerStep < rows;
            }};
}

// Inputs are drawn from (−0.5, 0.5) / dimensions, outputs begin at 0.
void Word2Vec::start_rows(int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
        float* input = input_row(row);
        // An n-gram's by its hash: the same values wherever its row lies.
        const int64_t number = row < words_
                                   ? row
                                   : words_ + ngram_rows_.hashes()[static_cast<size_t>(row - words_)];
        CounterRandom random(options_.seed, kInitStream, static_cast<uint64_t>(number));
        for (int64_t z = 0; z < width_; z++)
            input[z] = z < options_.dimensions
                           ? (random.uniform() - 0.5f) / static_cast<float>(options_.dimensions)
                           : 0.0f;
        if (row >= words_) continue;
        std::memset(output_row(row), 0, static_cast<size_t>(width_) * sizeof(float));
        const int64_t known = initial_ == nullptr ? -1 : initial_->words.find(vocabulary_.words.word(row));
        if (known >= 0) std::copy_n(initial_->row(known), options_.dimensions, input);
    }
}

// The vectors of the words as they are used: of fastText the mean with the n-grams'.
void Word2Vec::compose_rows(int64_t begin, int64_t end) {
    const WordKernels& kernels = word_kernels();
    std::vector<float*> rows;
    for (int64_t word = begin; options_.is_fast_text && word < end; word++) {
        rows.clear();
        const auto i = static_cast<size_t>(word);
        for (int64_t j = subword_begin_[i]; j < subword_begin_[i + 1]; j++)
            rows.push_back(input_row(subword_rows_[static_cast<size_t>(j)]));
        kernels.gather_rows(rows.data(), static_cast<int64_t>(rows.size()), width_,
                            1.0f / static_cast<float>(rows.size()), vectors_->row(word));
    }
    compute_inverse_norms(*vectors_, begin, end);
    for (int64_t word = begin; word < end; word++) check_finite(vectors_->row(word));
}

std::shared_ptr<WordVectors> Word2Vec::take_vectors() {
    vectors_->words = std::move(vocabulary_.words);
    return std::move(vectors_);
}

void Word2Vec::check_finite(const float* row) const {
    BERTHA_CHECK(is_finite(row, options_.dimensions), "NON_FINITE",
                 "the vectors are no longer finite numbers: the rate (alpha %g) is too large",
                 static_cast<double>(options_.alpha));
}

// The rate falls in a line from alpha to min_alpha with the words read.
float Word2Vec::rate_at(int32_t epoch, int64_t position) const {
    const double share = (epoch + static_cast<double>(position) / static_cast<double>(corpus_->size())) /
                         options_.epochs;
    return static_cast<float>(options_.alpha - (options_.alpha - options_.min_alpha) * share);
}

bool Word2Vec::step(Member& member) {
    const FlushDenormals flush;
    progress_.check_cancelled();
    const Clock::time_point end = Clock::now() + kStepTime;
    if (!std::exchange(member.has_begun, true)) {
        read_sentence(member);
        member.has_next = advance(member);
    }
    do {
        for (int i = 0; i < kCentresPerLook; i++) {
            if (!member.has_next) return false;
            std::swap(member.ready, member.next);
            member.has_next = advance(member);
            compute(member);
        }
    } while (Clock::now() < end);
    return true;
}

// Prepares the next centre; false where there is none.
bool Word2Vec::advance(Member& member) {
    if (++member.centre >= member.sentence.words.size() && !next_sentence(member)) return false;
    prepare(member, member.centre);
    return true;
}

bool Word2Vec::next_slice(Member& member) {
    if (!member.numbers.empty()) finish_slice(member);
    const auto slices = static_cast<int64_t>(corpus_->slices().size()) - 1;
    const int64_t slice = next_slice_.fetch_add(1, std::memory_order_relaxed);
    if (slice >= slices * options_.epochs) return false;
    const auto i = static_cast<size_t>(slice % slices);
    member.epoch = static_cast<int32_t>(slice / slices);
    member.slice_begin = corpus_->slices()[i];
    corpus_->read(member.slice_begin, corpus_->slices()[i + 1], member.numbers);
    member.next_number = 0;
    member.rate = rate_at(member.epoch, member.slice_begin);
    progress_.rate.store(member.rate, std::memory_order_relaxed);
    progress_.epoch.store(member.epoch, std::memory_order_relaxed);
    return true;
}

void Word2Vec::finish_slice(Member& member) {
    const auto words = std::count_if(member.numbers.begin(), member.numbers.end(),
                                     [](int32_t number) { return number != kSentenceEnd; });
    progress_.done.fetch_add(words, std::memory_order_relaxed);
    progress_.add_loss(member.loss_sum, member.loss_count);
    if (!member.sentence.words.empty()) {
        const HogwildRows rows(options_.threads > 1);
        check_finite(input_row(member.sentence.words.back().rank));
    }
    member.loss_sum = 0.0;
    member.loss_count = 0;
    member.numbers.clear();
    member.next_number = 0;
}

// Goes on to the sentence that was read ahead, and fetches the rows that the one behind it begins with.
bool Word2Vec::next_sentence(Member& member) {
    std::swap(member.sentence, member.ahead);
    member.centre = 0;
    read_sentence(member);
    const std::vector<Member::Word>& words = member.ahead.words;
    for (size_t i = 0; i < words.size() && i <= static_cast<size_t>(options_.window); i++)
        prefetch_row(input_row(words[i].rank), width_);
    return !member.sentence.words.empty();
}

// Reads the next sentence with a word that is kept ahead; none where the corpus ends.
void Word2Vec::read_sentence(Member& member) {
    Member::Sentence& sentence = member.ahead;
    sentence.words.clear();
    while (sentence.words.empty()) {
        if (member.next_number == member.numbers.size() && !next_slice(member)) return;
        for (; member.next_number < member.numbers.size(); member.next_number++) {
            const int32_t number = member.numbers[member.next_number];
            if (number == kSentenceEnd) break;
            const int32_t rank = number < 0 ? number : vocabulary_.rank_of[static_cast<size_t>(number)];
            if (rank < 0) continue;
            const int64_t token = member.slice_begin + static_cast<int64_t>(member.next_number);
            const uint32_t keep = keep_[static_cast<size_t>(rank)];
            if (keep != UINT32_MAX) {
                CounterRandom random(options_.seed, kKeepStream + static_cast<uint64_t>(member.epoch),
                                     static_cast<uint64_t>(token));
                if (static_cast<uint32_t>(random.next() >> 32) > keep) continue;
            }
            sentence.words.push_back({rank, token});
        }
        if (member.next_number < member.numbers.size()) member.next_number++;  // behind the sentence's end
    }
    sentence.epoch = member.epoch;
    sentence.rate = member.rate;
}

// Draws the window and the negatives of a centre word, or of some, and fetches the rows that they will need.
void Word2Vec::prepare(Member& member, size_t index) {
    Member::Centre& centre = member.next;
    centre.sources.clear();
    centre.targets.clear();
    centre.labels.clear();
    centre.group_ends.clear();
    centre.source_ends.clear();
    centre.times.clear();
    centre.centres = 1;
    centre.contexts = 0;
    centre.rate = member.sentence.rate;
    centre.token = member.sentence.words[index].token;
    is_batched() ? prepare_batch(member, index) : prepare_centre(member, index);
    member.centre += centre.centres - 1;
    for (const float* row : centre.targets) prefetch_row(row, width_);
    const std::vector<Member::Word>& words = member.sentence.words;
    if (options_.is_fast_text)
        for (const float* row : centre.sources) prefetch_row(row, width_);
    const size_t ahead = index + static_cast<size_t>(options_.window) + 1;
    for (size_t i = ahead; !options_.is_fast_text && i < std::min(words.size(), ahead + centre.centres); i++)
        prefetch_row(input_row(words[i].rank), width_);
}

Word2Vec::Window Word2Vec::window_of(const Member& member, size_t index, CounterRandom& random) const {
    const auto full = static_cast<uint32_t>(options_.window);
    const size_t reach = options_.shrink_windows ? 1 + random.below(full) : full;
    return {index > reach ? index - reach : 0, std::min(member.sentence.words.size(), index + reach + 1)};
}

void Word2Vec::prepare_centre(Member& member, size_t index) {
    Member::Centre& centre = member.next;
    const std::vector<Member::Word>& words = member.sentence.words;
    const Member::Word own = words[index];
    CounterRandom random(options_.seed, static_cast<uint64_t>(member.sentence.epoch),
                         static_cast<uint64_t>(own.token));
    const Window window = window_of(member, index, random);
    const bool has_ngrams = options_.is_fast_text;
    const auto push_word = [&](int32_t word) {
        if (!has_ngrams) return centre.sources.push_back(input_row(word));
        const auto i = static_cast<size_t>(word);
        for (int64_t j = subword_begin_[i]; j < subword_begin_[i + 1]; j++)
            centre.sources.push_back(input_row(subword_rows_[static_cast<size_t>(j)]));
    };
    const auto push_targets = [&](int32_t word) {
        options_.hierarchical ? append_path(member, word) : append_samples(member, word, random);
    };
    const bool by_context = options_.skip_gram && options_.is_fast_text;
    for (size_t i = window.begin; i < window.end; i++) {
        if (i == index) continue;
        centre.contexts++;
        if (by_context) {
            push_targets(words[i].rank);
            centre.group_ends.push_back(static_cast<int32_t>(centre.targets.size()));
        } else {
            push_word(words[i].rank);
        }
    }
    if (centre.contexts == 0) return;
    if (by_context)
        push_word(own.rank);
    else
        push_targets(own.rank);
}

}  // namespace bertha::cpu
