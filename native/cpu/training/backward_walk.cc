#include "cpu/training/embed_grad.h"
#include "cpu/training/walk_base.h"

namespace bertha::cpu {
namespace {

class BackwardWalk : public WalkBase {
public:
    using WalkBase::WalkBase;

    void backward(const Step& step, const Op& op) {
        switch (step.kind) {
            case StepKind::kActivationGrad: return activation_grad(step, op);
            case StepKind::kDropoutGrad:
                if (const auto* linear = std::get_if<ops::Linear>(&op))
                    return drop(step.grad, step.out, dropout_of(linear->dropout_site, linear->dropout));
                return drop(
                    step.grad, step.out,
                    dropout_of(std::get<ops::Dropout>(op).site, std::get<ops::Dropout>(op).probability));
            case StepKind::kScaleGrad: return scale_grad(step, std::get<ops::Linear>(op).scale);
            case StepKind::kInputGrad:
                return multiply(at(step.grad), width(step.grad),
                                parameters_.transposed(std::get<ops::Linear>(op).matrix), nullptr,
                                at(step.add), Activation::kNone, at(step.out), rows_of(step.out));
            case StepKind::kMatrixGrad: return matrix_grad(step, std::get<ops::Linear>(op));
            case StepKind::kBiasGrad: return bias_grad(step, std::get<ops::Linear>(op).bias);
            case StepKind::kAttentionGrad: return attention_grad(step, std::get<ops::Attention>(op));
            case StepKind::kLayerNormGrad:
            case StepKind::kLayerNormWeightGrad: return layer_norm_grad(step, std::get<ops::LayerNorm>(op));
            case StepKind::kEmbedGrad: return embed_grad(step, std::get<ops::Embed>(op));
            case StepKind::kConstantGrad: return constant_grad(step, std::get<ops::Constant>(op));
            case StepKind::kGatherGrad: return gather_grad(step, std::get<ops::GatherRows>(op));
            case StepKind::kPoolGrad: {
                const auto& pool = std::get<ops::Pool>(op);
                return for_pooled(pool, [&](const PoolArgs& args, int64_t sequence, int64_t first,
                                            int64_t column, bool add) {
                    training_.pool_grad(args, at(step.grad, sequence) + column, at(step.out, first), add);
                });
            }
            case StepKind::kNormalizeGrad:
                return for_rows(rows_of(step.out), [&](int64_t begin, int64_t count) {
                    training_.normalize_grad(at(std::get<ops::Normalize>(op).input, begin),
                                             at(step.grad, begin), at(step.out, begin), count,
                                             width(step.out));
                });
            case StepKind::kUnfoldGrad: {
                const auto& unfold = std::get<ops::Unfold>(op);
                return for_sequences(unfold, [&](int64_t begin, int64_t seq_len) {
                    unfold_grad(at(step.grad, begin), seq_len, width(step.out), unfold.size,
                                at(step.out, begin));
                });
            }
            case StepKind::kSliceGrad: return slice_grad(step, std::get<ops::Slice>(op));
            case StepKind::kAdd:
                return for_rows(rows_of(step.out), [&](int64_t begin, int64_t count) {
                    training_.add(at(step.grad, begin), at(step.add, begin), at(step.out, begin),
                                  count * width(step.out));
                });
            case StepKind::kForward: return;
        }
    }

    void activation_grad(const Step& step, const Op& op) const {
        const std::pair<int32_t, Activation> of = activated_by(op);
        const auto* gate = std::get_if<ops::ActivationOp>(&op);
        if (gate != nullptr && gate->gated)
            return for_rows(rows_of(step.out), [&](int64_t begin, int64_t count) {
                training_.gate_grad(of.second, at(of.first, begin), at(step.grad, begin), at(step.out, begin),
                                    count, width(step.grad));
            });
        for_rows(rows_of(step.out), [&](int64_t begin, int64_t count) {
            training_.activation_grad(
                of.second, at(of.first, begin), at(step.grad, begin), at(step.out, begin),
                step.saved != kNoIndex ? at(step.saved, begin) : nullptr, count * width(step.out));
        });
    }

    void scale_grad(const Step& step, float scale) const {
        const float* from = at(step.grad);
        float* to = at(step.out);
        for (int64_t i = 0; i < rows_of(step.out) * width(step.out); i++) to[i] = from[i] * scale;
    }

