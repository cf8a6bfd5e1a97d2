#include "cpu/forward.h"

#include <algorithm>
#include <cstring>

#include "cpu/adapters/scaled_linear.h"
#include "cpu/attention/attend_sequences.h"
#include "cpu/attention/attend_step.h"
#include "cpu/emit.h"
#include "cpu/sequence-ops/pool_linear.h"
#include "cpu/sequence-ops/rows.h"
#include "cpu/sequence-ops/unfold.h"
#include "engine/check.h"

namespace bertha::cpu {
namespace {

constexpr int64_t kMinBlockRows = 8, kBlockRows = 64;  // whose FFN (64 x 1536 floats) stays in L2
constexpr int64_t kBlockBytes = int64_t{2} << 20;      // wide values (vocabulary logits) get fewer rows
constexpr int64_t kUnitWork = 100'000'000;             // products, 1 or 2 ms: then what is urgent may come
constexpr int64_t kRowsToSplit = 32;  // a thread; with fewer rows threads share the columns of linears

// One run of a program over one batch.
class Forward {
public:
    Forward(const ProgramOnCpu& model, const Batch& batch, const std::vector<Output>& outputs,
            CpuWorkspace& workspace, Team& team, Control& control)
        : model_(model),
          program_(model.program),
          kernels_(model.kernels),
          batch_(batch),
          outputs_(outputs),
          workspace_(workspace),
          team_(team),
          control_(control) {
        std::vector<int32_t> wanted;
        for (const Output& output : outputs) wanted.push_back(output.value);
        needed_ = needed_ops(program_, wanted);
        // What a step reads of the source is in the state.
        for (size_t i = 0; batch.decoding != nullptr && i < needed_.size(); i++)
            if (value(output_of(program_.ops[i])).domain != value(wanted.front()).domain) needed_[i] = false;
        reserve_memory();
        for_each_embed([&](const ops::Embed& op, int64_t rows, int32_t* positions) {
            model_.weights.require_words(batch.input(op.ids), rows);
            if (batch.decoding == nullptr)
                count_positions(offsets(op.output), batch.batch_size, batch.input(op.ids), op.padding_id,
                                positions);
            else
                for (int64_t i = 0; i < rows; i++) positions[i] = batch.decoding[i].position;
        });
    }

    void run() {
        for (const Segment& segment : model_.plan.segments) {
            const bool used = std::any_of(needed_.begin() + segment.op_begin,
                                          needed_.begin() + segment.op_end,
                                          [](bool needed) { return needed; });
            if (!used) continue;
            control_.at_op_boundary();
            BERTHA_CHECK(!control_.cancelled(), "ABORTED", "the call was aborted");
            if (!segment.row_wise) {
                run_across_rows(segment.op_begin);
            } else if (shares_columns(segment)) {
                run_shared_columns(segment);
            } else {
                run_row_blocks(segment);
            }
        }
        BERTHA_CHECK(!control_.cancelled(), "ABORTED", "the call was aborted");
    }

private:
    const Op& op(int32_t index) const { return program_.ops[static_cast<size_t>(index)]; }
    const ops::Linear* linear_at(int32_t index) const { return std::get_if<ops::Linear>(&op(index)); }
    const Value& value(int32_t id) const { return program_.value(id); }
    int64_t rows(int32_t domain) const { return batch_.rows(domain).count; }
    const int32_t* offsets(int32_t id) const { return batch_.rows(value(id).domain).offsets; }

    // use(op, rows, positions) for each Embed that is needed and has rows; positions [rows] lie end to end.
    template <typename Use>
    void for_each_embed(Use&& use) const {
        int32_t* positions = workspace_.positions.as<int32_t>();
        for (size_t i = 0; i < program_.ops.size(); i++) {
            const auto* embed = std::get_if<ops::Embed>(&program_.ops[i]);
            if (embed == nullptr || !needed_[i]) continue;
            const int64_t count = rows(value(embed->output).domain);
            if (count > 0) use(*embed, count, positions);
            positions += count;
        }
    }

    // A step has few rows and wide logits: whatever the threads, no weight is read twice.
    bool shares_columns(const Segment& segment) const {
        const int64_t most = team_.size() > 1 ? kRowsToSplit * team_.size() : 0;
        return batch_.decoding != nullptr || rows(segment.domain) < most;
    }

