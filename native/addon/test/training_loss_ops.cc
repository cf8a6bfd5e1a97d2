#include <algorithm>

#include "addon/test/op_args.h"
#include "addon/test/training_row_ops.h"
#include "cpu/isa/isa.h"
#include "cpu/training/losses/losses.h"
#include "cpu/training/losses/sentence_losses.h"
#include "engine/floating_point.h"

namespace bertha::addon {
namespace {

Napi::Object loss_and_grad(Napi::Env env, double loss, const std::vector<float>& grad) {
    Napi::Object result = Napi::Object::New(env);
    result.Set("loss", Napi::Number::New(env, loss));
    result.Set("grad", from_floats(env, grad.data(), grad.size()));
    return result;
}

// Rows of logits (argument 0) and labels (1); the gradient is written over the logits.
struct Rows {
    std::vector<float> logits;
    std::vector<int32_t> labels;
    Floats class_weights;
    cpu::CrossEntropyArgs args;

    Rows(const Napi::CallbackInfo& info, size_t weights, size_t smoothing, size_t scale)
        : logits(to_floats(info[0], "logits")),
          labels(to_int32s(info[1], "labels")),
          class_weights(optional_floats(info[weights], "classWeights")) {
        args.rows = static_cast<int64_t>(labels.size());
        BERTHA_CHECK(args.rows > 0, "INVALID_ARG", "expected labels");
        args.width = static_cast<int64_t>(logits.size()) / args.rows;
        check_count(logits.size(), args.rows * args.width, "logits");
        if (class_weights.present) check_count(class_weights.values.size(), args.width, "classWeights");
        for (const int32_t label : labels)
            BERTHA_CHECK(label < args.width, "INVALID_ARG", "label %d is not a class", label);
        args.logits = args.grad = logits.data();
        args.labels = labels.data();
        args.class_weights = class_weights.data();
        args.label_smoothing = float_arg(info, smoothing, "labelSmoothing");
        args.scale = float_arg(info, scale, "scale");
    }
};

// crossEntropy(logits, labels, classWeights | null, labelSmoothing, scale): { loss, grad }
Napi::Value cross_entropy(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const Rows rows(info, 2, 3, 4);
        const FlushDenormals flush;
        const double loss = cpu::training_kernels().cross_entropy(rows.args);
        return loss_and_grad(info.Env(), loss, rows.logits);
    });
}

// distill(logits, labels, classWeights | null, labelSmoothing, scale, teacher, alpha, temperature): { loss,
// grad }
Napi::Value distill(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const Rows rows(info, 2, 3, 4);
        const std::vector<float> teacher = to_floats(info[5], "teacher");
        check_count(teacher.size(), rows.args.rows * rows.args.width, "teacher");
        const FlushDenormals flush;
        const double loss = cpu::training_kernels().distill(
            {rows.args, teacher.data(), float_arg(info, 6, "alpha"), float_arg(info, 7, "temperature")});
        return loss_and_grad(info.Env(), loss, rows.logits);
    });
}

// elementLoss(kind, logits, targets, scale): { loss, grad }
Napi::Value element_loss(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const std::string kind = to_string(info[0], "kind");
        std::vector<float> logits = to_floats(info[1], "logits");
        const std::vector<float> targets = to_floats(info[2], "targets");
        check_count(targets.size(), static_cast<int64_t>(logits.size()), "targets");
        cpu::ElementLossArgs args;
        args.logits = args.grad = logits.data();
        args.targets = targets.data();
        args.rows = 1;
        args.width = static_cast<int64_t>(logits.size());
        args.scale = float_arg(info, 3, "scale");
        const FlushDenormals flush;
        const auto loss = kind == "mean_squared_error" ? cpu::training_kernels().mean_squared_error
                                                       : cpu::training_kernels().binary_cross_entropy;
        const double value = loss(args);
        return loss_and_grad(info.Env(), value, logits);
    });
}

// choiceCrossEntropy(logits, labels, choices, scale): { loss, grad }
Napi::Value choice_cross_entropy(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        std::vector<float> logits = to_floats(info[0], "logits");
        const std::vector<int32_t> labels = to_int32s(info[1], "labels");
        const int64_t choices = size_arg(info, 2, "choices"),
                      groups = static_cast<int64_t>(logits.size()) / choices;
        check_count(labels.size(), groups * choices, "labels");
        const double loss = cpu::choice_cross_entropy(logits.data(), labels.data(), groups, choices,
                                                      float_arg(info, 3, "scale"), logits.data());
        return loss_and_grad(info.Env(), loss, logits);
    });
}

// spanCrossEntropy(logits [tokens,2], spans [sequences,2], cuSeqlens, scale): { loss, grad }
Napi::Value span_cross_entropy(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        std::vector<float> logits = to_floats(info[0], "logits");
        const std::vector<int32_t> spans = to_int32s(info[1], "spans"),
                                   offsets = sequence_offsets(info[2],
                                                              static_cast<int64_t>(logits.size()) / 2);
        const auto sequences = static_cast<int64_t>(offsets.size()) - 1;
        check_count(spans.size(), 2 * sequences, "spans");
        const double loss = cpu::span_cross_entropy(logits.data(), spans.data(), offsets.data(), sequences,
                                                    float_arg(info, 3, "scale"), logits.data());
        return loss_and_grad(info.Env(), loss, logits);
    });
}

// sentenceLoss(kind, embeddings [columns * count, width], columns, width, scale, parameter, scores | null):
// { loss, grad }; the parameter is a similarity's factor or a margin.
Napi::Value sentence_loss(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const std::string kind = to_string(info[0], "kind");
        const std::vector<float> embeddings = to_floats(info[1], "embeddings");
        const Floats scores = optional_floats(info[6], "scores");
        std::vector<float> grad(embeddings.size());
        cpu::SentenceLossArgs args;
        args.embeddings = embeddings.data();
        args.grad = grad.data();
        args.columns = size_arg(info, 2, "columns");
        args.width = size_arg(info, 3, "width");
        args.count = static_cast<int64_t>(embeddings.size()) / (args.columns * args.width);
        args.scale = float_arg(info, 4, "scale");
        check_count(embeddings.size(), args.columns * args.count * args.width, "embeddings");
        if (scores.present) check_count(scores.values.size(), args.count, "scores");
        const float parameter = float_arg(info, 5, "parameter");
        const FlushDenormals flush;
        Solo solo;
        double loss = 0.0;
        if (kind == "in_batch_softmax") {
            loss = cpu::in_batch_softmax(args, parameter, solo);
        } else if (kind == "triplet") {
            BERTHA_CHECK(args.columns == 3, "INVALID_ARG", "expected three columns");
            loss = cpu::triplet(args, parameter);
        } else {
            BERTHA_CHECK(scores.present, "INVALID_ARG", "expected scores");
            loss = kind == "cosent" ? cpu::cosent(args, scores.data(), parameter)
                                    : cpu::cosine_similarity(args, scores.data());
        }
        return loss_and_grad(info.Env(), loss, grad);
    });
}

}  // namespace

void define_training_loss_ops(Napi::Env env, Napi::Object& ops) {
    ops.Set("crossEntropy", Napi::Function::New(env, cross_entropy));
    ops.Set("distill", Napi::Function::New(env, distill));
    ops.Set("elementLoss", Napi::Function::New(env, element_loss));
    ops.Set("choiceCrossEntropy", Napi::Function::New(env, choice_cross_entropy));
    ops.Set("spanCrossEntropy", Napi::Function::New(env, span_cross_entropy));
    ops.Set("sentenceLoss", Napi::Function::New(env, sentence_loss));
}

}  // namespace bertha::addon
