#include "cpu/word-vectors/glove/glove.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <tuple>

#include "cpu/isa/isa.h"
#include "cpu/word-vectors/training/random.h"
#include "engine/clock.h"
#include "engine/floating_point.h"

namespace bertha::cpu {
namespace {

constexpr int64_t kBlockBytes = int64_t{1} << 19;  // of a block's rows of a table and its sums
constexpr int64_t kFewestBlocks = 32, kMostBlocks = 512;
constexpr int64_t kRowsPerStep = 4096;
constexpr int kPairsPerStep = 1 << 13;       // a millisecond
constexpr int64_t kRecordsAtOnce = 1 << 12;  // read at once, trained on between two looks at the clock
constexpr auto kStepTime = std::chrono::microseconds(1500);
constexpr uint64_t kInitStream = uint64_t{1} << 40, kShuffleStream = uint64_t{1} << 41,
                   kRoundStream = uint64_t{1} << 42;

// By words and dimensions alone, so that the order of the training is.
int64_t blocks_for(int64_t words, int64_t width) {
    int64_t blocks = kFewestBlocks;
    while (blocks < kMostBlocks && words / blocks * width * 16 > kBlockBytes) blocks *= 2;
    while (words / blocks >= UINT16_MAX) blocks *= 2;
    return blocks;
}

size_t at(int64_t i) { return static_cast<size_t>(i); }

}  // namespace

Glove::Glove(std::shared_ptr<const Corpus> corpus, int64_t min_count, const GloveOptions& options)
    : corpus_(std::move(corpus)),
      options_(options),
      width_(row_width(options.dimensions + 1)),
      vocabulary_builder_(corpus_, min_count),
      counts_(std::make_unique<Cooccurrences>(options.counting)),
      members_(at(options.threads)) {}

std::vector<LongPhase> Glove::phases() {
    return {{1, [this](int) { return make_vocabulary(); }},
            {1, [this](int) { return count_some(); }},
            {1, [this](int) { return start_cells(); }},
            {1, [this](int) { return measure_cells(); }},
            {1, [this](int) { return deal_some(); }},
            {1, [this](int) { return shuffle_cell(); }},
            {options_.threads, [this](int) { return start_rows(); }, [this] { return rounds_of(0); }},
            {1, [this](int) { return add_contexts(); }},
            {1, [this](int) { return release(); }}};
}

// Of an epoch; behind the last one come those of the next.
std::vector<LongPhase> Glove::rounds_of(int32_t epoch) {
    std::vector<LongPhase> rounds;
    for (const int64_t diagonal : order_of(kRoundStream, static_cast<uint64_t>(epoch), blocks_))
        rounds.push_back(round(epoch, diagonal));
    if (epoch + 1 < options_.epochs) rounds.back().then = [this, epoch] { return rounds_of(epoch + 1); };
    return rounds;
}

bool Glove::make_vocabulary() {
    progress_.check_cancelled();
    if (vocabulary_builder_.step()) return true;
    vocabulary_ = vocabulary_builder_.take();
    words_ = vocabulary_.words.size();
    blocks_ = blocks_for(words_, width_);
    for (Buffer* table : {&words_table_, &word_sums_, &contexts_table_, &context_sums_})
        *table = Buffer(at(words_ * width_) * sizeof(float));
    return false;
}

// 0 … count - 1 in a drawn order.
std::vector<int64_t> Glove::order_of(uint64_t stream, uint64_t number, int64_t count) const {
    std::vector<int64_t> order(at(count));
    std::iota(order.begin(), order.end(), int64_t{0});
    CounterRandom random(options_.seed, stream, number);
    for (int64_t i = count - 1; i > 0; i--)
        std::swap(order[at(i)], order[random.below(static_cast<uint32_t>(i + 1))]);
    return order;
}

// Sentences are gathered from the slices of the corpus, and counted.
bool Glove::count_some() {
    progress_.check_cancelled();
    const std::vector<int64_t>& slices = corpus_->slices();
    for (int64_t left = kPairsPerStep; left > 0;) {
        if (is_sentence_whole_) {
            if (counts_->add_some(sentence_, left)) return true;
            sentence_.clear();
            is_sentence_whole_ = false;
        }
        if (next_number_ == numbers_.size()) {
            if (next_slice_ + 1 >= slices.size()) return false;
            corpus_->read(slices[next_slice_], slices[next_slice_ + 1], numbers_);
            next_slice_++;
            next_number_ = 0;
        }
        const size_t begin = next_number_;
        while (next_number_ < numbers_.size() && !is_sentence_whole_) {
            const int32_t number = numbers_[next_number_++];
            const int32_t rank = number < 0 ? number : vocabulary_.rank_of[at(number)];
            if (number == kSentenceEnd)
                is_sentence_whole_ = true;
            else if (rank >= 0)
                sentence_.push_back(rank);
        }
        const auto read = static_cast<int64_t>(next_number_ - begin);
        progress_.done.fetch_add(read, std::memory_order_relaxed);
        left -= read;
    }
    return true;
}

bool Glove::start_cells() {
    progress_.check_cancelled();
    if (counts_->sort_some()) return true;
    counts_->begin_merge();
    cell_begin_.assign(at(blocks_ * blocks_ + 1), 0);
    return false;
}

// Word r is of block r mod blocks: frequent words, and with them the records, are spread evenly.
int64_t Glove::cell_of(const Cooccurrence& pair) const {
    return pair.word % blocks_ * blocks_ + pair.context % blocks_;
}

// Where each cell will begin in the file.
bool Glove::measure_cells() {
    progress_.check_cancelled();
    Cooccurrence pair;
    for (int i = 0; i < kPairsPerStep; i++) {
        if (counts_->next(pair)) {
            cell_begin_[at(cell_of(pair) + 1)]++;
            continue;
        }
        std::partial_sum(cell_begin_.begin(), cell_begin_.end(), cell_begin_.begin());
        cell_end_ = cell_begin_;
        open_cells_.resize(at(blocks_ * blocks_));
        file_ = std::make_unique<TempFile>(options_.counting.directory);
        counts_->begin_merge();
        return false;
    }
    return true;
}

// Records go to their cells in memory, and from there to the file whenever their memory is used up.
bool Glove::deal_some() {
    progress_.check_cancelled();
    if (is_flushing_) {
        if (flush_some()) return true;
        if (!is_dealt_) return true;
        counts_.reset();
        std::vector<std::vector<Record>>().swap(open_cells_);
        progress_.done.store(0);
        progress_.of.store(cell_begin_.back() * options_.epochs);
        progress_.rate.store(options_.eta);
        return false;
    }
    Cooccurrence pair;
    const int64_t most = options_.counting.memory_bytes / 4 / kRecordBytes;
    for (int i = 0; i < kPairsPerStep && !is_flushing_; i++) {
        is_dealt_ = !counts_->next(pair);
        if (!is_dealt_) {
            const float weight = pair.count > options_.x_max
                                     ? 1.0f
                                     : std::pow(pair.count / options_.x_max, options_.alpha);
            open_cells_[at(cell_of(pair))].push_back({static_cast<uint16_t>(pair.word / blocks_),
                                                      static_cast<uint16_t>(pair.context / blocks_),
                                                      std::log(pair.count), weight});
        }
        is_flushing_ = is_dealt_ || ++open_records_ == most;
    }
    return true;
}

// Some cells' records go to the file; false when all are there.
bool Glove::flush_some() {
    for (int64_t written = 0; next_flushed_ < open_cells_.size() && written < kRecordsAtOnce;
         next_flushed_++) {
        std::vector<Record>& records = open_cells_[next_flushed_];
        const auto count = static_cast<int64_t>(records.size());
        file_->write(records.data(), count * kRecordBytes, cell_end_[next_flushed_] * kRecordBytes);
        cell_end_[next_flushed_] += count;
        std::vector<Record>().swap(records);
        written += count;
    }
    if (next_flushed_ < open_cells_.size()) return true;
    next_flushed_ = 0;
    open_records_ = 0;
    is_flushing_ = false;
    return false;
}

// A cell's records come into an order of its own.
bool Glove::shuffle_cell() {
    progress_.check_cancelled();
    const size_t cell = next_cell_++;
    std::vector<Record> records;
    read_records(cell_begin_[cell], cell_begin_[cell + 1], records);
    CounterRandom random(options_.seed, kShuffleStream, cell);
    for (size_t i = records.size(); i > 1; i--)
        std::swap(records[i - 1], records[random.below(static_cast<uint32_t>(i))]);
    file_->write(records.data(), static_cast<int64_t>(records.size()) * kRecordBytes,
                 cell_begin_[cell] * kRecordBytes);
    return next_cell_ < at(blocks_ * blocks_);
}

void Glove::read_records(int64_t begin, int64_t end, std::vector<Record>& records) const {
    records.resize(at(end - begin));
    file_->read(records.data(), (end - begin) * kRecordBytes, begin * kRecordBytes);
}

// Rows are drawn from (−0.5, 0.5) / dimensions, their biases too; sums of squares begin at 1.
bool Glove::start_rows() {
    progress_.check_cancelled();
    const int64_t begin = next_rows_.fetch_add(kRowsPerStep), end = std::min(words_, begin + kRowsPerStep);
    for (int64_t i = begin; i < end; i++) {
        const int64_t place = place_of(i);
        for (const auto& [table, sums, number] : {std::tuple(&words_table_, &word_sums_, 2 * i),
                                                  std::tuple(&contexts_table_, &context_sums_, 2 * i + 1)}) {
            CounterRandom random(options_.seed, kInitStream, static_cast<uint64_t>(number));
            for (int64_t z = 0; z < width_; z++) {
                row(*table, place)[z] = z <= options_.dimensions ? (random.uniform() - 0.5f) /
                                                                       static_cast<float>(options_.dimensions)
                                                                 : 0.0f;
                row(*sums, place)[z] = 1.0f;
            }
        }
    }
    return end < words_;
}

LongPhase Glove::round(int32_t epoch, int64_t diagonal) {
    const auto next = std::make_shared<std::atomic<int64_t>>(0);
    const int threads = static_cast<int>(std::min<int64_t>(options_.threads, blocks_));
    return {threads, [this, next, epoch, diagonal](int member) {
                progress_.check_cancelled();
                progress_.epoch.store(epoch, std::memory_order_relaxed);
                Member& own = members_[at(member)];
                return (own.next < own.end || next_cell(own, *next, diagonal)) && train_some(own);
            }};
}

// The next cell of a round comes to a member; false when there is none left.
bool Glove::next_cell(Member& member, std::atomic<int64_t>& next, int64_t diagonal) {
    member.block = next.fetch_add(1);
    if (member.block >= blocks_) return false;
    member.context_block = (member.block + diagonal) % blocks_;
    const size_t cell = at(member.block * blocks_ + member.context_block);
    member.next = cell_begin_[cell];
    member.end = cell_begin_[cell + 1];
    return true;
}

// A piece of the member's cell.
bool Glove::train_some(Member& member) {
    const FlushDenormals flush;
    const WordKernels& kernels = word_kernels();
    const int64_t first_word = begin_of(member.block), first_context = begin_of(member.context_block);
    GloveSteps steps{row(words_table_, first_word), row(word_sums_, first_word),
                     row(contexts_table_, first_context), row(context_sums_, first_context)};
    steps.width = width_;
    steps.bias = options_.dimensions;
    steps.eta = options_.eta;
    for (const auto end = Clock::now() + kStepTime; member.next < member.end && Clock::now() < end;) {
        read_records(member.next, std::min(member.end, member.next + kRecordsAtOnce), member.records);
        steps.records = member.records.data();
        steps.count = static_cast<int64_t>(member.records.size());
        const double cost = kernels.glove_steps(steps);
        BERTHA_CHECK(std::isfinite(cost), "NON_FINITE",
                     "the vectors are no longer finite numbers: the rate (eta %g) is too large",
                     static_cast<double>(options_.eta));
        member.next += steps.count;
        progress_.add_loss(0.5 * cost, steps.count);
        progress_.done.fetch_add(steps.count, std::memory_order_relaxed);
    }
    return true;
}

bool Glove::add_contexts() {
    progress_.check_cancelled();
    if (vectors_ == nullptr) {
        vectors_ = std::make_shared<WordVectors>();
        vectors_->dimensions = options_.dimensions;
        vectors_->width = row_width(options_.dimensions);
        vectors_->rows = Buffer(at(words_ * vectors_->width) * sizeof(float));
        vectors_->inverse_norms.resize(at(words_));
        vectors_->words = std::move(vocabulary_.words);
    }
    const int64_t begin = next_added_;
    next_added_ = std::min(words_, begin + kRowsPerStep);
    for (int64_t i = begin; i < next_added_; i++) {
        const float *word = row(words_table_, place_of(i)), *context = row(contexts_table_, place_of(i));
        for (int64_t z = 0; z < vectors_->width; z++)
            vectors_->row(i)[z] = z < options_.dimensions ? word[z] + context[z] : 0.0f;
    }
    compute_inverse_norms(*vectors_, begin, next_added_);
    return next_added_ < words_;
}

// What the vectors do not need goes here, and not when JavaScript forgets the training.
bool Glove::release() {
    for (Buffer* table : {&words_table_, &word_sums_, &contexts_table_, &context_sums_}) table->reset();
    file_.reset();
    members_.clear();
    std::vector<int32_t>().swap(vocabulary_.rank_of);
    return false;
}

std::shared_ptr<WordVectors> Glove::take_vectors() { return std::move(vectors_); }

}  // namespace bertha::cpu