    void matrix_grad(const Step& step, const ops::Linear& op) const {
        LinearGradWeightArgs args;
        args.input = at(step.saved);
        args.grad_output = at(step.grad);
        args.grad = parameters_.gradient(op.matrix);
        args.rows = rows_of(step.grad);
        args.n = args.grad_stride = width(step.grad);
        args.k = args.input_stride = width(step.saved);
        const auto add_product = rounds(op) ? context_.kernels.bf16->linear_grad_weight
                                            : training_.linear_grad_weight;
        const int64_t parts = ceil_div(args.k, kUnitInputs),
                      panels = ceil_div(args.n, kernels_.fp32.panel_width);
        // A unit copies a block of its part of the input once for all its panels, whose gradient is to stay
        // in L2. Other work may come in between two blocks.
        const int64_t shares = panels * parts / (2 * context_.team.size()),
                      unit_panels = std::clamp<int64_t>(shares, 1, kGradPanels);
        run_units(ceil_div(panels, unit_panels) * parts, [&](int64_t unit, int member) {
            LinearGradWeightArgs part = args;
            const Range inputs = range_of(unit % parts, kUnitInputs, args.k),
                        some = range_of(unit / parts, unit_panels, panels);
            part.panel_begin = some.begin;
            part.panel_end = some.end;
            part.k_begin = inputs.begin;
            part.k_end = inputs.end;
            part.scratch = scratch(member);
            for (int64_t first = 0; first < args.rows; first += kSumRows) {
                if (first > 0 && !goes_on(member)) return;
                part.input = args.input + first * args.input_stride;
                part.grad_output = args.grad_output + first * args.grad_stride;
                part.rows = std::min(kSumRows, args.rows - first);
                add_product(part);
            }
        });
    }

    template <typename Use>
    void for_columns(int64_t total, Use&& use) const {
        run_units(ceil_div(total, kUnitColumns), [&](int64_t unit, int) {
            const Range columns = range_of(unit, kUnitColumns, total);
            use(columns.begin, columns.end);
        });
    }
    void bias_grad(const Step& step, int32_t bias) const {
        for_columns(width(step.grad), [&](int64_t begin, int64_t end) {
            training_.column_sums(at(step.grad), rows_of(step.grad), width(step.grad), begin, end,
                                  parameters_.gradient(bias));
        });
    }

    void layer_norm_grad(const Step& step, const ops::LayerNorm& op) const {
        const auto args_of = [&](int64_t begin, int64_t count) {
            LayerNormGradArgs args;
            args.input = at(op.input, begin);
            args.grad_output = at(step.grad, begin);
            args.weight = parameters_.row(op.weight);
            args.residual = step.add != kNoIndex ? at(step.add, begin) : nullptr;
            args.grad_input = step.out != kNoIndex ? at(step.out, begin) : nullptr;
            args.stats = at(step.saved, begin);
            args.rows = count;
            args.width = width(step.grad);
            args.eps = op.eps;
            return args;
        };
        if (step.kind == StepKind::kLayerNormGrad) {
            for_rows(rows_of(step.grad),
                     [&](int64_t begin, int64_t count) { training_.layer_norm_grad(args_of(begin, count)); });
            return;
        }
        // A weight that does not learn has its sum thrown away.
        std::vector<float> unused;
        float *weight = parameters_.gradient(op.weight), *bias = parameters_.gradient(op.bias);
        if (weight == nullptr) {
            unused.resize(static_cast<size_t>(width(step.grad)) + 16);
            weight = unused.data();
        }
        for_columns(width(step.grad), [&](int64_t begin, int64_t end) {
            training_.layer_norm_grad_weight(args_of(0, rows_of(step.grad)), begin, end, weight, bias);
        });
    }

    // The gradient of a table of disentangled scores, for each head its own; none for kNoIndex.
    std::vector<float> head_grads(int32_t slot, const ops::Attention& op) const {
        if (slot == kNoIndex) return {};
        return std::vector<float>(static_cast<size_t>(rows_of(slot) * width(op.output)));
    }
    // The heads' parts beside each other, or their sum where all heads have the same rows.
    void join_heads(const std::vector<float>& grads, int64_t heads, int32_t slot) const {
        if (slot == kNoIndex) return;
        const int64_t all = rows_of(slot), n = width(slot),
                      head_dim = static_cast<int64_t>(grads.size()) / (heads * all);
        std::memset(at(slot), 0, static_cast<size_t>(all * n) * sizeof(float));
        for (int64_t head = 0; head < heads; head++)
            for (int64_t row = 0; row < all; row++) {
                const float* from = grads.data() + (head * all + row) * head_dim;
                float* to = at(slot, row) + (n == head_dim ? 0 : head * head_dim);
                for (int64_t i = 0; i < head_dim; i++) to[i] += from[i];
            }
    }

