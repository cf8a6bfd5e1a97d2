#include "addon/training/trainer_wrap.h"

#include <cmath>
#include <utility>

#include "addon/args.h"
#include "addon/batch/batch_reader.h"
#include "addon/program_reader.h"
#include "addon/training/trainer_calls.h"
#include "engine/model.h"
#include "engine/pool/hardware.h"
#include "engine/pool/pool.h"

namespace bertha::addon {
namespace {

struct LoadRequest {
    Program program;
    std::vector<WeightParts> parts;
    cpu::TrainingSpec spec;
    int threads = 1;
    std::shared_ptr<Trainer> trainer;
};

cpu::WeightBlock read_block(const Napi::Object& object, const Weight& weight) {
    const int64_t row = to_int(get(object, "rowBegin"), "rowBegin", 0, weight.rows);
    const int64_t col = to_int(get(object, "colBegin"), "colBegin", 0, weight.cols);
    return {row, to_int(get(object, "rows"), "rows", 0, weight.rows - row), col,
            to_int(get(object, "cols"), "cols", 0, weight.cols - col)};
}

void read_training(const Napi::Object& training, LoadRequest& request) {
    const Napi::Array weights = to_array(get(training, "weights"), "weights");
    BERTHA_CHECK(weights.Length() == request.program.weights.size(), "INVALID_PROGRAM",
                 "expected how %zu weights learn, got %u", request.program.weights.size(), weights.Length());
    for (uint32_t i = 0; i < weights.Length(); i++) {
        const Napi::Object object = to_object(weights.Get(i), "a weight");
        cpu::LearningWeight weight;
        weight.trainable = get(object, "trainable").ToBoolean();
        weight.decays = get(object, "decay").ToBoolean();
        if (has(object, "frozenRow")) weight.frozen_row = to_int(get(object, "frozenRow"), "frozenRow");
        if (has(object, "tiedTo"))
            weight.tied_to = static_cast<int32_t>(to_int(get(object, "tiedTo"), "tiedTo", 0, INT32_MAX));
        const Napi::Array blocks = has(object, "blocks") ? to_array(get(object, "blocks"), "blocks")
                                                         : Napi::Array::New(object.Env());
        for (uint32_t j = 0; j < blocks.Length(); j++)
            weight.blocks.push_back(
                read_block(to_object(blocks.Get(j), "a block"), request.program.weights[i]));
        request.spec.weights.push_back(std::move(weight));
    }
    request.spec.sequences_per_group = to_int(get(training, "sequencesPerGroup"), "sequencesPerGroup", 0,
                                              INT32_MAX);
}

std::vector<double> to_doubles(const Napi::Value& value, const char* name) {
    const Napi::Array list = to_array(value, name);
    std::vector<double> numbers;
    for (uint32_t i = 0; i < list.Length(); i++) numbers.push_back(to_double(list.Get(i), name));
    return numbers;
}

cpu::AdamwUpdate read_update(const Napi::Object& options) {
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
    update.step = to_int(get(options, "step"), "step", 1, INT64_MAX / 2);
    return update;
}

// What a call hands over, and what becomes of it.
struct Computation {
    std::vector<std::unique_ptr<CheckedBatch>> batches;
    cpu::AccumulateOptions options;
    cpu::AdamwUpdate update;
    cpu::Accumulated result;
    double grad_norm = 0.0;
    double compute_ms = 0.0;
};

std::shared_ptr<Computation> read_computation(const Program& program, const Napi::CallbackInfo& info) {
    auto call = std::make_shared<Computation>();
    const Napi::Array batches = to_array(info[0], "the micro-batches");
    const Napi::Object options = to_object(info[1], "the options");
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
    return call;
}

void compute(Computation& call, Trainer& trainer, Control& control) {
    const Clock::time_point start = Clock::now();
    std::vector<const Batch*> batches;
    for (const auto& each : call.batches) batches.push_back(&each->view());
    call.result = trainer.accumulate(batches, call.options, control);
    call.compute_ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

Napi::Object to_object_of(Napi::Env env, const Computation& call) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("loss", call.result.loss);
    Napi::Array losses = Napi::Array::New(env);
    for (size_t i = 0; i < call.result.losses.size(); i++)
        losses.Set(static_cast<uint32_t>(i), call.result.losses[i]);
    object.Set("losses", losses);
    object.Set("tokens", static_cast<double>(call.result.tokens));
    object.Set("computeMs", call.compute_ms);
    Napi::Array outputs = Napi::Array::New(env);
    for (size_t i = 0; i < call.result.outputs.size(); i++) {
        Napi::Array values = Napi::Array::New(env);
        for (size_t j = 0; j < call.result.outputs[i].size(); j++) {
            const std::vector<float>& floats = call.result.outputs[i][j];
            values.Set(static_cast<uint32_t>(j), from_floats(env, floats.data(), floats.size()));
        }
        outputs.Set(static_cast<uint32_t>(i), values);
    }
    object.Set("outputs", outputs);
    return object;
}

cpu::TensorKind kind_from(const std::string& name) {
    if (name == "value") return cpu::TensorKind::kValue;
    if (name == "gradient") return cpu::TensorKind::kGradient;
    if (name == "expAvg") return cpu::TensorKind::kExpAvg;
    if (name == "expAvgSq") return cpu::TensorKind::kExpAvgSq;
    fail("INVALID_ARG", "expected value, gradient, expAvg or expAvgSq, got %.64s", name.c_str());
}

int32_t weight_from(const Napi::Value& value, const Program& program) {
    return static_cast<int32_t>(
        to_int(value, "the weight", 0, static_cast<int64_t>(program.weights.size()) - 1));
}

int64_t next_id() {
    static std::atomic<int64_t> last{0};
    return --last;  // those of JavaScript are above 0
}

}  // namespace

Napi::Function TrainerWrap::define(Napi::Env env) {
    return DefineClass(
        env, "NativeTrainer",
        {InstanceMethod("step", &TrainerWrap::step), InstanceMethod("accumulate", &TrainerWrap::accumulate),
         InstanceMethod("update", &TrainerWrap::update),
         InstanceMethod("zeroGradients", &TrainerWrap::zero_gradients),
         InstanceMethod("read", &TrainerWrap::read), InstanceMethod("write", &TrainerWrap::write),
         InstanceMethod("liveModel", &TrainerWrap::live_model),
         InstanceMethod("cancel", &TrainerWrap::cancel), InstanceMethod("dispose", &TrainerWrap::dispose),
         InstanceMethod("memoryUsage", &TrainerWrap::memory_usage)});
}

TrainerWrap::TrainerWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<TrainerWrap>(info) {
    const std::shared_ptr<Environment> environment = Environment::of(info.Env());
    std::shared_ptr<Trainer> trainer = std::exchange(environment->trainer_to_wrap, nullptr);
    if (trainer == nullptr)
        throw make_error(info.Env(), "INVALID_ARG",
                         "NativeTrainer cannot be constructed: expected loadTrainer()");
    calls_ = std::make_shared<TrainerCalls>(info.Env(), std::move(trainer));
    environment->stop_at_close[calls_.get()] = [weak = std::weak_ptr<TrainerCalls>(calls_)] {
        if (const auto calls = weak.lock()) calls->cancel_all();
    };
}

TrainerWrap::~TrainerWrap() = default;

TrainerCalls& TrainerWrap::calls() const {
    BERTHA_CHECK(calls_ != nullptr && calls_->trainer() != nullptr, "DISPOSED", "the trainer was disposed");
    return *calls_;
}

Napi::Value TrainerWrap::load(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
        const Napi::Object spec = to_object(info[0], "the program"),
                           options = to_object(info[1], "the options");
        auto request = std::make_shared<LoadRequest>();
        request->program = read_program(spec);
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
        request->threads = has(options, "threads")
                               ? static_cast<int>(to_int(get(options, "threads"), "threads", 1, 1024))
                               : hardware_threads().chosen;
        Pool::instance().ensure_workers(request->threads);
        return run_on_pool(
            env,
            [request] {
                FileSource source(request->program, std::move(request->parts), true);
                request->trainer = std::make_shared<Trainer>(request->program, std::move(request->spec),
                                                             source, request->threads);
                source.verify();
            },
            [request](Napi::Env env) -> Napi::Value {
                const std::shared_ptr<Environment> environment = Environment::of(env);
                environment->trainer_to_wrap = std::move(request->trainer);
                return environment->trainer_constructor.New({});
            },
            [] {});
    });
}