    static int64_t block_rows(const Segment& segment) {
        const int64_t fits = kBlockBytes / std::max<int64_t>(1, segment.block_width * 4);
        return std::clamp(fits, kMinBlockRows, kBlockRows);
    }

    void reserve_memory() {
        int64_t floats = 0, positions = 0;
        arena_part_.reserve(program_.domains.size());
        for (size_t i = 0; i < program_.domains.size(); i++) {
            arena_part_.push_back(floats);
            floats += (model_.plan.arena_width[i] * batch_.domains[i].count + 15) / 16 * 16;
        }
        workspace_.arena.reserve(static_cast<size_t>(floats) * sizeof(float));
        for (const Op& op : program_.ops)
            if (const auto* embed = std::get_if<ops::Embed>(&op))
                positions += rows(value(embed->output).domain);
        workspace_.positions.reserve(static_cast<size_t>(positions) * sizeof(int32_t));
        int64_t scratch = 0, prepared = 0;
        for (const Segment& segment : model_.plan.segments) {
            int64_t block = rows(segment.domain);
            if (!shares_columns(segment)) block = std::min(block, block_rows(segment));
            scratch = std::max(scratch, segment.block_width * block);
            for (int32_t i = segment.op_begin; i < segment.op_end; i++)
                if (const ops::Linear* linear = linear_at(i))
                    prepared = std::max(prepared, block * format(i).row_bytes(value(linear->input).width));
            if (std::holds_alternative<ops::PoolLinear>(op(segment.op_begin)))
                scratch = std::max(scratch, pool_linear_scratch(format(segment.op_begin)));
            const auto* attention = std::get_if<ops::Attention>(&op(segment.op_begin));
            if (attention == nullptr) continue;
            if (batch_.decoding != nullptr) {
                scratch = std::max(scratch, step_scratch(batch_.decoding, batch_.batch_size));
                continue;
            }
            const auto scratch_of = is_bf16(*attention) ? kernels_.attention_bf16_scratch
                                                        : kernels_.attention_scratch;
            const auto longest = [&](int32_t id) { return batch_.rows(value(id).domain).longest; };
            const int32_t key = attention->key == kNoIndex ? attention->query : attention->key;
            scratch = std::max(scratch, scratch_of(attention_args(
                                            *attention, model_.position_tables, longest(attention->query),
                                            longest(key), [&](int32_t id) { return value(id).width; })));
        }
        workspace_.scratch.resize(std::max(workspace_.scratch.size(), static_cast<size_t>(team_.size())));
        scratch_floats_ = (scratch + 15) / 16 * 16;
        const int64_t bytes = scratch_floats_ * static_cast<int64_t>(sizeof(float)) + prepared;
        for (int member = 0; member < team_.size(); member++)
            workspace_.scratch[static_cast<size_t>(member)].reserve(static_cast<size_t>(bytes));
    }

    // Rows row .. of a value; internal values live in `block`, which starts at row `block_begin`.
    struct Block {
        float* memory;
        uint8_t* prepared;
        int64_t begin, rows;
    };
    Block block_of(int member, int64_t begin, int64_t rows) const {
        float* memory = workspace_.scratch[static_cast<size_t>(member)].floats();
        return {memory, reinterpret_cast<uint8_t*>(memory + scratch_floats_), begin, rows};
    }
    float* at(int32_t id, int64_t row, const Block& block) const {
        const Placement& placement = model_.plan.values[static_cast<size_t>(id)];
        const int64_t width = value(id).width;
        if (placement.internal)
            return block.memory + placement.offset * block.rows + (row - block.begin) * width;
        const int32_t domain = value(id).domain;
        return workspace_.arena.floats() + arena_part_[static_cast<size_t>(domain)] +
               placement.offset * rows(domain) + row * width;
    }
    float* at(int32_t id, int64_t row) const { return at(id, row, Block{nullptr, nullptr, 0, 0}); }
    // A value of constant rows; null for kNoIndex.
    const float* constant(int32_t id) const {
        if (id == kNoIndex) return nullptr;
        return model_.constants != nullptr ? model_.constants->rows(id) : at(id, 0);
    }

