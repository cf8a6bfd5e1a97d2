#include "cpu/packed_weights.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>

#include "engine/check.h"

namespace bertha::cpu {
namespace {

// To be raised with every change of what is stored where, so that files of weights that were stored before
// are not used.
constexpr int kLayoutVersion = 4;
constexpr int64_t kTableBytes = int64_t{1} << 20;  // a lookup table is read in parts of about this size
constexpr int64_t kLazyBytes = int64_t{8} << 20;   // from this size on a word table is read row by row
constexpr int64_t kVectorSlack = 256 * 4;          // zeros behind a bias: tiles load whole panels of it

int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

// Where the integers of a table begin, in bytes, behind the rows' scales.
int64_t codes_at(const Weight& table) { return round_up(table.rows * 4, 64); }

}  // namespace

PackedWeights::PackedWeights(const Program& program, const std::vector<const MatrixFormat*>& formats,
                             const char* isa, WeightSource& source, Team& team, WeightCache* cache)
    : program_(program),
      isa_(isa),
      block_of_weight_(program.weights.size(), kNoIndex),
      matrix_of_op_(program.ops.size(), kNoIndex),
      inverse_scale_of_op_(program.ops.size(), kNoIndex),
      input_scales_(program.weights.size()) {
    std::string layout = isa_ + " layout " + std::to_string(kLayoutVersion);
    for (size_t i = 0; i < program.ops.size(); i++) {
        const Op& op = program.ops[i];
        if (const auto* linear = std::get_if<ops::Linear>(&op)) {
            place_linear(i, *linear, formats[i], source);
            layout += std::string(" ") + formats[i]->precision;
            continue;
        }
        if (const auto* pooled = std::get_if<ops::PoolLinear>(&op)) {
            matrix_of_op_[i] = place({pooled->matrix, formats[i], kNoIndex, false, false}, source);
            if (pooled->bias != kNoIndex) place_plain(pooled->bias, source);
            continue;
        }
        const auto* embed = std::get_if<ops::Embed>(&op);
        if (embed != nullptr && source.has_codes(embed->word, false)) {
            Block words{embed->word, nullptr, kNoIndex, false, false};
            words.is_coded = true;
            block_of_weight_[static_cast<size_t>(embed->word)] = place(words, source);
        } else if (cache == nullptr && embed != nullptr) {
            choose_words(embed->word, source);
        }
        for_each_weight(op, [&](int32_t id) {
            if (embed == nullptr || id != embed->word || !is_coded(id)) place_plain(id, source);
        });
    }
    if (cache != nullptr)
        pack_alone(layout, source, team, *cache);
    else
        pack_with_others(source, team);
    input_scales_ = {};
}

// In one memory block, which is a file's where the cache has it.
void PackedWeights::pack_alone(const std::string& layout, WeightSource& source, Team& team,
                               WeightCache& cache) {
    int64_t bytes = 0;
    for (const Block& block : blocks_) bytes += block.bytes;
    mapped_ = cache.load(layout, bytes, team);
    if (mapped_ == nullptr) data_ = Buffer(static_cast<size_t>(bytes));
    int64_t offset = 0;
    for (Block& block : blocks_) {
        block.own = mapped_ == nullptr ? data_.as<uint8_t>() + offset : nullptr;
        block.data = mapped_ == nullptr ? block.own : mapped_->data() + offset;
        offset += block.bytes;
    }
    if (mapped_ != nullptr) return;
    // What lies between the weights goes into the file as well.
    std::memset(data_.as<uint8_t>(), 0, static_cast<size_t>(bytes));
    pack(source, team);
    source.verify();
    cache.store(layout, data_.as<uint8_t>(), bytes, team);
}

// What another model has is used, what is missing is made and offered to others.
void PackedWeights::pack_with_others(WeightSource& source, Team& team) {
    std::vector<std::string> keys;
    for (const Block& block : blocks_) keys.push_back(block.key);
    SharedWeights::Claim claim(SharedWeights::instance(), std::move(keys));

    std::map<int32_t, int64_t> bytes_of_file;
    for (size_t i = 0; i < blocks_.size(); i++)
        if (claim.found(i) == nullptr) bytes_of_file[source.file(blocks_[i].weight)] += blocks_[i].bytes;
    std::map<int32_t, std::shared_ptr<const Buffer>> memory;
    for (const auto& [file, bytes] : bytes_of_file)
        memory[file] = std::make_shared<const Buffer>(static_cast<size_t>(bytes));

    std::shared_ptr<LazyTable> words;
    std::map<int32_t, int64_t> offset_in_file;
    for (size_t i = 0; i < blocks_.size(); i++) {
        Block& block = blocks_[i];
        block.stored = claim.found(i);
        if (is_lazy(block)) {
            if (block.stored == nullptr) {
                const Weight& shape = weight(block);
                words = std::make_shared<LazyTable>(shape.name, shape.rows, shape.cols,
                                                    source.keep(block.weight));
            }
            words_ = words ? words.get() : static_cast<LazyTable*>(const_cast<void*>(block.stored->data));
        } else if (block.stored != nullptr) {
            block.data = static_cast<const uint8_t*>(block.stored->data);
        } else {
            const int32_t file = source.file(block.weight);
            block.data = block.own = memory[file]->as<uint8_t>() + offset_in_file[file];
            offset_in_file[file] += block.bytes;
        }
    }
    pack(source, team);
    source.verify();
    for (size_t i = 0; i < blocks_.size(); i++) {
        Block& block = blocks_[i];
        if (block.stored != nullptr) continue;
        if (is_lazy(block))
            block.stored = claim.publish(i, words, words.get());
        else
            block.stored = claim.publish(i, memory[source.file(block.weight)], block.data);
    }
}

int64_t PackedWeights::bytes() const {
    int64_t bytes = words_ != nullptr ? words_->bytes() : 0;
    for (const Block& block : blocks_) bytes += block.bytes;
    return bytes;
}

int64_t PackedWeights::shared_bytes() const {
    int64_t bytes = 0;
    for (const Block& block : blocks_)
        if (block.stored.use_count() > 1) bytes += is_lazy(block) ? words_->bytes() : block.bytes;
    return bytes;
}

void PackedWeights::place_linear(size_t index, const ops::Linear& op, const MatrixFormat* format,
                                 WeightSource& source) {
    const bool rounds_input = format->row_bytes(1) > 0;
    const int32_t scale = rounds_input ? op.input_scale : kNoIndex;
    if (scale != kNoIndex)
        inverse_scale_of_op_[index] = place({scale, nullptr, kNoIndex, true, false}, source);
    matrix_of_op_[index] = place({op.matrix, format, scale, false, op.gated}, source);
    if (op.bias != kNoIndex) place_plain(op.bias, source);
}

// A vector or table, as it is.
void PackedWeights::place_plain(int32_t id, WeightSource& source) {
    block_of_weight_[static_cast<size_t>(id)] = place({id, nullptr, kNoIndex, false, false}, source);
}

// The block that stores a weight like this, a new one where there is none.
int32_t PackedWeights::place(Block block, WeightSource& source) {
    block.key = source.identity(block.weight);
    if (!block.key.empty()) {
        block.key += is_lazy(block)           ? "lazy"
                     : block.is_inverse_scale ? "inverse"
                     : block.is_coded         ? "coded"
                                              : "";
        if (block.format != nullptr) block.key += isa_ + " " + block.format->precision;
        if (block.is_gated) block.key += " gated";
        if (block.input_scale != kNoIndex) {
            const std::string scale = source.identity(block.input_scale);
            block.key = scale.empty() ? "" : block.key + " scaled by " + scale;
        }
    }
    const auto found = std::find_if(blocks_.begin(), blocks_.end(), [&](const Block& other) {
        const bool is_same = other.weight == block.weight && other.format == block.format &&
                             other.input_scale == block.input_scale &&
                             other.is_inverse_scale == block.is_inverse_scale &&
                             other.is_coded == block.is_coded && other.is_gated == block.is_gated;
        return is_same || (!block.key.empty() && other.key == block.key);
    });
    if (found != blocks_.end()) return static_cast<int32_t>(found - blocks_.begin());
    block.bytes = round_up(bytes_of(block), 64);
    blocks_.push_back(std::move(block));
    return static_cast<int32_t>(blocks_.size()) - 1;
}

int64_t PackedWeights::bytes_of(const Block& block) const {
    const Weight& weight = this->weight(block);
    if (is_lazy(block)) return 0;
    if (block.is_coded) return codes_at(weight) + weight.rows * weight.cols;
    if (block.format == nullptr)
        return weight.rows * weight.cols * 4 + (weight.kind == WeightKind::kVector ? kVectorSlack : 0);
    const int64_t step = block.format->panel_width, rows = block.is_gated ? weight.rows / 2 : weight.rows,
                  panels = (rows + step - 1) / step, last = rows - (panels - 1) * step;
    return (block.is_gated ? 2 * panels - 1 : panels - 1) * block.format->panel_bytes(step, weight.cols) +
           block.format->panel_bytes(last, weight.cols);
}

std::vector<PackedWeights::Part> PackedWeights::parts() const {
    std::vector<Part> parts;
    for (const Block& block : blocks_) {
        const bool is_there = is_lazy(block) ? block.stored != nullptr : block.own == nullptr;
        if (is_there || block.is_inverse_scale) continue;
        const Weight& weight = this->weight(block);
        int64_t step = weight.rows;
        if (block.format != nullptr)
            step = block.format->panel_width;
        else if (weight.kind == WeightKind::kTable)
            step = std::max<int64_t>(1, kTableBytes / (weight.cols * 4));
        const int64_t half = block.is_gated ? weight.rows / 2 : weight.rows;
        for (int64_t begin = 0; begin < weight.rows; begin += half)
            for (int64_t row = begin; row < begin + half; row += step)
                parts.push_back({&block, row, std::min(row + step, begin + half)});
    }
    return parts;
}

void PackedWeights::pack(WeightSource& source, Team& team) {
    const std::vector<Part> parts = this->parts();
    int64_t staging_floats = 0;
    for (const Part& part : parts)
        if (part.block->format != nullptr || is_lazy(*part.block) || part.block->is_coded)
            staging_floats = std::max(staging_floats,
                                      (part.row_end - part.row_begin) * weight(*part.block).cols);
    for (const Block& block : blocks_)
        if (block.is_inverse_scale) load_input_scale(block, source);
    std::vector<Buffer> staging;
    for (int member = 0; member < team.size(); member++)
        staging.emplace_back(static_cast<size_t>(staging_floats) * sizeof(float));
    std::mutex mutex;
    std::exception_ptr error;
    team.run(static_cast<int64_t>(parts.size()), [&](int64_t unit, int member) {
        try {
            load_part(parts[static_cast<size_t>(unit)], source,
                      staging[static_cast<size_t>(member)].floats());
        } catch (...) {
            const std::lock_guard<std::mutex> lock(mutex);
            if (!error) error = std::current_exception();
        }
    });
    if (error) std::rethrow_exception(error);
}

// The first table is read row by row if it is large and the source can.
void PackedWeights::choose_words(int32_t weight, WeightSource& source) {
    const Weight& shape = program_.weights[static_cast<size_t>(weight)];
    if (words_weight_ != kNoIndex || shape.rows * shape.cols * 4 < kLazyBytes) return;
    if (source.keep(weight) != nullptr) words_weight_ = weight;
}

// The matrices are packed with the scale; forwards multiply with its inverse.
void PackedWeights::load_input_scale(const Block& block, WeightSource& source) {
    const int64_t cols = weight(block).cols;
    std::vector<float>& scale = input_scales_[static_cast<size_t>(block.weight)];
    scale.resize(static_cast<size_t>(cols));
    source.read(block.weight, 0, 1, scale.data());
    if (block.own == nullptr) return;
    float* inverse = reinterpret_cast<float*>(block.own);
    for (int64_t i = 0; i < cols; i++) {
        const float value = scale[static_cast<size_t>(i)];
        BERTHA_CHECK(value > 1e-20f && value < 1e20f, "INVALID_PROGRAM",
                     "input scale %s: expected positive numbers, got %g at %lld", weight(block).name.c_str(),
                     static_cast<double>(value), static_cast<long long>(i));
        inverse[i] = 1.0f / value;
    }
    std::memset(inverse + cols, 0, static_cast<size_t>(kVectorSlack));
}

// The panel that begins with a row of the matrix.
int64_t PackedWeights::panel_at(const Block& block, int64_t row) const {
    const int64_t width = block.format->panel_width, half = weight(block).rows / 2;
    if (!block.is_gated) return row / width;
    return row < half ? 2 * (row / width) : 2 * ((row - half) / width) + 1;
}

void PackedWeights::load_part(const Part& part, WeightSource& source, float* staging) const {
    const Block& block = *part.block;
    const Weight& weight = this->weight(block);
    if (const MatrixFormat* format = block.format; format != nullptr) {
        const int64_t panel = panel_at(block, part.row_begin) *
                              format->panel_bytes(format->panel_width, weight.cols);
        if (pack_codes(part, source, staging, block.own + panel)) return;
        source.read(block.weight, part.row_begin, part.row_end, staging);
        const float* input_scale = block.input_scale == kNoIndex
                                       ? nullptr
                                       : input_scales_[static_cast<size_t>(block.input_scale)].data();
        format->pack_panel(staging, part.row_end - part.row_begin, weight.cols, input_scale,
                           block.own + panel);
        return;
    }
    if (is_lazy(block)) {
        source.read(block.weight, part.row_begin, part.row_end, staging);
        words_->remember(part.row_begin, part.row_end - part.row_begin, staging);
        return;
    }
    if (block.is_coded) return load_codes(part, source, staging);
    float* rows = reinterpret_cast<float*>(block.own);
    source.read(block.weight, part.row_begin, part.row_end, rows + part.row_begin * weight.cols);
    if (weight.kind == WeightKind::kVector)
        std::memset(rows + weight.cols, 0, static_cast<size_t>(kVectorSlack));
}

// Where a matrix is stored as the integers that its format would make of it, they are packed as they are: the
// same bits as from the float32 matrix that they were made of. False where it is stored otherwise.
bool PackedWeights::pack_codes(const Part& part, WeightSource& source, float* staging, uint8_t* panel) const {
    const Block& block = *part.block;
    if (block.format->scale_panel == nullptr ||
        !source.has_codes(block.weight, block.input_scale != kNoIndex))
        return false;
    const int64_t rows = part.row_end - part.row_begin;
    std::vector<float> scales(static_cast<size_t>(rows));
    source.read_codes(block.weight, part.row_begin, part.row_end, staging, scales.data());
    block.format->pack_panel(staging, rows, weight(block).cols, nullptr, panel);
    block.format->scale_panel(panel, scales.data(), rows);
    return true;
}

void PackedWeights::load_codes(const Part& part, WeightSource& source, float* staging) const {
    const Weight& shape = weight(*part.block);
    float* scales = reinterpret_cast<float*>(part.block->own) + part.row_begin;
    source.read_codes(part.block->weight, part.row_begin, part.row_end, staging, scales);
    auto* codes = reinterpret_cast<int8_t*>(part.block->own) + codes_at(shape) + part.row_begin * shape.cols;
    for (int64_t i = 0; i < (part.row_end - part.row_begin) * shape.cols; i++)
        codes[i] = static_cast<int8_t>(staging[i]);
}

const float* PackedWeights::words(int32_t id, const int32_t* ids, int64_t count, float* output) const {
    if (!is_coded(id)) return row(id);
    const Block& block = blocks_[static_cast<size_t>(block_of_weight_[static_cast<size_t>(id)])];
    const Weight& shape = weight(block);
    const float* scales = reinterpret_cast<const float*>(block.data);
    const auto* codes = reinterpret_cast<const int8_t*>(block.data) + codes_at(shape);
    for (int64_t i = 0; i < count; i++, output += shape.cols) {
        const int8_t* from = codes + ids[i] * shape.cols;
        const float scale = scales[ids[i]];
        for (int64_t j = 0; j < shape.cols; j++) output[j] = static_cast<float>(from[j]) * scale;
    }
    return nullptr;
}

PackedMatrix PackedWeights::matrix(int32_t op) const {
    const Block& block = blocks_[static_cast<size_t>(matrix_of_op_[static_cast<size_t>(op)])];
    const Weight& shape = weight(block);
    return {block.data, block.format->panel_bytes(block.format->panel_width, shape.cols),
            block.is_gated ? shape.rows / 2 : shape.rows, shape.cols};
}

}  // namespace bertha::cpu