Napi::Value TrainerWrap::step(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto call = read_computation(calls().trainer()->program(), info);
        call->update = read_update(to_object(info[1], "the options"));
        return calls().add(
            info.Env(), to_int(info[2], "the call's id"),
            [call](Trainer& trainer, Control& control) {
                const Clock::time_point start = Clock::now();
                compute(*call, trainer, control);
                call->grad_norm = trainer.update(call->update, control);
                call->compute_ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
            },
            [call](Napi::Env env) -> Napi::Value {
                Napi::Object result = to_object_of(env, *call);
                result.Set("gradNorm", call->grad_norm);
                return result;
            });
    });
}

Napi::Value TrainerWrap::accumulate(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto call = read_computation(calls().trainer()->program(), info);
        return calls().add(
            info.Env(), to_int(info[2], "the call's id"),
            [call](Trainer& trainer, Control& control) { compute(*call, trainer, control); },
            [call](Napi::Env env) -> Napi::Value { return to_object_of(env, *call); });
    });
}

Napi::Value TrainerWrap::update(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto call = std::make_shared<Computation>();
        call->update = read_update(to_object(info[0], "the options"));
        return calls().add(
            info.Env(), to_int(info[1], "the call's id"),
            [call](Trainer& trainer, Control& control) {
                call->grad_norm = trainer.update(call->update, control);
            },
            [call](Napi::Env env) -> Napi::Value {
                Napi::Object result = Napi::Object::New(env);
                result.Set("gradNorm", call->grad_norm);
                return result;
            });
    });
}