    void emit(int32_t id, float* data, int64_t row, int64_t n) const {
        for (const Output& output : outputs_)
            if (output.value == id) emit_rows(output, batch_, data, row, n, value(id).width, team_, control_);
    }

    const MatrixFormat& format(int32_t index) const { return *model_.formats[static_cast<size_t>(index)]; }

    // Rows begin .. end of a linear's input in the form its product reads; where that is the fp32 rows
    // themselves, nothing to do.
    void prepare_rows(int32_t index, const ops::Linear& op, const Block& block, int64_t begin,
                      int64_t end) const {
        const MatrixFormat& format = this->format(index);
        const int64_t k = value(op.input).width, row_bytes = format.row_bytes(k);
        if (row_bytes == 0) return;
        format.prepare_rows(at(op.input, begin, block), k, end - begin, k,
                            model_.weights.inverse_input_scale(index),
                            block.prepared + (begin - block.begin) * row_bytes);
    }

    // What one call of a row-wise op computes: rows begin .. end, panels panel_begin .. panel_end of a linear
    // (whose rows are prepared).
    struct Part {
        int32_t index;  // of the op
        const Block& block;
        int64_t begin, end;
        int64_t panel_begin, panel_end;
        int64_t rows() const { return end - begin; }
    };

    void run_rows(const Part& part) const {
        std::visit(
            [&](const auto& each) {
                using T = std::decay_t<decltype(each)>;
                if constexpr (ops::is_for_training<T>)
                    fail("INVALID_PROGRAM", "%s is for training alone", T::kName);
                else if constexpr (T::kRowWise)
                    run_rows(each, part, at(each.output, part.begin, part.block), value(each.output).width);
                else
                    fail("INVALID_PROGRAM", "%s is not a row-wise op", T::kName);
            },
            op(part.index));
    }

    void run_rows(const ops::Embed& op, const Part& part, float* output, int64_t width) const {
        const ModelWeights& weights = model_.weights;
        EmbedArgs args;
        args.ids = batch_.input(op.ids) + part.begin;
        const int32_t* type_ids = batch_.input(op.type_ids);
        args.type_ids = type_ids != nullptr ? type_ids + part.begin : nullptr;
        for_each_embed([&](const ops::Embed& each, int64_t, const int32_t* positions) {
            if (&each == &op) args.positions = positions + part.begin;
        });
        args.word = weights.words(op.word, args.ids, part.rows(), output);
        args.position = op.sinusoidal ? model_.position_tables.sinusoids(op, width)
                                      : weights.row(op.position);
        args.type = weights.row(op.type);
        args.output = output;
        args.rows = part.rows();
        args.width = width;
        args.position_offset = op.position_offset;
        args.scale = op.scale;
        kernels_.embed(args);
    }

    void run_rows(const ops::Constant& op, const Part& part, float* output, int64_t width) const {
        std::memcpy(output, model_.weights.row(op.table) + part.begin * width,
                    static_cast<size_t>(part.rows() * width) * sizeof(float));
    }

    void run_rows(const ops::Linear& op, const Part& part, float* output, int64_t width) const {
        const MatrixFormat& format = this->format(part.index);
        const Block& block = part.block;
        LinearArgs args;
        args.input = at(op.input, part.begin, block);
        args.input_stride = value(op.input).width;
        args.prepared = block.prepared + (part.begin - block.begin) * format.row_bytes(args.input_stride);
        args.matrix = model_.weights.matrix(part.index);
        args.bias = model_.weights.row(op.bias);
        args.residual = op.residual == kNoIndex ? nullptr : at(op.residual, part.begin, block);
        args.output = output;
        args.output_stride = width;
        args.rows = part.rows();
        args.panel_begin = part.panel_begin;
        args.panel_end = part.panel_end;
        args.activation = op.activation;
        if (op.gated)
            format.gated_linear(args);
        else if (op.scale == 1.0f)
            format.linear(args);
        else
            scaled_linear(kernels_, format, args, op.scale);
    }

    void run_rows(const ops::LayerNorm& op, const Part& part, float* output, int64_t width) const {
        const ModelWeights& weights = model_.weights;
        kernels_.layer_norm(at(op.input, part.begin, part.block), weights.row(op.weight),
                            weights.row(op.bias), output, part.rows(), width, op.eps);
    }

