#include "kernels/attention.h"
#include "kernels/backward.h"

#include "cpu/isa/isa.h"
#include "kernels/timing.h"

namespace bertha::bench {
namespace {

using namespace bertha::cpu;

class Backward {
public:
    explicit Backward(const BackwardShape& shape)
        : shape_(shape),
          length_(shape.length > 0 ? std::min(shape.length, shape.tokens) : shape.tokens),
          wide_(random_floats(shape.tokens * 4 * shape.hidden, 1.0f)),
          other_(random_floats(shape.tokens * 4 * shape.hidden, 1.0f)),
          // At least a panel of a transposed matrix.
          output_(std::max(shape.tokens, kernels().fp32.panel_width) * 4 * shape.hidden * 4) {}

    // The three gradients of a layer [k] -> [n], and what an update makes of its matrix.
    void linear(const std::string& name, int64_t n, int64_t k) {
        const MatrixFormat& format = shape_.bf16 ? kernels().bf16 : kernels().fp32;
        const int64_t width = format.panel_width, panels = (n + width - 1) / width,
                      transposed = (k + width - 1) / width,
                      panel_floats = std::max((panels + 1) * k, (transposed + 1) * n) * width;
        const Memory weights = random_floats(panel_floats * shape_.layers, 0.05f);
        const Bf16TrainingKernels* bf16 = shape_.bf16 ? &bf16_training_kernels() : nullptr;
        const auto add_product = bf16 != nullptr ? bf16->linear_grad_weight
                                                 : training_kernels().linear_grad_weight;
        const Memory scratch(
            (bf16 != nullptr ? bf16->linear_grad_weight_scratch : training_kernels().linear_grad_weight_scratch)(k) *
            4);
        constexpr int64_t kUnitRows = 64;  // as walk_base.h
        const Memory prepared(kUnitRows * (format.row_bytes(n) + 64));
        const int64_t panel_bytes = format.panel_bytes(width, n);
        const Memory factors((transposed + 1) * panel_bytes * shape_.layers);
        const auto transpose = [&](int64_t layer) {
            for (int64_t panel = 0; panel < transposed; panel++)
                (bf16 != nullptr ? bf16->round_transposed_panel : transpose_fp32)(
                    weights.floats() + layer * panel_floats, n, k, panel,
                    factors.data + (layer * (transposed + 1) + panel) * panel_bytes);
        };
        for (int64_t layer = 0; layer < shape_.layers; layer++) transpose(layer);
        const std::string dims = std::to_string(k) + "x" + std::to_string(n);
        const double operations = 2.0 * static_cast<double>(shape_.tokens * n * k);
        add("dX " + name, dims, operations, [&](int64_t layer) {
            LinearArgs args;
            args.input_stride = n;
            args.matrix = {factors.data + layer * (transposed + 1) * panel_bytes, panel_bytes, k, n};
            args.output_stride = k;
            args.panel_end = transposed;
            for (int64_t row = 0; row < shape_.tokens; row += kUnitRows) {
                args.input = wide_.floats() + row * n;
                args.output = output_.floats() + row * k;
                args.rows = std::min(kUnitRows, shape_.tokens - row);
                args.prepared = prepared.data;
                if (bf16 != nullptr)
                    format.prepare_rows(args.input, n, args.rows, n, nullptr, prepared.data);
                format.linear(args);
            }
        });
        add("dW " + name, dims, operations, [&](int64_t layer) {
            constexpr int64_t kUnitPanels = 8, kUnitInputs = 384;  // as backward_walk.cc
            for (int64_t panel = 0; panel < panels; panel += kUnitPanels) {
                LinearGradWeightArgs args;
                args.input = wide_.floats();
                args.grad_output = other_.floats();
                args.grad = weights.floats() + layer * panel_floats;
                args.scratch = scratch.floats();
                args.rows = shape_.tokens;
                args.n = n;
                args.k = k;
                args.input_stride = k;
                args.grad_stride = n;
                args.panel_begin = panel;
                args.panel_end = std::min(panel + kUnitPanels, panels);
                for (; args.k_begin < k; args.k_begin = args.k_end) {
                    args.k_end = std::min(args.k_begin + kUnitInputs, k);
                    add_product(args);
                }
            }
        });
        add("transpose " + name, std::to_string(k), 0, transpose);
        if (bf16 != nullptr)
            add("round " + name, std::to_string(k), 0, [&](int64_t layer) {
                for (int64_t panel = 0; panel < panels; panel++)
                    bf16->round_panel(weights.floats() + layer * panel_floats, n, k, panel, output_.floats());
            });
        add("db " + name, std::to_string(n), 0, [&](int64_t layer) {
            training_kernels().column_sums(wide_.floats(), shape_.tokens, n, 0, n,
                                           weights.floats() + layer * panel_floats);
        });
    }