Napi::Value TrainerWrap::zero_gradients(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        calls().add(
            info.Env(), next_id(),
            [](Trainer& trainer, Control& control) { trainer.zero_gradients(control); },
            [](Napi::Env env) -> Napi::Value { return env.Undefined(); });
        return info.Env().Undefined();
    });
}

Napi::Value TrainerWrap::read(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const Program& program = calls().trainer()->program();
        const int32_t weight = weight_from(info[0], program);
        const cpu::TensorKind kind = kind_from(to_string(info[1], "the kind"));
        const int64_t rows = program.weights[static_cast<size_t>(weight)].rows;
        const int64_t begin = to_int(info[2], "rowBegin", 0, rows),
                      end = to_int(info[3], "rowEnd", begin, rows);
        const auto result = std::make_shared<std::vector<float>>();
        return calls().add(
            info.Env(), next_id(),
            [=](Trainer& trainer, Control& control) {
                *result = trainer.read(weight, kind, begin, end, control);
            },
            [result](Napi::Env env) -> Napi::Value {
                return from_floats(env, result->data(), result->size());
            });
    });
}

Napi::Value TrainerWrap::write(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const Program& program = calls().trainer()->program();
        const int32_t weight = weight_from(info[0], program);
        const cpu::TensorKind kind = kind_from(to_string(info[1], "the kind"));
        const Weight& shape = program.weights[static_cast<size_t>(weight)];
        const int64_t begin = to_int(info[2], "rowBegin", 0, shape.rows);
        const auto values = std::make_shared<std::vector<float>>(to_floats(info[3], "values"));
        const auto count = static_cast<int64_t>(values->size());
        BERTHA_CHECK(count % shape.cols == 0 && begin + count / shape.cols <= shape.rows, "INVALID_ARG",
                     "expected rows of %lld numbers within %lld rows of %s, got %lld numbers",
                     static_cast<long long>(shape.cols), static_cast<long long>(shape.rows),
                     shape.name.c_str(), static_cast<long long>(count));
        for (const float each : *values)
            BERTHA_CHECK(std::isfinite(each), "NON_FINITE", "expected finite numbers for %s",
                         shape.name.c_str());
        const int64_t end = begin + count / shape.cols;
        return calls().add(
            info.Env(), next_id(),
            [=](Trainer& trainer, Control&) { trainer.write(weight, kind, begin, end, *values); },
            [](Napi::Env env) -> Napi::Value { return env.Undefined(); });
    });
}

Napi::Value TrainerWrap::live_model(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const std::shared_ptr<Trainer>& trainer = calls().trainer();
        const auto program = std::make_shared<const Program>(read_program(to_object(info[0], "the program")));
        const std::shared_ptr<Environment> environment = Environment::of(info.Env());
        environment->model_to_wrap = std::make_shared<const Model>(
            program,
            std::shared_ptr<const LoadedModel>(cpu::live_model(program, trainer->program(), trainer)),
            trainer->threads());
        return environment->model_constructor.New({});
    });
}

Napi::Value TrainerWrap::cancel(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        if (calls_ != nullptr) calls_->cancel(to_int(info[0], "the call's id"));
        return info.Env().Undefined();
    });
}

Napi::Value TrainerWrap::dispose(const Napi::CallbackInfo& info) {
    if (calls_ != nullptr) {
        Environment::of(info.Env())->stop_at_close.erase(calls_.get());
        calls_->dispose();
    }
    return info.Env().Undefined();
}

Napi::Value TrainerWrap::memory_usage(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const std::shared_ptr<Trainer>& trainer = calls().trainer();
        Napi::Object usage = Napi::Object::New(info.Env());
        usage.Set("weights", static_cast<double>(trainer->parameters().bytes()));
        usage.Set("workspaces", static_cast<double>(trainer->workspace_bytes()));
        usage.Set("users", 1.0);
        return usage;
    });
}

}  // namespace bertha::addon