    void run_rows(const ops::Normalize& op, const Part& part, float* output, int64_t width) const {
        kernels_.normalize(at(op.input, part.begin, part.block), output, part.rows(), width);
    }

    void run_rows(const ops::ActivationOp& op, const Part& part, float* output, int64_t width) const {
        const float* input = at(op.input, part.begin, part.block);
        if (op.gated) return kernels_.gate(op.activation, input, output, part.rows(), width);
        const int64_t floats = part.rows() * width;
        std::memcpy(output, input, static_cast<size_t>(floats) * sizeof(float));
        kernels_.activate(op.activation, output, floats);
        if (op.residual == kNoIndex) return;
        const float* residual = at(op.residual, part.begin, part.block);
        for (int64_t i = 0; i < floats; i++) output[i] += residual[i];
    }

    void run_rows(const ops::Slice& op, const Part& part, float* output, int64_t width) const {
        copy_columns(at(op.input, part.begin, part.block) + op.begin, value(op.input).width, part.rows(),
                     width, output);
    }

    void run_rows(const ops::TopK& op, const Part& part, float* output, int64_t) const {
        kernels_.top_k(at(op.input, part.begin, part.block), output, part.rows(), value(op.input).width,
                       op.k);
    }

    void run_rows(const ops::PickTargets& op, const Part& part, float* output, int64_t) const {
        kernels_.pick_targets(at(op.input, part.begin, part.block),
                              batch_.input(op.targets) + part.begin * kTargetsPerRow, output, part.rows(),
                              value(op.input).width);
    }

    int64_t panels(int32_t index) const {
        const int64_t width = format(index).panel_width;
        const ops::Linear* linear = linear_at(index);
        return linear != nullptr ? (value(linear->output).width + width - 1) / width : 0;
    }

    // Each thread takes blocks of rows through the whole segment; no barrier inside.
    void run_row_blocks(const Segment& segment) const {
        const int64_t total = rows(segment.domain);
        if (total == 0) return;
        // The same number of blocks for each thread, none larger than fits L2.
        const int64_t largest = block_rows(segment);
        const int64_t rounds = (total + largest * team_.size() - 1) / (largest * team_.size());
        const int64_t blocks = std::min(rounds * team_.size(), total);
        team_.run(blocks, [&](int64_t unit, int member) {
            const int64_t begin = total * unit / blocks, end = total * (unit + 1) / blocks;
            const Block block = block_of(member, begin, end - begin);
            for (int32_t i = segment.op_begin; i < segment.op_end; i++) {
                if (!needed_[static_cast<size_t>(i)]) continue;
                if (member == 0) control_.at_op_boundary();
                if (control_.cancelled()) return;
                if (const ops::Linear* linear = linear_at(i)) prepare_rows(i, *linear, block, begin, end);
                run_rows({i, block, begin, end, 0, panels(i)});
                const int32_t output = output_of(op(i));
                emit(output, at(output, begin, block), begin, end - begin);
            }
        });
    }

    // Few rows: the threads share the columns of each linear, so that every weight is read once.
    void run_shared_columns(const Segment& segment) const {
        constexpr int64_t kRowsOfUnit = 8;
        const int64_t total = rows(segment.domain);
        if (total == 0) return;
        const Block block = block_of(0, 0, total);
        const int64_t row_units = (total + kRowsOfUnit - 1) / kRowsOfUnit;
        const auto rows_of = [&](int64_t unit) { return total * unit / row_units; };
        for (int32_t i = segment.op_begin; i < segment.op_end; i++) {
            if (!needed_[static_cast<size_t>(i)]) continue;
            if (const ops::Linear* linear = linear_at(i)) {
                if (format(i).row_bytes(1) > 0)
                    team_.run(row_units, [&](int64_t unit, int) {
                        prepare_rows(i, *linear, block, rows_of(unit), rows_of(unit + 1));
                    });
                const int64_t all = panels(i),
                              work = all * format(i).panel_width * value(linear->input).width * total;
                const int64_t units = std::min(all, std::max<int64_t>(4 * team_.size(), work / kUnitWork));
                team_.run(units, [&](int64_t unit, int member) {
                    if (member == 0) control_.at_op_boundary();
                    run_rows({i, block, 0, total, all * unit / units, all * (unit + 1) / units});
                });
            } else {
                team_.run(row_units, [&](int64_t unit, int) {
                    run_rows({i, block, rows_of(unit), rows_of(unit + 1), 0, 0});
                });
            }
            const int32_t output = output_of(op(i));
            emit(output, at(output, 0, block), 0, total);
            control_.at_op_boundary();
        }
    }

