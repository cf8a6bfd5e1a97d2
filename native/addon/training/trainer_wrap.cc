#include "addon/training/trainer_wrap.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "addon/args.h"
#include "addon/training/trainer_calls.h"
#include "addon/training/trainer_reader.h"
#include "addon/vectors/pool_task.h"
#include "devices.h"
#include "engine/model.h"
#include "engine/pool/pool.h"
#include "engine/scheduler/yielding_team.h"
#include "engine/weights/registry.h"

namespace bertha::addon {
namespace {

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

Napi::Value wrap_model(Napi::Env env, std::shared_ptr<const Model> model) {
    const std::shared_ptr<Environment> environment = Environment::of(env);
    environment->model_to_wrap = std::move(model);
    return environment->model_constructor.New({});
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
         InstanceMethod("gradientNorm", &TrainerWrap::gradient_norm),
         InstanceMethod("zeroGradients", &TrainerWrap::zero_gradients),
         InstanceMethod("read", &TrainerWrap::read), InstanceMethod("write", &TrainerWrap::write),
         InstanceMethod("liveModel", &TrainerWrap::live_model),
         InstanceMethod("snapshot", &TrainerWrap::snapshot), InstanceMethod("cancel", &TrainerWrap::cancel),
         InstanceMethod("dispose", &TrainerWrap::dispose),
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
        const auto request = read_trainer(info);
        Pool::instance().ensure_workers(request->threads);
        const Napi::Promise::Deferred deferred = Napi::Promise::Deferred::New(env);
        Pool::instance().submit(std::make_shared<Task>(
            1,
            [request](int64_t) {
                FileSource source(request->programs.front(), std::move(request->parts), true);
                request->trainer = std::make_shared<Trainer>(request->programs, std::move(request->spec),
                                                             source, request->threads);
                source.verify();
            },
            settle_later(env, deferred, [request](Napi::Env env) -> Napi::Value {
                const std::shared_ptr<Environment> environment = Environment::of(env);
                environment->trainer_to_wrap = std::move(request->trainer);
                return environment->trainer_constructor.New({});
            })));
        return deferred.Promise();
    });
}

Napi::Value TrainerWrap::step(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto call = read_computation(*calls().trainer(), info);
        call->update = read_update(calls().trainer()->program(), to_object(info[1], "the options"));
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
        const auto call = read_computation(*calls().trainer(), info);
        return calls().add(
            info.Env(), to_int(info[2], "the call's id"),
            [call](Trainer& trainer, Control& control) { compute(*call, trainer, control); },
            [call](Napi::Env env) -> Napi::Value { return to_object_of(env, *call); });
    });
}

Napi::Value TrainerWrap::update(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto call = std::make_shared<Computation>();
        call->update = read_update(calls().trainer()->program(), to_object(info[0], "the options"));
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

Napi::Value TrainerWrap::gradient_norm(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto norm = std::make_shared<double>(0.0);
        return calls().add(
            info.Env(), next_id(),
            [norm](Trainer& trainer, Control& control) { *norm = trainer.gradient_norm(control); },
            [norm](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, *norm); });
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
        const auto result = std::make_shared<Buffer>();
        const size_t count = static_cast<size_t>((end - begin) *
                                                 program.weights[static_cast<size_t>(weight)].cols);
        return calls().add(
            info.Env(), next_id(),
            [=](Trainer& trainer, Control& control) {
                *result = trainer.read(weight, kind, begin, end, control);
            },
            [result, count](Napi::Env env) -> Napi::Value {
                return from_floats(env, result->floats(), count);
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
        const auto given = to_typed_array<float, napi_float32_array>(info[3], "values", "a Float32Array");
        const auto count = static_cast<int64_t>(given.ElementLength());
        BERTHA_CHECK(count % shape.cols == 0 && begin + count / shape.cols <= shape.rows, "INVALID_ARG",
                     "expected rows of %lld numbers within %lld rows of %s, got %lld numbers",
                     static_cast<long long>(shape.cols), static_cast<long long>(shape.rows),
                     shape.name.c_str(), static_cast<long long>(count));
        const auto values = std::make_shared<Buffer>(static_cast<size_t>(count) * sizeof(float));
        std::copy(given.Data(), given.Data() + count, values->floats());
        BERTHA_CHECK(std::all_of(values->floats(), values->floats() + count,
                                 [](float each) { return std::isfinite(each); }),
                     "NON_FINITE", "expected finite numbers for %s", shape.name.c_str());
        const int64_t end = begin + count / shape.cols;
        return calls().add(
            info.Env(), next_id(),
            [=](Trainer& trainer, Control&) { trainer.write(weight, kind, begin, end, values->floats()); },
            [](Napi::Env env) -> Napi::Value { return env.Undefined(); });
    });
}

Napi::Value TrainerWrap::live_model(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const std::shared_ptr<Trainer>& trainer = calls().trainer();
        const auto program = std::make_shared<const Program>(read_program(to_object(info[0], "the program")));
        std::shared_ptr<const LoadedModel> live = cpu::live_model(program, trainer->program(), trainer);
        return wrap_model(info.Env(),
                          std::make_shared<const Model>(program, std::move(live), trainer->threads()));
    });
}

Napi::Value TrainerWrap::snapshot(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto request = read_snapshot(to_object(info[0], "the program"), calls().trainer()->threads());
        return calls().add(
            info.Env(), next_id(),
            [request](Trainer& trainer, Control& control) {
                cpu::ParameterSource source(*request->program, std::move(request->parts), trainer.program(),
                                            trainer.parameters());
                // Nobody else has these weights: the empty key is never shared.
                const auto loaded = Registry::instance().get("", [&] {
                    YieldingTeam team(request->threads, control);
                    return load_model(request->program, source, request->options, team);
                });
                request->model = std::make_shared<const Model>(request->program, loaded, request->threads);
            },
            [request](Napi::Env env) { return wrap_model(env, std::move(request->model)); });
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
