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
constexpr int kLayoutVersion = 2;
constexpr int64_t kTableBytes = int64_t{1} << 20;  // a lookup table is read in parts of about this size
constexpr int64_t kLazyBytes = int64_t{8} << 20;   // from this size on a word table is read row by row
constexpr int64_t kVectorSlack = 256 * 4;          // zeros behind a bias: tiles load whole panels of it

int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

}  // namespace

PackedWeights::PackedWeights(const Program& program, const std::vector<const MatrixFormat*>& formats,
                             const char* isa, WeightSource& source, Team& team, WeightCache* cache)
    : program_(program),
      format_of_(program.weights.size(), nullptr),
      offsets_(program.weights.size(), -1),
      input_scale_of_(program.weights.size(), kNoIndex),
      input_scales_(program.weights.size()) {
    int64_t bytes = 0;
    std::vector<Part> parts;
    const auto place = [&](int32_t id, const MatrixFormat* format) {
        if (id == kNoIndex || offsets_[static_cast<size_t>(id)] >= 0) return;
        const Weight& weight = program.weights[static_cast<size_t>(id)];
        offsets_[static_cast<size_t>(id)] = bytes;
        int64_t step = weight.rows;
        if (weight.kind == WeightKind::kMatrix) {
            format_of_[static_cast<size_t>(id)] = format;
            step = format->panel_width;
            const int64_t whole = weight.rows / step, rest = weight.rows % step;
            bytes += whole * format->panel_bytes(step, weight.cols) +
                     (rest > 0 ? format->panel_bytes(rest, weight.cols) : 0);
        } else {
            if (weight.kind == WeightKind::kTable)
                step = std::max<int64_t>(1, kTableBytes / (weight.cols * 4));
            if (id != words_weight_)
                bytes += weight.rows * weight.cols * 4 +
                         (weight.kind == WeightKind::kVector ? kVectorSlack : 0);
        }
        bytes = round_up(bytes, 64);
        for (int64_t row = 0; row < weight.rows; row += step)
            parts.push_back({id, row, std::min(row + step, weight.rows)});
    };
    std::vector<int32_t> input_scales;
    for (size_t i = 0; i < program.ops.size(); i++) {
        const Op& op = program.ops[i];
        if (op.kind == OpKind::kLinear && formats[i]->row_bytes(1) > 0) {  // it rounds its input
            int32_t& scale = input_scale_of_[static_cast<size_t>(op.weight)];
            BERTHA_CHECK(offsets_[static_cast<size_t>(op.weight)] < 0 || scale == op.input_scale,
                         "INVALID_PROGRAM", "op %zu (linear): expected one input scale for all uses of %s", i,
                         program.weights[static_cast<size_t>(op.weight)].name.c_str());
            scale = op.input_scale;
            if (scale != kNoIndex && offsets_[static_cast<size_t>(scale)] < 0) {
                offsets_[static_cast<size_t>(scale)] = bytes;
                bytes = round_up(bytes + program.weights[static_cast<size_t>(scale)].cols * 4 + kVectorSlack,
                                 64);
                input_scales.push_back(scale);
            }
        }
        if (cache == nullptr && op.kind == OpKind::kEmbed && offsets_[static_cast<size_t>(op.weight)] < 0)
            keep_words(op.weight, source);
        for (int32_t id : {op.weight, op.bias, op.position_table, op.type_table, op.relative_bias})
            place(id, formats[i]);
    }

    bytes_ = bytes;
    std::string layout = std::string(isa) + " layout " + std::to_string(kLayoutVersion);
    for (size_t i = 0; i < program.ops.size(); i++)
        if (program.ops[i].kind == OpKind::kLinear) layout += std::string(" ") + formats[i]->precision;
    if (cache != nullptr) mapped_ = cache->load(layout, bytes, team);
    if (mapped_ != nullptr) {
        base_ = mapped_->data();
        return;
    }
    data_ = Buffer(static_cast<size_t>(bytes));
    // What lies between the weights goes into the file as well.
    if (cache != nullptr) std::memset(data_.as<uint8_t>(), 0, static_cast<size_t>(bytes));
    base_ = data_.as<uint8_t>();
    pack(parts, input_scales, source, team);
    if (cache != nullptr) cache->store(layout, base_, bytes, team);
}

