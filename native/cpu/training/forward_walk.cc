#include "cpu/training/losses/loss_walk.h"
#include "cpu/training/walk_base.h"
#include "engine/check.h"

namespace bertha::cpu {
namespace {

class ForwardWalk : public WalkBase {
public:
    using WalkBase::WalkBase;

    void forward(const ops::Embed& op, int32_t, std::vector<double>&) {
        const int64_t total = rows_of(op.output);
        positions_.resize(static_cast<size_t>(total));
        count_positions(offsets(op.output), batch_.batch_size, batch_.input(op.ids), op.padding_id,
                        positions_.data());
        for_rows(total, [&](int64_t begin, int64_t count) {
            EmbedArgs args;
            const int32_t* types = batch_.input(op.type_ids);
            args.ids = batch_.input(op.ids) + begin;
            args.type_ids = types != nullptr ? types + begin : nullptr;
            args.positions = positions_.data() + begin;
            args.word = parameters_.row(op.word);
            args.position = op.sinusoidal ? context_.position_tables.sinusoids(op, width(op.output))
                                          : parameters_.row(op.position);
            args.type = parameters_.row(op.type);
            args.output = at(op.output, begin);
            args.rows = count;
            args.width = width(op.output);
            args.position_offset = op.position_offset;
            args.scale = op.scale;
            kernels_.embed(args);
        });
    }

    void forward(const ops::Constant& op, int32_t, std::vector<double>&) const {
        std::memcpy(at(op.output), parameters_.row(op.table),
                    static_cast<size_t>(rows_of(op.output) * width(op.output)) * sizeof(float));
    }

    void forward(const ops::Unfold& op, int32_t, std::vector<double>&) const {
        for_sequences(op, [&](int64_t begin, int64_t seq_len) {
            unfold(at(op.input, begin), seq_len, width(op.input), op.size, at(op.output, begin));
        });
    }

    void forward(const ops::Linear& op, int32_t, std::vector<double>&) const {
        const int64_t total = rows_of(op.output), n = width(op.output);
        const Dropout dropout = dropout_of(op.dropout_site, op.dropout);
        const bool keeps = op.pre_activation != kNoIndex;
        const bool is_plain = op.scale == 1.0f && dropout.threshold == 0 && !keeps;
        float* product = keeps ? at(op.pre_activation) : at(op.output);
        multiply(at(op.input), width(op.input), parameters_.matrix(op.matrix),
                 op.scale == 1.0f ? parameters_.row(op.bias) : nullptr, is_plain ? at(op.residual) : nullptr,
                 is_plain ? op.activation : Activation::kNone, product, total);
        if (is_plain) return;
        for_rows(total, [&](int64_t begin, int64_t count) {
            float *x = product + begin * n, *y = at(op.output, begin);
            if (op.scale != 1.0f) scale_rows(x, count, n, op.scale, parameters_.row(op.bias));
            if (x != y) std::memcpy(y, x, static_cast<size_t>(count * n) * sizeof(float));
            if (op.activation != Activation::kNone) kernels_.activate(op.activation, y, count * n);
            const float* residual = op.residual != kNoIndex ? at(op.residual, begin) : nullptr;
            if (dropout.threshold > 0)
                training_.dropout(y, residual, y, count, n,
                                  first_row(op.output) + static_cast<uint32_t>(begin), dropout);
            else if (residual != nullptr)
                training_.add(y, residual, y, count * n);
        });
    }
    static void scale_rows(float* x, int64_t count, int64_t n, float scale, const float* bias) {
        for (int64_t row = 0; row < count; row++, x += n)
            for (int64_t i = 0; i < n; i++) x[i] = x[i] * scale + (bias != nullptr ? bias[i] : 0.0f);
    }

    void forward(const ops::Attention& op, int32_t, std::vector<double>&) const {
        const int64_t longest = batch_.rows(slot(op.query).domain).longest;
        const std::vector<float> biases = distance_biases(op, longest);
        const Dropout dropout = dropout_of(op.dropout_site, op.dropout);
        run_units(batch_.batch_size * op.num_heads, [&](int64_t unit, int member) {
            const int64_t sequence = unit / op.num_heads, head = unit % op.num_heads;
            const AttendedRows rows = attended_rows(op, sequence);
            if (rows.count == 0) return;
            AttentionTrainArgs args;
            args.forward = attention_of(op, head, rows, biases, longest, member);
            args.row_lse = at(op.row_lse, rows.begin) + head;
            args.lse_stride = op.num_heads;
            args.dropout = dropout;
            args.dropout.site += static_cast<uint32_t>(head) << 16;
            args.first_row = first_row(op.query) + static_cast<uint32_t>(rows.begin);
            training_.attention_train(args);
        });
    }

