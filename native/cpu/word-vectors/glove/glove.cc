#include "cpu/word-vectors/glove/glove.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "cpu/isa/isa.h"
#include "cpu/word-vectors/training/random.h"
#include "engine/floating_point.h"

namespace bertha::cpu {
namespace {

constexpr int64_t kBlockBytes = int64_t{1} << 19;  // of a block's rows of a table and its sums
constexpr int64_t kFewestBlocks = 32, kMostBlocks = 512;
constexpr int64_t kRowsPerStep = 4096;
constexpr int kPairsPerStep = 1 << 14;  // a millisecond
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

Glove::Glove(std::shared_ptr<const Corpus> corpus, Vocabulary vocabulary, const GloveOptions& options)
    : corpus_(std::move(corpus)),
      vocabulary_(std::move(vocabulary)),
      options_(options),
      words_(vocabulary_.words.size()),
      width_(row_width(options.dimensions + 1)),
      blocks_(blocks_for(words_, width_)),
      counts_(std::make_unique<Cooccurrences>(options.counting)) {
    for (Buffer* table : {&words_table_, &word_sums_, &contexts_table_, &context_sums_})
        *table = Buffer(at(words_ * width_) * sizeof(float));
}

std::vector<LongPhase> Glove::phases() {
    std::vector<LongPhase> phases = {{1, [this](int) { return count_some(); }},
                                     {1, [this](int) { return start_cells(); }},
                                     {1, [this](int) { return measure_cells(); }},
                                     {1, [this](int) { return deal_some(); }},
                                     {1, [this](int) { return shuffle_cell(); }},
                                     {options_.threads, [this](int) { return start_rows(); }}};
    for (int32_t epoch = 0; epoch < options_.epochs; epoch++)
        for (const int64_t diagonal : order_of(kRoundStream, static_cast<uint64_t>(epoch), blocks_))
            phases.push_back(round(epoch, diagonal));
    phases.push_back({1, [this](int) { return add_contexts(); }});
    return phases;
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

bool Glove::count_some() {
    progress_.check_cancelled();
    const std::vector<int64_t>& slices = corpus_->slices();
    if (next_slice_ + 1 >= slices.size()) return false;
    corpus_->read(slices[next_slice_], slices[next_slice_ + 1], numbers_);
    next_slice_++;
    for (const int32_t number : numbers_) {
        const int32_t rank = number < 0 ? number : vocabulary_.rank_of[at(number)];
        if (number == kSentenceEnd) {
            counts_->add_sentence(sentence_);
            sentence_.clear();
        } else if (rank >= 0) {
            sentence_.push_back(rank);
        }
    }
    progress_.done.fetch_add(static_cast<int64_t>(numbers_.size()), std::memory_order_relaxed);
    return next_slice_ + 1 < slices.size();
}

bool Glove::start_cells() {
    progress_.check_cancelled();
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
    Cooccurrence pair;
    const int64_t most = options_.counting.memory_bytes / 4 / static_cast<int64_t>(sizeof(Record));
    for (int i = 0; i < kPairsPerStep; i++) {
        const bool is_there = counts_->next(pair);
        if (is_there) {
            const float weight = pair.count > options_.x_max
                                     ? 1.0f
                                     : std::pow(pair.count / options_.x_max, options_.alpha);
            open_cells_[at(cell_of(pair))].push_back({static_cast<uint16_t>(pair.word / blocks_),
                                                      static_cast<uint16_t>(pair.context / blocks_),
                                                      std::log(pair.count), weight});
        }
        if (!is_there || ++open_records_ == most) flush_cells();
        if (is_there) continue;
        counts_.reset();
        std::vector<std::vector<Record>>().swap(open_cells_);
        progress_.done.store(0);
        progress_.of.store(cell_begin_.back() * options_.epochs);
        progress_.rate.store(options_.eta);
        return false;
    }
    return true;
}

void Glove::flush_cells() {
    for (size_t cell = 0; cell < open_cells_.size(); cell++) {
        std::vector<Record>& records = open_cells_[cell];
        file_->write(records.data(), static_cast<int64_t>(records.size()) * kRecordBytes,
                     cell_end_[cell] * kRecordBytes);
        cell_end_[cell] += static_cast<int64_t>(records.size());
        std::vector<Record>().swap(records);
    }
    open_records_ = 0;
}

// A cell's records come into an order of its own.
bool Glove::shuffle_cell() {
    progress_.check_cancelled();
    const size_t cell = next_cell_++;
    std::vector<Record> records = read_cell(cell);
    CounterRandom random(options_.seed, kShuffleStream, cell);
    for (size_t i = records.size(); i > 1; i--)
        std::swap(records[i - 1], records[random.below(static_cast<uint32_t>(i))]);
    file_->write(records.data(), static_cast<int64_t>(records.size()) * kRecordBytes,
                 cell_begin_[cell] * kRecordBytes);
    return next_cell_ < at(blocks_ * blocks_);
}

std::vector<Glove::Record> Glove::read_cell(size_t cell) const {
    std::vector<Record> records(at(cell_begin_[cell + 1] - cell_begin_[cell]));
    file_->read(records.data(), static_cast<int64_t>(records.size()) * kRecordBytes,
                cell_begin_[cell] * kRecordBytes);
    return records;
}

// Rows are drawn from (−0.5, 0.5) / dimensions, their biases too; sums of squares begin at 1.
bool Glove::start_rows() {
    progress_.check_cancelled();
    const int64_t begin = next_rows_.fetch_add(kRowsPerStep), end = std::min(words_, begin + kRowsPerStep);
    for (int64_t i = begin; i < end; i++) {
        for (const auto& [table, sums, number] : {std::tuple(&words_table_, &word_sums_, 2 * i),
                                                  std::tuple(&contexts_table_, &context_sums_, 2 * i + 1)}) {
            CounterRandom random(options_.seed, kInitStream, static_cast<uint64_t>(number));
            for (int64_t z = 0; z < width_; z++) {
                row(*table, i)[z] = z <= options_.dimensions
                                        ? (random.uniform() - 0.5f) / static_cast<float>(options_.dimensions)
                                        : 0.0f;
                row(*sums, i)[z] = 1.0f;
            }
        }
    }
    return end < words_;
}

LongPhase Glove::round(int32_t epoch, int64_t diagonal) {
    const auto next = std::make_shared<std::atomic<int64_t>>(0);
    const int threads = static_cast<int>(std::min<int64_t>(options_.threads, blocks_));
    return {threads, [this, next, epoch, diagonal](int) { return train_cell(next, epoch, diagonal); }};
}

bool Glove::train_cell(const std::shared_ptr<std::atomic<int64_t>>& next, int32_t epoch, int64_t diagonal) {
    const FlushDenormals flush;
    progress_.check_cancelled();
    const int64_t block = next->fetch_add(1), context_block = (block + diagonal) % blocks_;
    if (block >= blocks_) return false;
    const std::vector<Record> records = read_cell(at(block * blocks_ + context_block));
    const auto count = static_cast<int64_t>(records.size());
    const WordKernels& kernels = word_kernels();
    GloveStep step{};
    step.width = width_;
    step.bias = options_.dimensions;
    step.eta = options_.eta;
    step.clip = 100.0f;
    double cost = 0.0;
    for (int64_t i = 0; i < count; i++) {
        const Record& record = records[at(i)];
        const int64_t word = record.word * blocks_ + block,
                      context = record.context * blocks_ + context_block;
        step.word = row(words_table_, word);
        step.word_sums = row(word_sums_, word);
        step.context = row(contexts_table_, context);
        step.context_sums = row(context_sums_, context);
        step.log_count = record.log_count;
        step.weight = record.weight;
        cost += static_cast<double>(kernels.glove_step(step));
        if ((i & 0xfff) == 0xfff) progress_.check_cancelled();
    }
    BERTHA_CHECK(std::isfinite(cost), "NON_FINITE",
                 "the vectors are no longer finite numbers: the rate (eta %g) is too large",
                 static_cast<double>(options_.eta));
    progress_.add_loss(0.5 * cost, count);
    progress_.done.fetch_add(count, std::memory_order_relaxed);
    progress_.epoch.store(epoch, std::memory_order_relaxed);
    return block + 1 < blocks_;
}

bool Glove::add_contexts() {
    vectors_ = std::make_shared<WordVectors>();
    vectors_->dimensions = options_.dimensions;
    vectors_->width = row_width(options_.dimensions);
    vectors_->rows = Buffer(at(words_ * vectors_->width) * sizeof(float));
    vectors_->inverse_norms.resize(at(words_));
    for (int64_t i = 0; i < words_; i++)
        for (int64_t z = 0; z < vectors_->width; z++)
            vectors_->row(i)[z] = z < options_.dimensions
                                      ? row(words_table_, i)[z] + row(contexts_table_, i)[z]
                                      : 0.0f;
    vectors_->words = std::move(vocabulary_.words);
    compute_inverse_norms(*vectors_, 0, words_);
    return false;
}

std::shared_ptr<WordVectors> Glove::take_vectors() { return std::move(vectors_); }

}  // namespace bertha::cpu
