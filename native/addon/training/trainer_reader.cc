#include "addon/training/trainer_reader.h"

#include <cmath>
#include <utility>

#include "addon/args.h"
#include "addon/batch/batch_reader.h"
#include "devices.h"
#include "engine/pool/hardware.h"

namespace bertha::addon {
namespace {

cpu::WeightBlock read_block(const Napi::Object& object, const Weight& weight) {
    const int64_t row = to_int(get(object, "rowBegin"), "rowBegin", 0, weight.rows);
    const int64_t col = to_int(get(object, "colBegin"), "colBegin", 0, weight.cols);
    return {row, to_int(get(object, "rows"), "rows", 0, weight.rows - row), col,
            to_int(get(object, "cols"), "cols", 0, weight.cols - col)};
}

void read_group(const Napi::Object& object, TrainerRequest& request) {
    const Napi::Value given = get(object, "sequencesPerGroup");
    request.spec.sequences_per_group.push_back(to_int(given, "sequencesPerGroup", 0, INT32_MAX));
}

void read_training(const Napi::Object& training, TrainerRequest& request) {
    const std::vector<Weight>& shapes = request.programs.front().weights;
    const Napi::Array weights = to_array(get(training, "weights"), "weights");
    BERTHA_CHECK(weights.Length() == shapes.size(), "INVALID_PROGRAM",
                 "expected how %zu weights learn, got %u", shapes.size(), weights.Length());
    for (uint32_t i = 0; i < weights.Length(); i++) {
        const Napi::Object object = to_object(weights.Get(i), "a weight");
        cpu::LearningWeight weight;
        weight.trainable = get(object, "trainable").ToBoolean();
        weight.decays = get(object, "decay").ToBoolean();
        if (has(object, "frozenRow")) weight.frozen_row = to_int(get(object, "frozenRow"), "frozenRow");
        if (has(object, "tiedTo"))
            weight.tied_to = static_cast<int32_t>(to_int(get(object, "tiedTo"), "tiedTo", 0, INT32_MAX));
        if (has(object, "blocks")) {
            const Napi::Array blocks = to_array(get(object, "blocks"), "blocks");
            for (uint32_t j = 0; j < blocks.Length(); j++)
                weight.blocks.push_back(read_block(to_object(blocks.Get(j), "a block"), shapes[i]));
        }
        request.spec.weights.push_back(std::move(weight));
    }
    read_group(training, request);
    if (!has(training, "others")) return;
    const Napi::Array others = to_array(get(training, "others"), "others");
    for (uint32_t i = 0; i < others.Length(); i++) {
        const Napi::Object other = to_object(others.Get(i), "a program");
        request.programs.push_back(read_program(other));
        read_group(other, request);
    }
}

std::vector<double> to_doubles(const Napi::Value& value, const char* name) {
    const Napi::Array list = to_array(value, name);
    std::vector<double> numbers;
    for (uint32_t i = 0; i < list.Length(); i++) numbers.push_back(to_double(list.Get(i), name));
    return numbers;
}

int32_t weight_index(const Napi::Object& object, const char* name) {
    return static_cast<int32_t>(to_int(get(object, name), name, 0, INT32_MAX));
}

cpu::LivePart read_live_part(const Napi::Object& object) {
    cpu::LivePart part;
    part.weight = weight_index(object, "weight");
    part.begin = to_int(get(object, "begin"), "begin", 0, INT64_MAX / 2);
    part.count = to_int(get(object, "count"), "count", 1, INT64_MAX / 2);
    if (!has(object, "branch")) return part;
    const Napi::Object branch = to_object(get(object, "branch"), "branch");
    part.branch = cpu::MergedBranch{weight_index(branch, "a"),
                                    weight_index(branch, "b"),
                                    to_int(get(branch, "rankBegin"), "rankBegin", 0, INT32_MAX),
                                    to_int(get(branch, "rank"), "rank", 1, INT32_MAX),
                                    to_int(get(branch, "rowBegin"), "rowBegin", 0, INT64_MAX / 2),
                                    to_double(get(branch, "scale"), "scale")};
    return part;
}

}  // namespace

std::shared_ptr<TrainerRequest> read_trainer(const Napi::CallbackInfo& info) {
    const Napi::Object spec = to_object(info[0], "the program"), options = to_object(info[1], "the options");
    auto request = std::make_shared<TrainerRequest>();
    request->programs.push_back(read_program(spec));
    request->parts = read_parts(spec);
    read_training(to_object(get(spec, "training"), "training"), *request);
    const Napi::Array seed = to_array(get(options, "seed"), "seed");
    for (uint32_t i = 0; i < 2; i++)
        request->spec.seed[i] = static_cast<uint32_t>(to_int(seed.Get(i), "seed", 0, UINT32_MAX));
    const std::string precision = to_string(get(options, "precision"), "precision");
    BERTHA_CHECK(precision == "fp32" || precision == "bf16", "PRECISION",
                 "expected fp32 or bf16 for training, got %.32s", precision.c_str());
    request->spec.bf16 = precision == "bf16";
    request->spec.recompute = has(options, "recompute") && get(options, "recompute").ToBoolean();
    request->spec.exact_sums = has(options, "exactSums") && get(options, "exactSums").ToBoolean();
    BERTHA_CHECK(!(request->spec.exact_sums && request->spec.bf16), "PRECISION",
                 "expected precision fp32 beside exactSums, got bf16");
    request->threads = has(options, "threads")
                           ? static_cast<int>(to_int(get(options, "threads"), "threads", 1, 1024))
                           : hardware_threads().chosen;
    return request;
}

cpu::AdamwUpdate read_update(const Program& program, const Napi::Object& options) {
    const auto number = [&options](const char* name) {
        const double given = to_double(get(options, name), name);
        BERTHA_CHECK(std::isfinite(given) && given >= 0.0, "INVALID_ARG",
                     "expected a number of at least 0 for %s, got %g", name, given);
        return given;
    };
    cpu::AdamwUpdate update;
    update.learning_rate = number("learningRate");
    update.beta1 = number("beta1");
    update.beta2 = number("beta2");
    update.epsilon = number("epsilon");
    update.weight_decay = number("weightDecay");
    update.max_grad_norm = number("maxGradNorm");
    if (has(options, "jointNorm")) update.joint_norm = number("jointNorm");
    update.step = to_int(get(options, "step"), "step", 1, INT64_MAX / 2);
    if (!has(options, "steps")) return update;
    const Napi::Array steps = to_array(get(options, "steps"), "steps");
    BERTHA_CHECK(steps.Length() == program.weights.size(), "INVALID_ARG",
                 "expected a number for each of %zu weights for steps, got %u", program.weights.size(),
                 steps.Length());
    for (uint32_t i = 0; i < steps.Length(); i++)
        update.steps.push_back(to_int(steps.Get(i), "steps", 0, INT64_MAX / 2));
    return update;
}

std::shared_ptr<Computation> read_computation(const Trainer& trainer, const Napi::CallbackInfo& info) {
    auto call = std::make_shared<Computation>();
    const Napi::Array batches = to_array(info[0], "the micro-batches");
    const Napi::Object options = to_object(info[1], "the options");
    if (has(options, "program"))
        call->options.program = static_cast<int32_t>(
            to_int(get(options, "program"), "program", 0, trainer.program_count() - 1));
    const Program& program = trainer.program(call->options.program);
    std::vector<int32_t> losses;
    for (const Op& op : program.ops)
        std::visit(
            [&](const auto& each) {
                if constexpr (ops::is_loss<std::decay_t<decltype(each)>>) {
                    losses.push_back(each.output);
                    BERTHA_CHECK(each.items >= 0, "INVALID_PROGRAM", "a loss of no count");
                }
            },
            op);
    for (uint32_t i = 0; i < batches.Length(); i++) {
        const Napi::Object batch = to_object(batches.Get(i), "a micro-batch");
        call->batches.push_back(std::make_unique<CheckedBatch>(program, read_numbers(program, batch)));
        call->batches.back()->check_taken(losses);
    }
    call->options.num_items = to_doubles(get(options, "numItems"), "numItems");
    for (const Op& op : program.ops)
        std::visit(
            [&](const auto& each) {
                if constexpr (ops::is_loss<std::decay_t<decltype(each)>>)
                    BERTHA_CHECK(static_cast<size_t>(each.items) < call->options.num_items.size(),
                                 "INVALID_ARG", "expected more than %d numbers for numItems, got %zu",
                                 each.items, call->options.num_items.size());
            },
            op);
    call->options.micro_step = static_cast<uint32_t>(
        to_int(get(options, "microStep"), "microStep", 0, UINT32_MAX));
    call->options.outputs = to_int32s_or_empty(get(options, "outputs"), "outputs");
    call->options.gradients = !get(options, "forwardOnly").ToBoolean();  // undefined: with gradients
    return call;
}

std::shared_ptr<SnapshotRequest> read_snapshot(const Napi::Object& spec, int threads) {
    auto request = std::make_shared<SnapshotRequest>();
    request->program = std::make_shared<const Program>(read_program(spec));
    const Napi::Array weights = to_array(get(spec, "weights"), "weights");
    for (uint32_t i = 0; i < weights.Length(); i++) {
        const Napi::Array parts = to_array(get(to_object(weights.Get(i), "a weight"), "parts"), "parts");
        std::vector<cpu::LivePart>& list = request->parts.emplace_back();
        for (uint32_t j = 0; j < parts.Length(); j++)
            list.push_back(read_live_part(to_object(parts.Get(j), "a part")));
    }
    request->options.device = name_of_device(to_string(get(spec, "device"), "device"));
    request->options.precision = to_string(get(spec, "precision"), "precision");
    request->threads = threads;
    return request;
}

}  // namespace bertha::addon