    // Both ways. place(args) says what positions change; backward alone where `only_backward`.
    template <typename Place>
    void attention(const std::string& name, uint32_t threshold, bool only_backward, const Place& place) {
        const int64_t head_dim = shape_.hidden / shape_.heads;
        AttentionArgs longest = packed_head(wide_, output_, output_, 0, length_, 0, head_dim, shape_.hidden);
        place(longest);
        const Memory scratch(std::max(kernels().attention_scratch(longest),
                                      training_kernels().attention_grad_scratch(longest)) *
                             4);
        const Memory lse(shape_.tokens * shape_.heads * 4);
        const Memory grad_bias(2 * length_ * 4);
        double products = 0;
        for (int64_t begin = 0; begin < shape_.tokens; begin += length_) {
            const auto keys = static_cast<double>(std::min(length_, shape_.tokens - begin));
            products += 2 * keys * keys * static_cast<double>(shape_.hidden);
        }
        Dropout dropout;
        dropout.threshold = threshold;
        dropout.scale = 65536.0f / static_cast<float>(65536 - threshold);
        const auto each_head = [&](const auto& work) {
            for (int64_t begin = 0; begin < shape_.tokens; begin += length_)
                for (int64_t head = 0; head < shape_.heads; head++)
                    work(begin, std::min(length_, shape_.tokens - begin), head, head * head_dim);
        };
        const auto forward = [&](int64_t) {
            each_head([&](int64_t begin, int64_t seq_len, int64_t head, int64_t) {
                AttentionTrainArgs args;
                args.forward = packed_head(wide_, other_, scratch, begin, seq_len, head, head_dim,
                                           shape_.hidden);
                place(args.forward);
                args.row_lse = lse.floats() + begin * shape_.heads + head;
                args.lse_stride = shape_.heads;
                args.dropout = dropout;
                training_kernels().attention_train(args);
            });
        };
        if (only_backward) {
            forward(0);
        } else {
            add("attention" + name, std::to_string(length_), 2 * products, forward);
        }
        add("d attention" + name, std::to_string(length_), 5 * products, [&](int64_t) {
            each_head([&](int64_t begin, int64_t seq_len, int64_t head, int64_t column) {
                AttentionGradArgs args;
                args.forward = packed_head(wide_, other_, scratch, begin, seq_len, head, head_dim,
                                           shape_.hidden);
                place(args.forward);
                args.grad_context = other_.floats() + (begin + shape_.tokens) * shape_.hidden + column;
                args.row_lse = lse.floats() + begin * shape_.heads + head;
                args.grad_query = output_.floats() + begin * 3 * shape_.hidden + column;
                args.grad_key = args.grad_query + shape_.hidden;
                args.grad_value = args.grad_key + shape_.hidden;
                args.grad_relative_bias = args.forward.relative_bias != nullptr ? grad_bias.floats()
                                                                                : nullptr;
                args.grad_stride = 3 * shape_.hidden;
                args.lse_stride = shape_.heads;
                args.dropout = dropout;
                training_kernels().attention_grad(args);
            });
        });
    }

    void attention() {
        const Positions positions(length_, shape_.hidden / shape_.heads);
        const auto plain = [](AttentionArgs&) {};
        attention("", 0, false, plain);
        attention(", dropout", 6554, false, plain);
        attention(", rotary", 0, true, [&](AttentionArgs& args) { positions.rotary(args); });
        // Its share is of what plain attention would multiply: it grows with the text.
        attention(", window 64", 0, true, [&](AttentionArgs& args) { positions.window(args); });
        attention(", slopes", 0, true, [&](AttentionArgs& args) { positions.slopes(args); });
    }

