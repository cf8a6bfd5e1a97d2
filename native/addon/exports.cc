#include "addon/exports.h"

#include "addon/args.h"
#include "addon/device_questions.h"
#include "addon/environment.h"
#include "addon/generation/generation_calls.h"
#include "addon/vectors/learn_ops.h"
#include "addon/model_wrap.h"
#include "addon/system/stay_loaded.h"
#include "addon/training/trainer_wrap.h"
#include "addon/vectors/vector_ops.h"
#include "addon/words/word_ops.h"
#include "cpu/isa/isa.h"
#include "engine/allocator.h"
#include "engine/pool/hardware.h"
#include "engine/pool/pool.h"
#include "engine/weights/registry.h"
#include "engine/scheduler/scheduler.h"
#include "engine/training/training_stats.h"

#ifndef BERTHA_BUILDER
#error "the build must say which tool it is: BERTHA_BUILDER"
#endif

namespace bertha::addon {
namespace {

Napi::Array to_strings(Napi::Env env, const std::vector<std::string>& strings) {
    Napi::Array array = Napi::Array::New(env, strings.size());
    for (size_t i = 0; i < strings.size(); i++) array.Set(static_cast<uint32_t>(i), strings[i]);
    return array;
}

std::vector<std::string> available_precisions() {
    std::vector<std::string> available;
    for (const char* precision : {"fp32", "fp16-weights", "bf16", "int8", "int8-fast"}) {
        try {
            cpu::format_for(cpu::kernels(), precision);
            available.push_back(precision);
        } catch (const Error&) {  // PRECISION: not here
        }
    }
    return available;
}

Napi::Value isa(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const cpu::IsaReport report = cpu::isa_report();
        Napi::Object object = Napi::Object::New(info.Env());
        object.Set("chosen", report.chosen);
        object.Set("available", to_strings(info.Env(), report.available));
        object.Set("features", to_strings(info.Env(), report.features));
        object.Set("forced", report.forced);
        object.Set("precisions", to_strings(info.Env(), available_precisions()));
        return object;
    });
}

Napi::Value threads(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const HardwareThreads report = hardware_threads();
        Napi::Object object = Napi::Object::New(info.Env());
        object.Set("pool", report.chosen);
        object.Set("running", Pool::instance().workers());
        object.Set("affinity", report.affinity);
        object.Set("quota", report.quota > 0 ? Napi::Value(Napi::Number::New(info.Env(), report.quota))
                                             : info.Env().Null());
        object.Set("physical", report.physical);
        object.Set("reason", report.reason);
        return object;
    });
}

Napi::Object training_stats_of(Napi::Env env) {
    const TrainingStats stats = training_stats();
    Napi::Object object = Napi::Object::New(env);
    object.Set("trainers", static_cast<double>(stats.trainers));
    object.Set("running", static_cast<double>(stats.running));
    object.Set("waiting", static_cast<double>(stats.waiting));
    object.Set("steps", static_cast<double>(stats.steps));
    object.Set("tokens", static_cast<double>(stats.tokens));
    object.Set("bytes", static_cast<double>(stats.bytes));
    object.Set("longestSliceMs", stats.longest_slice_ms);
    return object;
}

Napi::Value stats(const Napi::CallbackInfo& info) {
    const SchedulerStats stats = Scheduler::instance().stats();
    Napi::Object object = Napi::Object::New(info.Env());
    object.Set("workers", stats.workers);
    object.Set("queuedInteractive", static_cast<double>(stats.queued_jobs[0]));
    object.Set("queuedBulk", static_cast<double>(stats.queued_jobs[1]));
    object.Set("queuedTokens", static_cast<double>(stats.queued_tokens[0] + stats.queued_tokens[1]));
    object.Set("queueLimit", static_cast<double>(Scheduler::instance().queue_limit()));
    object.Set("runningBatches", static_cast<double>(stats.running_batches));
    object.Set("completedCalls", static_cast<double>(stats.completed_jobs));
    object.Set("failedCalls", static_cast<double>(stats.failed_jobs));
    object.Set("batches", static_cast<double>(stats.batches));
    object.Set("sequences", static_cast<double>(stats.batched_sequences));
    object.Set("tokens", static_cast<double>(stats.batched_tokens));
    object.Set("sharedBatches", static_cast<double>(stats.shared_batches));
    Napi::Array sizes = Napi::Array::New(info.Env(), stats.batch_sizes.size());
    for (size_t i = 0; i < stats.batch_sizes.size(); i++)
        sizes.Set(static_cast<uint32_t>(i), static_cast<double>(stats.batch_sizes[i]));
    object.Set("batchSizes", sizes);
    object.Set("queueSeconds", stats.queue_seconds);
    object.Set("computeSeconds", stats.compute_seconds);
    object.Set("lateHelpers", static_cast<double>(stats.stragglers));
    Napi::Object models = Napi::Object::New(info.Env());
    for (const auto& [device, count] : Registry::instance().models_by_device())
        models.Set(device, static_cast<double>(count));
    object.Set("modelsByDevice", models);
    object.Set("training", training_stats_of(info.Env()));
    object.Set("generation", generation_stats(info.Env()));
    return object;
}

}  // namespace

Napi::Object define_exports(Napi::Env env, Napi::Object exports) {
    stay_loaded();
    Environment::create(env);
    Environment::of(env)->model_constructor = Napi::Persistent(ModelWrap::define(env));
    Environment::of(env)->trainer_constructor = Napi::Persistent(TrainerWrap::define(env));
    exports.Set("builder", BERTHA_BUILDER);
    exports.Set("version", BERTHA_VERSION);
#if defined(__VERSION__)
    exports.Set("compiler", __VERSION__);
#else
    exports.Set("compiler", "unknown");
#endif
    exports.Set("load", Napi::Function::New(env, ModelWrap::load, "load"));
    exports.Set("loadTrainer", Napi::Function::New(env, TrainerWrap::load, "loadTrainer"));
    exports.Set("isa", Napi::Function::New(env, isa, "isa"));
    exports.Set("threads", Napi::Function::New(env, threads, "threads"));
    exports.Set("stats", Napi::Function::New(env, stats, "stats"));
    define_device_questions(env, exports);
    exports.Set("allocatedBytes", Napi::Function::New(env, [](const Napi::CallbackInfo& info) -> Napi::Value {
                    return Napi::Number::New(info.Env(), static_cast<double>(allocated_bytes()));
                }));
    exports.Set("setQueueLimit", Napi::Function::New(env, [](const Napi::CallbackInfo& info) -> Napi::Value {
                    return guarded(info.Env(), [&]() -> Napi::Value {
                        Scheduler::instance().set_queue_limit(to_int(info[0], "tokens", 1, int64_t{1} << 40));
                        return info.Env().Undefined();
                    });
                }));
    exports.Set("stopSequence", Napi::Function::New(env, stop_sequence, "stopSequence"));
    exports.Set("setMaxStateBytes", Napi::Function::New(env, set_max_state_bytes, "setMaxStateBytes"));
    exports.Set("vectors", define_vector_ops(env));
    exports.Set("learn", define_learn_ops(env));
    exports.Set("words", define_word_ops(env));
    return exports;
}

}  // namespace bertha::addon