    void run_across_rows(int32_t index) const {
        const Op& op = this->op(index);
        std::visit(
            [&](const auto& each) {
                using T = std::decay_t<decltype(each)>;
                if constexpr (T::kRowWise || ops::is_for_training<T>)
                    fail("INVALID_PROGRAM", "%s is no op across rows", T::kName);
                else if constexpr (std::is_same_v<T, ops::PoolLinear> || std::is_same_v<T, ops::Attention>)
                    run_whole(each, index);
                else
                    run_whole(each);
            },
            op);
        const int32_t output = output_of(op);
        const int64_t count = rows(value(output).domain);
        if (count > 0) emit(output, at(output, 0), 0, count);
    }

    void run_whole(const ops::GatherRows& op) const {
        const int32_t* from = op.positions == kNoIndex ? offsets(op.input) : batch_.input(op.positions);
        copy_rows(at(op.input, 0), from, rows(value(op.output).domain), value(op.output).width,
                  at(op.output, 0));
    }

    void run_whole(const ops::Pool& op) const {
        pool_sequences(kernels_, op, at(op.input, 0), offsets(op.input), batch_.input(op.skip),
                       batch_.batch_size, value(op.input).width, at(op.output, 0), team_);
    }

    void run_whole(const ops::Unfold& op) const {
        unfold_sequences(at(op.input, 0), offsets(op.input), batch_.batch_size, value(op.input).width,
                         op.size, at(op.output, 0), team_);
    }

    void run_whole(const ops::PoolLinear& op, int32_t index) const {
        PoolLinearCall call{op, format(index), {}, offsets(op.input), batch_.batch_size, at(op.output, 0)};
        call.product.input = at(op.input, 0);
        call.product.input_stride = value(op.input).width;
        call.product.matrix = model_.weights.matrix(index);
        call.product.bias = model_.weights.row(op.bias);
        call.product.rows = rows(value(op.input).domain);
        pool_linear(call, workspace_.scratch, team_, control_);
    }

    // Disentangled scores are sums of three products, which bf16 would round one by one: they stay fp32.
    bool is_bf16(const ops::Attention& op) const { return model_.bf16_attention && op.buckets.empty(); }

    void run_whole(const ops::Attention& op, int32_t index) const {
        if (batch_.decoding != nullptr) return run_step(op, index);
        float* scores = nullptr;
        for (const Output& output : outputs_)
            if (op.scores != kNoIndex && output.value == op.scores) scores = output.data;
        attend_sequences(
            {program_, op, model_.position_tables, model_.distance_biases,
             is_bf16(op) ? kernels_.attention_bf16 : kernels_.attention, batch_, scores, workspace_.scratch},
            team_, [&](int32_t id, int64_t row) { return at(id, row); },
            [&](int32_t id) { return constant(id); });
    }

    void run_step(const ops::Attention& op, int32_t index) const {
        attend_step({program_, op, layer_of_step(program_, needed_, index), kernels_.row_attention,
                     batch_.decoding, batch_.batch_size, workspace_.scratch},
                    team_, [&](int32_t id, int64_t row) { return at(id, row); });
    }

    const ProgramOnCpu& model_;
    const Program& program_;
    const KernelTable& kernels_;
    const Batch& batch_;
    const std::vector<Output>& outputs_;
    CpuWorkspace& workspace_;
    Team& team_;
    Control& control_;
    std::vector<int64_t> arena_part_;  // by domain, in floats
    int64_t scratch_floats_ = 0;       // of each member's scratch; prepared rows follow
    std::vector<bool> needed_;
};

}  // namespace

void run_forward(const ProgramOnCpu& model, const Batch& batch, const std::vector<Output>& outputs,
                 CpuWorkspace& workspace, Team& team, Control& control) {
    Forward(model, batch, outputs, workspace, team, control).run();
}

}  // namespace bertha::cpu