    // What a pass over rows costs, of the widths that a layer has; no products, so no share of the peak.
    void rows() {
        const int64_t tokens = shape_.tokens, h = shape_.hidden, wide = 4 * h;
        const TrainingKernels& training = training_kernels();
        const Memory again(tokens * wide * 4);
        add("d gelu, and gelu", std::to_string(wide), 0, [&](int64_t) {
            training.activation_grad(Activation::kGelu, wide_.floats(), other_.floats(), output_.floats(),
                                     again.floats(), tokens * wide);
        });
        add("d gated silu", std::to_string(wide), 0, [&](int64_t) {
            training.gate_grad(Activation::kSilu, wide_.floats(), other_.floats(), output_.floats(), tokens,
                               wide / 2);
        });
        const Memory stats(tokens * kNormStats * 4);
        LayerNormGradArgs norm;
        norm.input = wide_.floats();
        norm.grad_output = norm.residual = other_.floats();
        norm.weight = other_.floats();
        norm.grad_input = output_.floats();
        norm.stats = stats.floats();
        norm.rows = tokens;
        norm.width = h;
        norm.eps = 1e-12f;
        add("d layer norm", std::to_string(h), 0, [&](int64_t) { training.layer_norm_grad(norm); });
        add("d gain and shift", std::to_string(h), 0, [&](int64_t) {
            training.layer_norm_grad_weight(norm, 0, h, output_.floats(), output_.floats() + wide);
        });
        Dropout dropout;
        dropout.threshold = 6554;
        add("d dropout", std::to_string(h), 0, [&](int64_t) {
            training.dropout(wide_.floats(), nullptr, output_.floats(), tokens, h, 0, dropout);
        });
    }

    // Its rows are in L2, as the loss of a chunk has them one after the other.
    void vocabulary_loss() {
        constexpr int64_t kVocabulary = 30522, kRows = 16;
        const Memory logits = random_floats(kRows * kVocabulary, 1.0f);
        const Memory grad(kRows * kVocabulary * 4);
        const std::vector<int32_t> labels(kRows, 1000);
        add("loss of 16 words", std::to_string(kVocabulary), 0, [&](int64_t) {
            CrossEntropyArgs args;
            args.logits = logits.floats();
            args.labels = labels.data();
            args.grad = grad.floats();
            args.rows = kRows;
            args.width = kVocabulary;
            training_kernels().cross_entropy(args);
        });
    }

    void report(double peak) const {
        std::printf("%s-backward, %lld tokens in texts of %lld\n", shape_.bf16 ? "bf16" : "fp32",
                    static_cast<long long>(shape_.tokens), static_cast<long long>(length_));
        print(rows_, peak);
    }

private:
    static void transpose_fp32(const float* panels, int64_t n, int64_t k, int64_t panel, void* out) {
        training_kernels().transpose_panel(panels, n, k, panel, static_cast<float*>(out));
    }

    void add(const std::string& op, const std::string& dims, double operations,
             const std::function<void(int64_t)>& work) {
        Timing timing = time_of(shape_.repeats, [&] {
            for (int64_t layer = 0; layer < shape_.layers; layer++) work(layer);
        });
        timing.best /= static_cast<double>(shape_.layers);
        timing.median /= static_cast<double>(shape_.layers);
        rows_.push_back({op, dims, timing, operations / 1e9});
    }

    const BackwardShape shape_;
    const int64_t length_;
    const Memory wide_, other_, output_;
    std::vector<Row> rows_;
};

}  // namespace

void profile_backward(const BackwardShape& shape, double peak) {
    Backward backward(shape);
    const int64_t h = shape.hidden;
    backward.linear("qkv", 3 * h, h);
    backward.linear("output", h, h);
    backward.linear("ffn1", 4 * h, h);
    backward.linear("ffn2", h, 4 * h);
    backward.attention();
    if (!shape.bf16) {
        backward.rows();
        backward.vocabulary_loss();
    }
    backward.report(peak);
}

}  // namespace bertha::bench
