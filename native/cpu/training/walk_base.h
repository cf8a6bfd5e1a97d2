// What the steps of a chunk's walk share: where slots lie, units of fixed sizes, the product.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cpu/attention/attention_args.h"
#include "cpu/attention/distance_biases.h"
#include "cpu/sequence-ops/unfold.h"
#include "cpu/training/chunk_walk.h"

namespace bertha::cpu {

constexpr int64_t kUnitRows = 64;  // rows of a row-wise unit
constexpr int64_t kFewRows = 64;   // with fewer, threads share a product's columns instead
constexpr int64_t kUnitPanels = 4;
constexpr int64_t kUnitProducts = int64_t{1} << 26;  // multiplications of a unit: at most some 2 ms
constexpr int64_t kUnitInputs = 384;                 // of a matrix's columns in one unit of its gradient
constexpr int64_t kGradPanels = 8;                   // of a matrix's panels likewise, at most
constexpr int64_t kUnitColumns = 64;                 // of a sum over rows

inline int64_t ceil_div(int64_t n, int64_t step) { return (n + step - 1) / step; }

// Units of a fixed size: who computes one does not change its bits.
struct Range {
    int64_t begin, end;
    int64_t count() const { return end - begin; }
};
inline Range range_of(int64_t unit, int64_t step, int64_t total) {
    return {unit * step, std::min((unit + 1) * step, total)};
}

class WalkBase {
public:
    WalkBase(const WalkContext& context, const Chunk& chunk)
        : context_(context),
          plan_(context.plan),
          program_(context.plan.program),
          kernels_(context.kernels.forward),
          training_(context.kernels.training),
          parameters_(context.parameters),
          batch_(chunk.batch),
          chunk_(chunk) {
        int64_t floats = 0;
        for (size_t i = 0; i < program_.domains.size(); i++) {
            arena_part_.push_back(floats);
            floats += (plan_.arena_width[i] * batch_.domains[i].count + 15) / 16 * 16;
        }
        context.arena.reserve(static_cast<size_t>(floats) * sizeof(float));
        reserve_scratch();
    }

protected:
    int64_t rows(int32_t domain) const { return batch_.rows(domain).count; }
    const Slot& slot(int32_t id) const { return plan_.slots[static_cast<size_t>(id)]; }
    int64_t rows_of(int32_t id) const { return rows(slot(id).domain); }
    int64_t width(int32_t id) const { return slot(id).width; }
    // Row `row` of a slot; null for kNoIndex.
    float* at(int32_t id, int64_t row = 0) const {
        if (id == kNoIndex) return nullptr;
        const Slot& found = slot(id);
        return context_.arena.floats() + arena_part_[static_cast<size_t>(found.domain)] +
               found.offset * rows(found.domain) + row * found.width;
    }
    const int32_t* offsets(int32_t id) const { return batch_.rows(slot(id).domain).offsets; }
    uint32_t first_row(int32_t id) const {
        return static_cast<uint32_t>(chunk_.first_row[static_cast<size_t>(slot(id).domain)]);
    }
    Dropout dropout_of(int32_t site, float probability) const {
        Dropout dropout;
        if (probability <= 0.0f) return dropout;
        dropout.key[0] = context_.seed[0];
        dropout.key[1] = context_.seed[1];
        dropout.micro_step = chunk_.micro_step;
        dropout.site = static_cast<uint32_t>(site);
        dropout.threshold = static_cast<uint32_t>(std::lround(65536.0 * static_cast<double>(probability)));
        dropout.scale = 65536.0f / static_cast<float>(65536 - dropout.threshold);
        return dropout;
    }

    // use(first row, rows) for blocks of rows; other work may come in between, on the caller's thread.
    template <typename Use>
    void for_rows(int64_t total, Use&& use) const {
        run_units(ceil_div(total, kUnitRows), [&](int64_t unit, int) {
            const Range part = range_of(unit, kUnitRows, total);
            use(part.begin, part.count());
        });
    }
    template <typename Use>
    void run_units(int64_t units, Use&& use) const {
        context_.team.run(units, [&](int64_t unit, int member) {
            if (unit > 0 ? goes_on(member) : !context_.control.cancelled()) use(unit, member);
        });
    }
    // Lets other work come in between, on the caller's thread; false: this work is given up.
    bool goes_on(int member) const {
        if (member == 0) context_.control.at_op_boundary();
        return !context_.control.cancelled();
    }
    float* scratch(int member) const { return context_.scratch[static_cast<size_t>(member)].floats(); }

