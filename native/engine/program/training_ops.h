// Ops that only learning knows: dropout, and losses. Indices and fields as in ops.h.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "engine/program/op_fields.h"

namespace bertha::ops {

struct TrainingOp {
    int32_t output = kNoIndex;
};
template <typename T>
constexpr bool is_for_training = std::is_base_of_v<TrainingOp, T>;

// output = input with each element dropped or scaled by Philox's factors (docs/training.md); a row's number
// is that in its micro-batch.
struct Dropout : TrainingOp {
    static constexpr const char* kName = "dropout";
    static constexpr bool kRowWise = true;
    int32_t input = kNoIndex;
    int32_t site = 0;
    float probability = 0.0f;

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.reads("input", op.input);
        visit.writes("output", op.output);
        visit.option("site", op.site);
        visit.option("probability", op.probability);
    }
};

// output = activation(input) + residual, gated: [rows, n] = activation(a) ∘ b of input [rows, 2n] = [a, b];
// inference computes it too, beside an adapter's branch
struct ActivationOp {
    static constexpr const char* kName = "activation";
    static constexpr bool kRowWise = true;
    int32_t input = kNoIndex;
    int32_t output = kNoIndex;
    int32_t residual = kNoIndex;
    Activation activation = Activation::kNone;
    bool gated = false;

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.reads("input", op.input);
        visit.writes("output", op.output);
        visit.reads("residual", op.residual, Need::kOptional);
        visit.option("activation", op.activation);
        visit.rare_option("gated", op.gated, false);
    }
};

// output [rows, n] = columns begin .. begin + n of input; inference computes it of constants and at few rows
struct Slice {
    static constexpr const char* kName = "slice";
    static constexpr bool kRowWise = true;
    int32_t input = kNoIndex;
    int32_t output = kNoIndex;
    int32_t begin = 0;

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.reads("input", op.input);
        visit.writes("output", op.output);
        visit.option("begin", op.begin);
    }
};

// Every loss adds weight / numItems[items] of its sum to the step's loss, and writes the gradient of what it
// reads: output has the shape of logits or embeddings.
struct Loss : TrainingOp {
    static constexpr bool kRowWise = false;
    float weight = 1.0f;
    int32_t items = 0;  // which of the step's counts

    template <typename Self, typename Visitor>
    static void loss_fields(Self& op, Visitor& visit) {
        visit.writes("output", op.output);
        visit.option("weight", op.weight);
        visit.option("items", op.items);
    }
};

// logits [rows, classes], labels [rows]; a label below 0 does not count
struct CrossEntropy : Loss {
    static constexpr const char* kName = "cross_entropy";
    int32_t logits = kNoIndex;
    int32_t labels = kNoIndex;  // input
    float label_smoothing = 0.0f;
    std::vector<float> class_weights;  // [classes] or empty

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.reads("logits", op.logits);
        visit.takes("labels", op.labels);
        visit.option("labelSmoothing", op.label_smoothing);
        visit.option("classWeights", op.class_weights);
        loss_fields(op, visit);
    }
};

// logits [sequences, 1]: softmax over `choices` neighbouring sequences; the label is read at the first
struct ChoiceCrossEntropy : Loss {
    static constexpr const char* kName = "choice_cross_entropy";
    int32_t logits = kNoIndex;
    int32_t labels = kNoIndex;  // input
    int32_t choices = 0;

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.reads("logits", op.logits);
        visit.takes("labels", op.labels);
        visit.option("choices", op.choices);
        loss_fields(op, visit);
    }
};

// logits [tokens, 2], spans [sequences, 2]: half of the cross entropy of the start over the sequence's own
// tokens, and half of the end's; positions outside of the sequence do not count
struct SpanCrossEntropy : Loss {
    static constexpr const char* kName = "span_cross_entropy";
    int32_t logits = kNoIndex;
    int32_t spans = kNoIndex;  // input

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.reads("logits", op.logits);
        visit.takes("spans", op.spans);
        loss_fields(op, visit);
    }
};

// logits, targets [rows, width]; a target of NaN does not count
struct BinaryCrossEntropy : Loss {
    static constexpr const char* kName = "binary_cross_entropy";
    int32_t logits = kNoIndex;
    int32_t targets = kNoIndex;  // input

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.reads("logits", op.logits);
        visit.takes("targets", op.targets);
        loss_fields(op, visit);
    }
};

// likewise
struct MeanSquaredError : Loss {
    static constexpr const char* kName = "mean_squared_error";
    int32_t logits = kNoIndex;
    int32_t targets = kNoIndex;  // input

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.reads("logits", op.logits);
        visit.takes("targets", op.targets);
        loss_fields(op, visit);
    }
};

// alpha * cross entropy of labels [rows] + (1 - alpha) * temperature² * KL(teacher [rows, classes] ‖ logits)
struct Distill : Loss {
    static constexpr const char* kName = "distill";
    int32_t logits = kNoIndex;
    int32_t labels = kNoIndex;   // input
    int32_t teacher = kNoIndex;  // input
    float alpha = 0.5f;
    float temperature = 1.0f;

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.reads("logits", op.logits);
        visit.takes("labels", op.labels);
        visit.takes("teacher", op.teacher);
        visit.option("alpha", op.alpha);
        visit.option("temperature", op.temperature);
        loss_fields(op, visit);
    }
};

// embeddings [columns * n, width]: n anchors, their positives, hard negatives; cross entropy of scale *
// cosine of each anchor with all texts of the other columns
struct InBatchSoftmax : Loss {
    static constexpr const char* kName = "in_batch_softmax";
    int32_t embeddings = kNoIndex;
    int32_t columns = 2;
    float scale = 20.0f;

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.reads("embeddings", op.embeddings);
        visit.option("columns", op.columns);
        visit.option("scale", op.scale);
        loss_fields(op, visit);
    }
};

// embeddings [2n, width]: (cosine - score)² of each pair; scores: an input on the sequences, read at the
// first
// n
struct CosineSimilarity : Loss {
    static constexpr const char* kName = "cosine_similarity";
    int32_t embeddings = kNoIndex;
    int32_t scores = kNoIndex;  // input

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.reads("embeddings", op.embeddings);
        visit.takes("scores", op.scores);
        loss_fields(op, visit);
    }
};

// likewise: log(1 + Σ exp(scale * (cosine_i - cosine_j))) over all pairs with score_i < score_j
struct Cosent : Loss {
    static constexpr const char* kName = "cosent";
    int32_t embeddings = kNoIndex;
    int32_t scores = kNoIndex;  // input
    float scale = 20.0f;

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.reads("embeddings", op.embeddings);
        visit.takes("scores", op.scores);
        visit.option("scale", op.scale);
        loss_fields(op, visit);
    }
};

// embeddings [3n, width]: max(0, |anchor - positive| - |anchor - negative| + margin)
struct Triplet : Loss {
    static constexpr const char* kName = "triplet";
    int32_t embeddings = kNoIndex;
    float margin = 5.0f;

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.reads("embeddings", op.embeddings);
        visit.option("margin", op.margin);
        loss_fields(op, visit);
    }
};

// The gradient of a value comes with the batch; the loss is 0
struct Given : Loss {
    static constexpr const char* kName = "given";
    int32_t value = kNoIndex;
    int32_t gradient = kNoIndex;  // input

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.reads("value", op.value);
        visit.takes("gradient", op.gradient);
        loss_fields(op, visit);
    }
};

template <typename T>
constexpr bool is_loss = std::is_base_of_v<Loss, T>;

}  // namespace bertha::ops
