#include <algorithm>
#include <utility>
#include <vector>

#include "cpu/isa/isa.h"
#include "cpu/training/losses/sentence_losses.h"
#include "engine/allocator.h"

namespace bertha::cpu {
namespace {

constexpr int64_t kAnchors = 256;  // rows of the similarity matrix that exist at a time
constexpr int64_t kUnitRows = 64;  // of a product, for one thread
constexpr int64_t kSoftmaxRows = 8;

int64_t units_of(int64_t rows, int64_t unit) { return (rows + unit - 1) / unit; }

Buffer floats(int64_t count) { return Buffer(static_cast<size_t>(count) * sizeof(float)); }

// Calls body(begin, end) for parts of 0 .. rows.
template <typename Body>
void for_parts(Team& team, int64_t rows, int64_t unit, const Body& body) {
    team.run(units_of(rows, unit),
             [&](int64_t part, int) { body(part * unit, std::min(rows, (part + 1) * unit)); });
}

// out [columns, rows] of x [rows, columns]
void transpose(const float* x, int64_t rows, int64_t columns, float* out, Team& team) {
    for_parts(team, columns, kUnitRows, [&](int64_t begin, int64_t end) {
        for (int64_t row = 0; row < rows; row++)
            for (int64_t column = begin; column < end; column++)
                out[column * rows + row] = x[row * columns + column];
    });
}

// A matrix [n, k] to multiply rows with.
class Factor {
public:
    Factor(int64_t n, int64_t k)
        : n_(n),
          k_(k),
          panel_bytes_(format_.panel_bytes(format_.panel_width, k)),
          panels_(static_cast<size_t>(num_panels() * panel_bytes_)) {}

    // k may be less than at first.
    void pack(const float* rows, int64_t k, Team& team) {
        k_ = k;
        panel_bytes_ = format_.panel_bytes(format_.panel_width, k);
        team.run(num_panels(), [&](int64_t panel, int) {
            const int64_t row = panel * format_.panel_width;
            format_.pack_panel(rows + row * k, std::min(format_.panel_width, n_ - row), k, nullptr,
                               panels_.as<uint8_t>() + panel * panel_bytes_);
        });
    }

    // output [rows, n] = input [rows, k] · matrixᵀ (+ residual [rows, n], which may be output)
    void multiply(const float* input, int64_t rows, const float* residual, float* output, Team& team) const {
        for_parts(team, rows, kUnitRows, [&](int64_t begin, int64_t end) {
            LinearArgs args;
            args.input = input + begin * k_;
            args.input_stride = k_;
            args.matrix = {panels_.as<uint8_t>(), panel_bytes_, n_, k_};
            args.residual = residual != nullptr ? residual + begin * n_ : nullptr;
            args.output = output + begin * n_;
            args.output_stride = n_;
            args.rows = end - begin;
            args.panel_end = num_panels();
            format_.linear(args);
        });
    }

private:
    int64_t num_panels() const { return units_of(n_, format_.panel_width); }

    const MatrixFormat format_ = kernels().fp32;
    int64_t n_, k_, panel_bytes_;
    Buffer panels_;
};

}  // namespace

// S = similarity · Â · D̂ᵀ for a block of anchors, softmax in place, then dÂ = dS · D̂ and dD̂ += dSᵀ · Â: the
// matrix [anchors, texts] is never there as a whole.
double in_batch_softmax(const SentenceLossArgs& args, float similarity, Team& team) {
    const int64_t count = args.count, width = args.width, texts = count * (args.columns - 1),
                  block = std::min(count, kAnchors);
    const TrainingKernels& training = training_kernels();
    const Buffer unit = floats(args.columns * count * width), turned = floats(std::max(texts, block) * width),
                 scores = floats(block * texts), turned_scores = floats(block * texts),
                 grad = floats(args.columns * count * width);
    for_parts(team, args.columns * count, kUnitRows, [&](int64_t begin, int64_t end) {
        kernels().normalize(args.embeddings + begin * width, unit.floats() + begin * width, end - begin,
                            width);
    });
    float *anchors = unit.floats(), *grad_texts = grad.floats() + count * width;
    const float* documents = anchors + count * width;
    for (int64_t i = 0; i < count * width; i++) anchors[i] *= similarity;
    std::fill(grad_texts, grad_texts + texts * width, 0.0f);

    Factor by_documents(texts, width), by_turned_documents(width, texts), by_anchors(width, block);
    by_documents.pack(documents, width, team);
    transpose(documents, texts, width, turned.floats(), team);
    by_turned_documents.pack(turned.floats(), texts, team);

    std::vector<int32_t> labels(static_cast<size_t>(block));
    std::vector<double> losses(static_cast<size_t>(units_of(block, kSoftmaxRows)));
    double loss = 0.0;
    for (int64_t first = 0; first < count; first += block) {
        const int64_t rows = std::min(block, count - first);
        const float* own = anchors + first * width;
        by_documents.multiply(own, rows, nullptr, scores.floats(), team);
        for (int64_t row = 0; row < rows; row++)
            labels[static_cast<size_t>(row)] = static_cast<int32_t>(first + row);
        for_parts(team, rows, kSoftmaxRows, [&](int64_t begin, int64_t end) {
            CrossEntropyArgs part;
            part.grad = scores.floats() + begin * texts;
            part.logits = part.grad;
            part.labels = labels.data() + begin;
            part.rows = end - begin;
            part.width = texts;
            part.scale = args.scale;
            losses[static_cast<size_t>(begin / kSoftmaxRows)] = training.cross_entropy(part);
        });
        for (int64_t part = 0; part < units_of(rows, kSoftmaxRows); part++)
            loss += losses[static_cast<size_t>(part)];
        by_turned_documents.multiply(scores.floats(), rows, nullptr, grad.floats() + first * width, team);
        transpose(scores.floats(), rows, texts, turned_scores.floats(), team);
        transpose(own, rows, width, turned.floats(), team);
        by_anchors.pack(turned.floats(), rows, team);
        by_anchors.multiply(turned_scores.floats(), texts, grad_texts, grad_texts, team);
    }
    for (int64_t i = 0; i < count * width; i++) grad.floats()[i] *= similarity;
    for_parts(team, args.columns * count, kUnitRows, [&](int64_t begin, int64_t end) {
        training.normalize_grad(args.embeddings + begin * width, grad.floats() + begin * width,
                                args.grad + begin * width, end - begin, width);
    });
    return loss;
}

}  // namespace bertha::cpu