void PackedWeights::pack(const std::vector<Part>& parts, const std::vector<int32_t>& input_scales,
                         WeightSource& source, Team& team) {
    int64_t staging_floats = 0;
    for (const Part& part : parts)
        if (format_of_[static_cast<size_t>(part.weight)] != nullptr || part.weight == words_weight_)
            staging_floats = std::max(
                staging_floats,
                (part.row_end - part.row_begin) * program_.weights[static_cast<size_t>(part.weight)].cols);
    for (int32_t scale : input_scales) load_input_scale(scale, source);
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
    words_ = std::make_unique<LazyTable>(shape.rows, shape.cols, std::move(rows));
    words_weight_ = weight;
}

// The matrices are packed with the scale; forwards multiply with its inverse.
void PackedWeights::load_input_scale(int32_t weight, WeightSource& source) {
    const int64_t cols = program_.weights[static_cast<size_t>(weight)].cols;
    std::vector<float>& scale = input_scales_[static_cast<size_t>(weight)];
    scale.resize(static_cast<size_t>(cols));
    source.read(weight, 0, 1, scale.data());
    float* inverse = reinterpret_cast<float*>(data_.as<uint8_t>() + offsets_[static_cast<size_t>(weight)]);
    for (int64_t i = 0; i < cols; i++) {
        const float value = scale[static_cast<size_t>(i)];
        BERTHA_CHECK(value > 1e-20f && value < 1e20f, "INVALID_PROGRAM",
                     "input scale %s: expected positive numbers, got %g at %lld",
                     program_.weights[static_cast<size_t>(weight)].name.c_str(), static_cast<double>(value),
                     static_cast<long long>(i));
        inverse[i] = 1.0f / value;
    }
    std::memset(inverse + cols, 0, static_cast<size_t>(kVectorSlack));
}

void PackedWeights::load_part(const Part& part, WeightSource& source, float* staging) const {
    const Weight& weight = program_.weights[static_cast<size_t>(part.weight)];
    uint8_t* base = data_.as<uint8_t>() + offsets_[static_cast<size_t>(part.weight)];
    if (const MatrixFormat* format = format_of_[static_cast<size_t>(part.weight)]; format != nullptr) {
        source.read(part.weight, part.row_begin, part.row_end, staging);
        const int64_t panel = part.row_begin / format->panel_width *
                              format->panel_bytes(format->panel_width, weight.cols);
        const int32_t scale = input_scale_of_[static_cast<size_t>(part.weight)];
        const float* input_scale = scale == kNoIndex ? nullptr
                                                     : input_scales_[static_cast<size_t>(scale)].data();
        format->pack_panel(staging, part.row_end - part.row_begin, weight.cols, input_scale, base + panel);
        return;
    }
    if (part.weight == words_weight_) return source.read(part.weight, part.row_begin, part.row_end, staging);
    float* rows = reinterpret_cast<float*>(base);
    source.read(part.weight, part.row_begin, part.row_end, rows + part.row_begin * weight.cols);
    if (weight.kind == WeightKind::kVector)
        std::memset(rows + weight.cols, 0, static_cast<size_t>(kVectorSlack));
}

PackedMatrix PackedWeights::matrix(int32_t weight) const {
    const Weight& shape = program_.weights[static_cast<size_t>(weight)];
    const MatrixFormat* format = format_of_[static_cast<size_t>(weight)];
    return {row(weight), format->panel_bytes(format->panel_width, shape.cols), shape.rows, shape.cols};
}

}  // namespace bertha::cpu