    // Whether the products of a linear are of bf16 numbers.
    bool rounds(const ops::Linear& op) const { return parameters_.learning(op.matrix).rounds; }
    int64_t scratch_of(const ops::Linear& op) const {
        const int64_t k = width(op.input), n = width(op.output);
        if (!rounds(op)) return training_.linear_grad_weight_scratch(k);
        return std::max(
            kUnitRows * kernels_.bf16.row_bytes(std::max(k, n)) / static_cast<int64_t>(sizeof(float)),
            context_.kernels.bf16->linear_grad_weight_scratch(k));
    }
    void reserve_scratch() const {
        int64_t floats = 0;
        for (const Step& step : plan_.steps) {
            const Op& op = program_.ops[static_cast<size_t>(step.op)];
            if (const auto* linear = std::get_if<ops::Linear>(&op))
                floats = std::max(floats, scratch_of(*linear));
            const auto* attention = std::get_if<ops::Attention>(&op);
            if (attention == nullptr) continue;
            const int64_t seq_len = batch_.rows(slot(attention->query).domain).longest;
            if (seq_len == 0) continue;
            const AttentionArgs longest = attention_args(*attention, context_.position_tables, seq_len,
                                                         batch_.rows(domain_of_keys(*attention)).longest,
                                                         [&](int32_t id) { return width(id); });
            floats = std::max(floats, kernels_.attention_scratch(longest));
            floats = std::max(floats, training_.attention_grad_scratch(longest));
        }
        auto& all = context_.scratch;
        all.resize(std::max(all.size(), static_cast<size_t>(context_.team.size())));
        for (int member = 0; member < context_.team.size(); member++)
            all[static_cast<size_t>(member)].reserve(static_cast<size_t>(floats + 16) * sizeof(float));
    }

    void keep_outputs(int32_t value, std::vector<std::vector<float>>& outputs) const {
        for (size_t i = 0; i < context_.wanted.size(); i++) {
            if (context_.wanted[i] != value) continue;
            const float* data = at(value);
            outputs[i].insert(outputs[i].end(), data, data + rows_of(value) * width(value));
        }
    }

    // input · matrix (+ bias) (+ residual) -> output. Formats that prepare rows do so a unit at a time.
    void multiply(const float* input, int64_t input_width, const ProductMatrix& by, const float* bias,
                  const float* residual, Activation activation, float* output, int64_t total) const {
        const MatrixFormat& format = by.format;
        const PackedMatrix& matrix = by.panels;
        LinearArgs args;
        args.input_stride = input_width;
        args.matrix = matrix;
        args.bias = bias;
        args.output_stride = matrix.n;
        args.activation = activation;
        const int64_t panels = ceil_div(matrix.n, format.panel_width), row_bytes = format.row_bytes(matrix.k);
        // All columns of some rows where they are no more than a unit, else columns in parts as well.
        const int64_t most = std::max<int64_t>(
            1, kUnitProducts / (std::min(total, kUnitRows) * matrix.k * format.panel_width + 1));
        const int64_t unit_panels = std::min(total > kFewRows ? panels : kUnitPanels, most);
        const int64_t parts = ceil_div(panels, unit_panels);
        run_units(ceil_div(total, kUnitRows) * parts, [&](int64_t unit, int member) {
            LinearArgs part = args;
            const Range some = range_of(unit / parts, kUnitRows, total);
            const Range columns = range_of(unit % parts, unit_panels, panels);
            part.input = input + some.begin * input_width;
            part.residual = residual != nullptr ? residual + some.begin * matrix.n : nullptr;
            part.output = output + some.begin * matrix.n;
            part.rows = some.count();
            part.panel_begin = columns.begin;
            part.panel_end = columns.end;
            if (row_bytes > 0) {
                auto* prepared = reinterpret_cast<uint8_t*>(scratch(member));
                format.prepare_rows(part.input, input_width, part.rows, matrix.k, nullptr, prepared);
                part.prepared = prepared;
            }
            format.linear(part);
        });
    }

