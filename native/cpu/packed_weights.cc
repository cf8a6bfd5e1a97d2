#include "cpu/packed_weights.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <mutex>

#include "engine/check.h"

namespace bertha::cpu {
namespace {

// To be raised with every change of what is stored where, so that files of weights that were stored before
// are not used.
constexpr int kLayoutVersion = 3;
constexpr int64_t kTableBytes = int64_t{1} << 20;  // a lookup table is read in parts of about this size
constexpr int64_t kLazyBytes = int64_t{8} << 20;   // from this size on a word table is read row by row
constexpr int64_t kVectorSlack = 256 * 4;          // zeros behind a bias: tiles load whole panels of it

int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

}  // namespace

PackedWeights::PackedWeights(const Program& program, const std::vector<const MatrixFormat*>& formats,
                             const char* isa, WeightSource& source, Team& team, WeightCache* cache)
    : program_(program),
      block_of_weight_(program.weights.size(), kNoIndex),
      matrix_of_op_(program.ops.size(), kNoIndex),
      inverse_scale_of_op_(program.ops.size(), kNoIndex),
      input_scales_(program.weights.size()) {
    std::string layout = std::string(isa) + " layout " + std::to_string(kLayoutVersion);
    for (size_t i = 0; i < program.ops.size(); i++) {
        const Op& op = program.ops[i];
        if (const auto* linear = std::get_if<ops::Linear>(&op)) {
            place_linear(i, *linear, formats[i]);
            layout += std::string(" ") + formats[i]->precision;
            continue;
        }
        const auto* embed = std::get_if<ops::Embed>(&op);
        if (cache == nullptr && embed != nullptr) keep_words(embed->word, source);
        for_each_weight(op, [this](int32_t id) { place_plain(id); });
    }

    if (cache != nullptr) mapped_ = cache->load(layout, bytes_, team);
    if (mapped_ != nullptr) {
        base_ = mapped_->data();
        return;
    }
    data_ = Buffer(static_cast<size_t>(bytes_));
    // What lies between the weights goes into the file as well.
    if (cache != nullptr) std::memset(data_.as<uint8_t>(), 0, static_cast<size_t>(bytes_));
    base_ = data_.as<uint8_t>();
    pack(source, team);
    if (cache == nullptr) return;
    source.verify();
    cache->store(layout, base_, bytes_, team);
}

void PackedWeights::place_linear(size_t index, const ops::Linear& op, const MatrixFormat* format) {
    const bool rounds_input = format->row_bytes(1) > 0;
    const int32_t scale = rounds_input ? op.input_scale : kNoIndex;
    if (scale != kNoIndex) inverse_scale_of_op_[index] = place(scale, nullptr, kNoIndex, true);
    matrix_of_op_[index] = place(op.matrix, format, scale, false);
    if (op.bias != kNoIndex) place_plain(op.bias);
}

// A vector or table, as it is.
void PackedWeights::place_plain(int32_t id) {
    block_of_weight_[static_cast<size_t>(id)] = place(id, nullptr, kNoIndex, false);
}

// The block that stores a weight like this, a new one where there is none.
int32_t PackedWeights::place(int32_t id, const MatrixFormat* format, int32_t input_scale,
                             bool is_inverse_scale) {
    const auto found = std::find_if(blocks_.begin(), blocks_.end(), [&](const Block& block) {
        return block.weight == id && block.format == format && block.input_scale == input_scale &&
               block.is_inverse_scale == is_inverse_scale;
    });
    if (found != blocks_.end()) return static_cast<int32_t>(found - blocks_.begin());
    const Weight& weight = program_.weights[static_cast<size_t>(id)];
    blocks_.push_back({id, format, input_scale, is_inverse_scale, bytes_});
    if (format != nullptr) {
        const int64_t step = format->panel_width, whole = weight.rows / step, rest = weight.rows % step;
        bytes_ += whole * format->panel_bytes(step, weight.cols) +
                  (rest > 0 ? format->panel_bytes(rest, weight.cols) : 0);
    } else if (id != words_weight_) {
        bytes_ += weight.rows * weight.cols * 4 + (weight.kind == WeightKind::kVector ? kVectorSlack : 0);
    }
    bytes_ = round_up(bytes_, 64);
    return static_cast<int32_t>(blocks_.size()) - 1;
}

std::vector<PackedWeights::Part> PackedWeights::parts() const {
    std::vector<Part> parts;
    for (const Block& block : blocks_) {
        if (block.is_inverse_scale) continue;
        const Weight& weight = this->weight(block);
        int64_t step = weight.rows;
        if (block.format != nullptr)
            step = block.format->panel_width;
        else if (weight.kind == WeightKind::kTable)
            step = std::max<int64_t>(1, kTableBytes / (weight.cols * 4));
        for (int64_t row = 0; row < weight.rows; row += step)
            parts.push_back({&block, row, std::min(row + step, weight.rows)});
    }
    return parts;
}

void PackedWeights::pack(WeightSource& source, Team& team) {
    const std::vector<Part> parts = this->parts();
    int64_t staging_floats = 0;
    for (const Part& part : parts)
        if (part.block->format != nullptr || part.block->weight == words_weight_)
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
    input_scales_ = {};
}

void PackedWeights::keep_words(int32_t weight, WeightSource& source) {
    const Weight& shape = program_.weights[static_cast<size_t>(weight)];
    if (words_ || shape.rows * shape.cols * 4 < kLazyBytes) return;
    std::unique_ptr<RowSource> rows = source.keep(weight);
    if (!rows) return;
    words_ = std::make_unique<LazyTable>(shape.name, shape.rows, shape.cols, std::move(rows));
    words_weight_ = weight;
}

// The matrices are packed with the scale; forwards multiply with its inverse.
void PackedWeights::load_input_scale(const Block& block, WeightSource& source) {
    const int64_t cols = weight(block).cols;
    std::vector<float>& scale = input_scales_[static_cast<size_t>(block.weight)];
    scale.resize(static_cast<size_t>(cols));
    source.read(block.weight, 0, 1, scale.data());
    float* inverse = reinterpret_cast<float*>(data_.as<uint8_t>() + block.offset);
    for (int64_t i = 0; i < cols; i++) {
        const float value = scale[static_cast<size_t>(i)];
        BERTHA_CHECK(value > 1e-20f && value < 1e20f, "INVALID_PROGRAM",
                     "input scale %s: expected positive numbers, got %g at %lld", weight(block).name.c_str(),
                     static_cast<double>(value), static_cast<long long>(i));
        inverse[i] = 1.0f / value;
    }
    std::memset(inverse + cols, 0, static_cast<size_t>(kVectorSlack));
}

void PackedWeights::load_part(const Part& part, WeightSource& source, float* staging) const {
    const Block& block = *part.block;
    const Weight& weight = this->weight(block);
    uint8_t* base = data_.as<uint8_t>() + block.offset;
    if (const MatrixFormat* format = block.format; format != nullptr) {
        source.read(block.weight, part.row_begin, part.row_end, staging);
        const int64_t panel = part.row_begin / format->panel_width *
                              format->panel_bytes(format->panel_width, weight.cols);
        const float* input_scale = block.input_scale == kNoIndex
                                       ? nullptr
                                       : input_scales_[static_cast<size_t>(block.input_scale)].data();
        format->pack_panel(staging, part.row_end - part.row_begin, weight.cols, input_scale, base + panel);
        return;
    }
    if (block.weight == words_weight_) {
        source.read(block.weight, part.row_begin, part.row_end, staging);
        words_->remember(part.row_begin, part.row_end - part.row_begin, staging);
        return;
    }
    float* rows = reinterpret_cast<float*>(base);
    source.read(block.weight, part.row_begin, part.row_end, rows + part.row_begin * weight.cols);
    if (weight.kind == WeightKind::kVector)
        std::memset(rows + weight.cols, 0, static_cast<size_t>(kVectorSlack));
}

PackedMatrix PackedWeights::matrix(int32_t op) const {
    const Block& block = blocks_[static_cast<size_t>(matrix_of_op_[static_cast<size_t>(op)])];
    const Weight& shape = weight(block);
    return {base_ + block.offset, block.format->panel_bytes(block.format->panel_width, shape.cols),
            shape.rows, shape.cols};
}

}  // namespace bertha::cpu