    void attention_grad(const Step& step, const ops::Attention& op) {
        const int64_t hidden = width(op.output), heads = op.num_heads,
                      longest = batch_.rows(slot(op.query).domain).longest;
        const std::vector<float> biases = distance_biases(op, longest);
        const Dropout dropout = dropout_of(op.dropout_site, op.dropout);
        float* table = op.relative_bias != kNoIndex ? parameters_.gradient(op.relative_bias) : nullptr;
        std::vector<float> distances;
        if (table != nullptr)
            distances.resize(static_cast<size_t>(batch_.batch_size * heads * (2 * longest - 1)));
        const auto distances_of = [&](int64_t sequence, int64_t head) {
            return distances.data() + (sequence * heads + head) * (2 * longest - 1);
        };
        // Disentangled scores' tables, [heads, rows, head_dim]: a head adds to its part, text by text.
        std::vector<float> content = head_grads(step.add, op), position = head_grads(step.saved, op);
        const auto part_of = [&](std::vector<float>& grads, int64_t head) {
            return grads.empty() ? nullptr : grads.data() + head * static_cast<int64_t>(grads.size()) / heads;
        };
        const auto add_head = [&](int64_t sequence, int64_t head, int member) {
            const AttendedRows rows = attended_rows(op, sequence);
            AttentionGradArgs args;
            args.forward = attention_of(op, head, rows, biases, longest, member);
            const int64_t column = head * args.forward.head_dim;
            args.grad_context = at(step.grad, rows.begin) + column;
            args.row_lse = at(op.row_lse, rows.begin) + head;
            args.grad_query = at(step.out, rows.begin) + column;
            args.grad_key = step.key == kNoIndex ? args.grad_query + hidden
                                                 : at(step.key, rows.key_begin) + column;
            args.grad_value = step.key == kNoIndex ? args.grad_key + hidden
                                                   : at(step.value, rows.key_begin) + column;
            args.grad_stride = width(step.out);
            if (table != nullptr) args.grad_relative_bias = distances_of(sequence, head);
            args.grad_content_to_position = part_of(content, head);
            args.grad_position_to_content = part_of(position, head);
            args.lse_stride = heads;
            args.dropout = dropout;
            args.dropout.site += static_cast<uint32_t>(head) << 16;
            args.first_row = first_row(op.query) + static_cast<uint32_t>(rows.begin);
            training_.attention_grad(args);
        };
        const int64_t sequences = batch_.batch_size;
        if (op.buckets.empty())
            run_units(sequences * heads,
                      [&](int64_t unit, int member) { add_head(unit / heads, unit % heads, member); });
        else
            run_units(heads, [&](int64_t head, int member) {
                for (int64_t i = 0; i < sequences && (i == 0 || goes_on(member)); i++)
                    add_head(i, head, member);
            });
        join_heads(content, heads, step.add);
        join_heads(position, heads, step.saved);
        if (table == nullptr || context_.control.cancelled()) return;
        const Weight& shape = program_.weights[static_cast<size_t>(op.relative_bias)];
        for (int64_t sequence = 0; sequence < batch_.batch_size; sequence++) {
            const int64_t seq_len = attended_rows(op, sequence).count;
            for (int64_t head = 0; head < heads; head++)
                for (int64_t i = 0; i < 2 * seq_len - 1; i++)
                    table[bucket(i - seq_len + 1, shape) * shape.cols + head] += distances_of(sequence,
                                                                                              head)[i];
        }
    }

    void embed_grad(const Step& step, const ops::Embed& op) {
        LookupGradArgs args;
        args.grad_output = at(step.grad);
        args.rows = rows_of(step.grad);
        args.width = width(step.grad);
        const auto add = [&](int32_t weight, const int32_t* keys, int64_t offset) {
            args.grad_table = parameters_.gradient(weight);
            if (args.grad_table == nullptr) return;
            args.keys = keys;
            args.key_offset = offset;
            args.frozen_row = parameters_.learning(weight).frozen_row;
            lookup_grad(args, context_.team);
        };
        if (args.rows == 0) return;
        args.scale = op.scale;
        add(op.word, batch_.input(op.ids), 0);
        args.scale = 1.0f;
        positions_.resize(static_cast<size_t>(args.rows));
        count_positions(offsets(op.output), batch_.batch_size, batch_.input(op.ids), op.padding_id,
                        positions_.data());
        add(op.position, positions_.data(), op.position_offset);
        const int32_t* types = batch_.input(op.type_ids);
        const std::vector<int32_t> zeros(types == nullptr ? static_cast<size_t>(args.rows) : 0);
        add(op.type, types != nullptr ? types : zeros.data(), 0);
    }

    void constant_grad(const Step& step, const ops::Constant& op) {
        for_rows(rows_of(step.grad), [&](int64_t begin, int64_t count) {
            float* table = parameters_.gradient(op.table) + begin * width(step.grad);
            training_.add(table, at(step.grad, begin), table, count * width(step.grad));
        });
    }

    void gather_grad(const Step& step, const ops::GatherRows& op) const {
        const int32_t* from = op.positions == kNoIndex ? offsets(op.input) : batch_.input(op.positions);
        scatter_rows(at(step.grad), from, rows_of(step.grad), width(step.grad), at(step.out),
                     rows_of(step.out));
    }

    void slice_grad(const Step& step, const ops::Slice& op) const {
        const int64_t n = width(step.grad), all = width(step.out);
        std::memset(at(step.out), 0, static_cast<size_t>(rows_of(step.out) * all) * sizeof(float));
        for (int64_t row = 0; row < rows_of(step.out); row++)
            std::memcpy(at(step.out, row) + op.begin, at(step.grad, row),
                        static_cast<size_t>(n) * sizeof(float));
    }
};

}  // namespace

void backward_step(const WalkContext& context, const Chunk& chunk, const Step& step) {
    BackwardWalk(context, chunk).backward(step, context.plan.program.ops[static_cast<size_t>(step.op)]);
}

}  // namespace bertha::cpu