    // Of all heads, one after the other: [2 longest - 1], the middle is distance 0.
    std::vector<float> distance_biases(const ops::Attention& op, int64_t longest) const {
        std::vector<float> biases;
        if (!has_distance_bias(op) || longest == 0) return biases;
        const float* table = parameters_.row(op.relative_bias);
        for (int64_t head = 0; head < op.num_heads; head++)
            for (int64_t distance = 1 - longest; distance < longest; distance++)
                biases.push_back(distance_bias(program_, op, table, head, distance));
        return biases;
    }
    int32_t domain_of_keys(const ops::Attention& op) const {
        return slot(op.key == kNoIndex ? op.query : op.key).domain;
    }
    // The queries of a sequence, and the keys that they meet.
    struct AttendedRows {
        int64_t begin, count;
        int64_t key_begin, num_keys;
    };
    AttendedRows attended_rows(const ops::Attention& op, int64_t sequence) const {
        const int32_t queries = slot(op.query).domain, keys = domain_of_keys(op);
        const int32_t *begins = batch_.rows(queries).offsets, *key_begins = batch_.rows(keys).offsets;
        return {begins != nullptr ? begins[sequence] : 0, rows_in(batch_, queries, sequence),
                key_begins != nullptr ? key_begins[sequence] : 0, rows_in(batch_, keys, sequence)};
    }
    // One head of one sequence: its rows and what positions change.
    AttentionArgs attention_of(const ops::Attention& op, int64_t head, const AttendedRows& rows,
                               const std::vector<float>& biases, int64_t longest, int member) const {
        AttentionArgs args = attention_args(op, context_.position_tables, rows.count, rows.num_keys,
                                            [&](int32_t id) { return width(id); });
        point_at_rows(
            args, op, head, rows.begin, rows.key_begin, [&](int32_t id, int64_t row) { return at(id, row); },
            [&](int32_t id) { return at(id); });
        if (!biases.empty())
            args.relative_bias = biases.data() + head * (2 * longest - 1) + longest - rows.count;
        args.scratch = scratch(member);
        return args;
    }
    static int64_t bucket(int64_t distance, const Weight& table) {
        return relative_bucket(static_cast<int32_t>(distance), static_cast<int32_t>(table.rows));
    }

    template <typename Use>
    void for_sequences(const ops::Unfold& op, Use&& use) const {
        const int32_t* begins = offsets(op.input);
        if (begins == nullptr) return;
        run_units(batch_.batch_size,
                  [&](int64_t unit, int) { use(begins[unit], begins[unit + 1] - begins[unit]); });
    }

    template <typename Use>
    void for_pooled(const ops::Pool& op, Use&& use) const {
        const int32_t *begins = offsets(op.input), *skip = batch_.input(op.skip);
        run_units(batch_.batch_size, [&](int64_t unit, int) {
            PoolArgs args;
            args.width = width(op.input);
            args.input = at(op.input, begins[unit]);
            args.seq_len = begins[unit + 1] - begins[unit];
            args.skip = skip != nullptr ? skip[unit] : 0;
            for (size_t i = 0; i < op.modes.size(); i++) {
                args.mode = op.modes[i];
                use(args, unit, begins[unit], static_cast<int64_t>(i) * args.width, i > 0);
            }
        });
    }

    void drop(int32_t from, int32_t to, const Dropout& dropout) const {
        const int64_t n = width(to);
        for_rows(rows_of(to), [&](int64_t begin, int64_t count) {
            if (dropout.threshold > 0)
                training_.dropout(at(from, begin), nullptr, at(to, begin), count, n,
                                  first_row(to) + static_cast<uint32_t>(begin), dropout);
            else
                std::memcpy(at(to, begin), at(from, begin), static_cast<size_t>(count * n) * sizeof(float));
        });
    }

    const WalkContext& context_;
    const TrainingPlan& plan_;
    const Program& program_;
    const KernelTable& kernels_;
    const TrainingKernels& training_;
    Parameters& parameters_;
    const Batch& batch_;
    const Chunk& chunk_;
    std::vector<int64_t> arena_part_;  // by domain, in floats
    std::vector<int32_t> positions_;
};

void forward_step(const WalkContext& context, const Chunk& chunk, const Step& step,
                  std::vector<double>& losses);
void backward_step(const WalkContext& context, const Chunk& chunk, const Step& step);

}  // namespace bertha::cpu