    void forward(const ops::LayerNorm& op, int32_t, std::vector<double>&) const {
        for_rows(rows_of(op.output), [&](int64_t begin, int64_t count) {
            kernels_.layer_norm(at(op.input, begin), parameters_.row(op.weight), parameters_.row(op.bias),
                                at(op.output, begin), count, width(op.output), op.eps);
        });
    }

    void forward(const ops::GatherRows& op, int32_t, std::vector<double>&) const {
        const int64_t n = width(op.output);
        const int32_t* from = op.positions == kNoIndex ? offsets(op.input) : batch_.input(op.positions);
        for (int64_t i = 0; i < rows_of(op.output); i++)
            std::memcpy(at(op.output, i), at(op.input, from[i]), static_cast<size_t>(n) * sizeof(float));
    }

    void forward(const ops::Pool& op, int32_t, std::vector<double>&) const {
        for_pooled(op, [&](PoolArgs& args, int64_t sequence, int64_t, int64_t column, bool) {
            args.output = at(op.output, sequence) + column;
            kernels_.pool(args);
        });
    }

    void forward(const ops::Normalize& op, int32_t, std::vector<double>&) const {
        for_rows(rows_of(op.output), [&](int64_t begin, int64_t count) {
            kernels_.normalize(at(op.input, begin), at(op.output, begin), count, width(op.output));
        });
    }

    void forward(const ops::ActivationOp& op, int32_t, std::vector<double>&) const {
        const int64_t n = width(op.output);
        for_rows(rows_of(op.output), [&](int64_t begin, int64_t count) {
            if (op.gated)
                return kernels_.gate(op.activation, at(op.input, begin), at(op.output, begin), count, n);
            std::memcpy(at(op.output, begin), at(op.input, begin),
                        static_cast<size_t>(count * n) * sizeof(float));
            float* y = at(op.output, begin);
            kernels_.activate(op.activation, y, count * n);
            if (op.residual != kNoIndex) training_.add(y, at(op.residual, begin), y, count * n);
        });
    }

    void forward(const ops::Dropout& op, int32_t, std::vector<double>&) const {
        drop(op.input, op.output, dropout_of(op.site, op.probability));
    }
    void forward(const ops::Slice& op, int32_t, std::vector<double>&) const {
        const int64_t n = width(op.output);
        for (int64_t row = 0; row < rows_of(op.output); row++)
            std::memcpy(at(op.output, row), at(op.input, row) + op.begin,
                        static_cast<size_t>(n) * sizeof(float));
    }

    template <typename T>
    void forward(const T& op, int32_t index, std::vector<double>& losses) const {
        if constexpr (ops::is_loss<T>) {
            int32_t value = kNoIndex;
            for_each_read(Op(op), [&](int32_t each) { value = each; });
            BERTHA_CHECK(op.items >= 0 && static_cast<size_t>(op.items) < context_.num_items.size(),
                         "INVALID_ARG", "expected numItems for loss %s, got %zu", T::kName,
                         context_.num_items.size());
            // A step without anything to learn from has no loss and no gradient.
            const double items = context_.num_items[static_cast<size_t>(op.items)];
            const double scale = items > 0.0 ? static_cast<double>(op.weight) / items : 0.0;
            const LossValues values{at(value), at(op.output), rows_of(value), width(value),
                                    static_cast<float>(scale)};
            const double sum = rows_of(value) == 0 ? 0.0 : run_loss(op, values, batch_, context_.team);
            BERTHA_CHECK(
                std::isfinite(sum), "NON_FINITE",
                "the loss of op %d (%s) is not finite: expected finite logits and targets; the weights "
                "are as they were",
                static_cast<int>(index), T::kName);
            for (size_t i = 0; i < plan_.losses.size(); i++)
                if (plan_.losses[i] == index) losses[i] += sum * scale;
        } else {
            fail("INVALID_PROGRAM", "op %d (%s) is not for learning", static_cast<int>(index), T::kName);
        }
    }
};

}  // namespace

void forward_step(const WalkContext& context, const Chunk& chunk, const Step& step,
                  std::vector<double>& losses) {
    ForwardWalk walk(context, chunk);
    std::visit([&](const auto& op) { walk.forward(op, step.op, losses); },
               context.plan.program.ops[static_cast<size_t>(step.op)]);
}

}  // namespace bertha::cpu
