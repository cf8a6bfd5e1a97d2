#include "addon/model_wrap.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "addon/args.h"
#include "addon/batch/batch_reader.h"
#include "addon/environment.h"
#include "addon/generation/generation_calls.h"
#include "addon/weights/file_source.h"
#include "addon/weights/model_key.h"
#include "addon/program_reader.h"
#include "devices.h"
#include "engine/pool/hardware.h"
#include "engine/pool/pool.h"
#include "engine/weights/registry.h"
#include "engine/scheduler/scheduler.h"
#include "engine/system/thread.h"
#include "engine/weights/weight_cache.h"

namespace bertha::addon {
namespace {

// V8 collects all garbage once memory outside its heap has grown by 64 MiB: models that were dropped and not
// disposed of should bring that about, the loading of a single one should not.
constexpr int64_t kMostReported = int64_t{24} << 20;

struct LoadRequest {
    std::shared_ptr<const Program> program;
    std::vector<WeightParts> parts;
    LoadOptions options;
    int threads;
    std::string cache_directory;  // empty: no cache
    std::string cache_model;      // what the files belong to: the model's path
    std::unique_ptr<WeightCache> cache;
};

std::shared_ptr<const Model> load_now(LoadRequest& request) {
    Pool::instance().ensure_workers(request.threads);
    const std::string key = model_key(*request.program, request.parts, request.options);
    if (!request.cache_directory.empty() && !key.empty()) {
        request.cache = std::make_unique<WeightCache>(
            request.cache_directory,
            BERTHA_VERSION " " + request.cache_model + '\n' + program_key(*request.program, request.options),
            key);
        request.options.cache = request.cache.get();
    }
    const auto loaded = Registry::instance().get(key, [&request] {
        FileSource source(*request.program, std::move(request.parts));
        PoolTeam team(request.threads);
        std::unique_ptr<LoadedModel> model = load_model(request.program, source, request.options, team);
        source.verify();
        return model;
    });
    return std::make_shared<const Model>(request.program, loaded, request.threads);
}

double milliseconds(Clock::duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

// { path, outcome, problem }
Napi::Object describe(Napi::Env env, const WeightCache& cache) {
    const char* outcome = "unused";
    if (cache.outcome() == WeightCache::Outcome::kHit) outcome = "hit";
    if (cache.outcome() == WeightCache::Outcome::kStored) outcome = "stored";
    if (cache.outcome() == WeightCache::Outcome::kFailed) outcome = "failed";
    Napi::Object object = Napi::Object::New(env);
    object.Set("path", cache.path());
    object.Set("outcome", outcome);
    object.Set("problem", cache.problem());
    return object;
}

// Results of this size and more are written into their arrays by the pool's threads. For smaller ones a copy
// costs less than keeping an array for them.
constexpr int64_t kLargeResult = int64_t{64} << 10;

// An array that JavaScript gets; V8 ends the process where it finds no memory, so that is tried out first.
Napi::Float32Array new_array(Napi::Env env, int64_t floats) {
    const auto count = static_cast<size_t>(floats);
    if (floats * static_cast<int64_t>(sizeof(float)) >= kLargeResult) Buffer(count * sizeof(float)).reset();
    try {
        return Napi::Float32Array::New(env, count);
    } catch (const Napi::Error& refused) {
        throw Error("OUT_OF_MEMORY",
                    "no array of " + std::to_string(count) + " numbers: " + refused.Message());
    }
}

bool is_bulk(const Napi::Object& batch) {
    return get(batch, "bulk").ToBoolean();  // undefined: no
}

JobPtr make_job(const std::shared_ptr<const Model>& model, const Napi::Object& batch,
                const Job::Allocate& allocate) {
    const Program& program = model->program();
    JobInputs inputs = read_numbers(program, batch);
    inputs.wanted = to_int32s(get(batch, "outputs"), "outputs");
    auto job = std::make_shared<Job>(model, inputs, allocate);
    job->lane = is_bulk(batch) ? Lane::kBulk : Lane::kInteractive;
    if (has(batch, "group"))
        job->group = {Environment::of(batch.Env()).get(), to_int(get(batch, "group"), "group")};
    if (has(batch, "deadlineMs")) {
        const double ms = to_double(get(batch, "deadlineMs"), "deadlineMs");
        job->deadline = Clock::now() + std::chrono::microseconds(
                                           static_cast<int64_t>(std::min(std::max(ms, 0.0), 1e9) * 1000.0));
    }
    return job;
}

// { outputs: Float32Array[], queuedMs, computeMs }. array_of(i) is the i-th output's array.
template <typename ArrayOf>
Napi::Object to_result(Napi::Env env, const Job& job, ArrayOf&& array_of) {
    Napi::Array outputs = Napi::Array::New(env, job.outputs.size());
    for (size_t i = 0; i < job.outputs.size(); i++) outputs.Set(static_cast<uint32_t>(i), array_of(i));
    Napi::Object result = Napi::Object::New(env);
    result.Set("outputs", outputs);
    result.Set("queuedMs", milliseconds(job.started - job.submitted));
    result.Set("computeMs", milliseconds(job.finished - job.started));
    return result;
}

}  // namespace

Napi::Function ModelWrap::define(Napi::Env env) {
    return DefineClass(
        env, "NativeModel",
        {InstanceMethod("run", &ModelWrap::run), InstanceMethod("runSync", &ModelWrap::run_sync),
         InstanceMethod("generate", &ModelWrap::generate), InstanceMethod("cancel", &ModelWrap::cancel),
         InstanceMethod("dispose", &ModelWrap::dispose),
         InstanceMethod("memoryUsage", &ModelWrap::memory_usage)});
}

ModelWrap::ModelWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ModelWrap>(info) {
    model_ = std::exchange(Environment::of(info.Env())->model_to_wrap, nullptr);
    if (model_ == nullptr)
        throw make_error(info.Env(), "INVALID_ARG",
                         "NativeModel cannot be constructed: expected loadModel() to make it");
    reported_bytes_ = std::min(model_->loaded().weight_bytes(), kMostReported);
    Napi::MemoryManagement::AdjustExternalMemory(info.Env(), reported_bytes_);
}

void ModelWrap::Finalize(Napi::BasicEnv env) {
    if (reported_bytes_ != 0) Napi::MemoryManagement::AdjustExternalMemory(env, -reported_bytes_);
}

std::shared_ptr<const Model> ModelWrap::model() const {
    BERTHA_CHECK(model_ != nullptr, "DISPOSED", "the model was disposed");
    return model_;
}

Napi::Value ModelWrap::load(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
        const Napi::Object spec = to_object(info[0], "the model");
        auto request = std::make_shared<LoadRequest>();
        request->program = std::make_shared<const Program>(read_program(spec));
        request->parts = read_parts(spec);
        request->options.device = name_of_device(to_string(get(spec, "device"), "device"));
        request->options.precision = to_string(get(spec, "precision"), "precision");
        request->threads = has(spec, "threads")
                               ? static_cast<int>(to_int(get(spec, "threads"), "threads", 1, 1024))
                               : hardware_threads().chosen;
        if (has(spec, "cacheDirectory")) {
            request->cache_directory = to_string(get(spec, "cacheDirectory"), "cacheDirectory");
            request->cache_model = to_string(get(spec, "cacheModel"), "cacheModel");
        }
        const std::shared_ptr<Environment> environment = Environment::of(env);
        const Napi::Promise::Deferred deferred = Napi::Promise::Deferred::New(env);
        environment->begin_operation(env);
        const auto work = [request, environment, deferred]() mutable {
            std::shared_ptr<const Model> model;
            const std::optional<Failure> failure = failure_of(
                [&] { model = load_now(*request); }, "the system has no memory left for the weights");
            // This thread may end long after the promise: it keeps nothing of the model.
            environment->post([request = std::move(request), environment, deferred, model = std::move(model),
                               failure](Napi::Env env) mutable {
                const Napi::HandleScope scope(env);
                environment->end_operation(env);
                settle(env, deferred, [&]() -> Napi::Value {
                    if (failure) throw Error(failure->code, failure->message);
                    environment->model_to_wrap = std::move(model);
                    Napi::Object wrapped = environment->model_constructor.New({});
                    if (request->cache) wrapped.Set("weightCache", describe(env, *request->cache));
                    return wrapped;
                });
            });
        };
        try {
            start_thread(work);
        } catch (const std::system_error& refused) {
            environment->end_operation(env);
            settle(env, deferred, [&]() -> Napi::Value {
                fail("THREADS", "the system refuses to start a thread: %s", refused.what());
            });
        }
        return deferred.Promise();
    });
}

Napi::Value ModelWrap::run(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
        const Napi::Object batch = to_object(info[0], "the batch");
        const int64_t id = to_int(info[1], "the call's id");
        const std::shared_ptr<Environment> environment = Environment::of(env);
        // An environment that ends waits until nobody writes into its arrays: within an op for interactive
        // work, but bulk work may be paused for long.
        Environment::Call call;
        const auto allocate = [&](int64_t floats) -> float* {
            if (floats * static_cast<int64_t>(sizeof(float)) < kLargeResult || is_bulk(batch)) {
                call.arrays.emplace_back();
                return nullptr;
            }
            Napi::Float32Array array = new_array(env, floats);
            call.arrays.push_back(Napi::Persistent(array));
            call.is_writing = true;
            return array.Data();
        };
        const JobPtr job = call.job = make_job(model(), batch, allocate);
        const Napi::Promise::Deferred deferred = Napi::Promise::Deferred::New(env);
        // The job owns its callback, the callback must not own the job.
        job->on_done = [weak = std::weak_ptr<Job>(job), environment, deferred, id,
                        is_writing = call.is_writing] {
            environment->post([job = weak.lock(), environment, deferred, id](Napi::Env env) {
                const Napi::HandleScope scope(env);
                environment->end_operation(env);
                const Environment::Call call = environment->remove_call(id);
                settle(env, deferred, [&]() -> Napi::Value {
                    if (job->failed) throw Error(job->error.code, job->error.message);
                    return to_result(env, *job, [&](size_t i) -> Napi::Value {
                        if (!call.arrays[i].IsEmpty()) return call.arrays[i].Value();
                        const JobOutput& output = job->outputs[i];
                        return from_floats(env, output.data, static_cast<size_t>(output.floats));
                    });
                });
            });
            if (is_writing) environment->end_writing();
        };
        environment->begin_operation(env);
        environment->add_call(id, std::move(call));
        try {
            Scheduler::instance().submit(job);
        } catch (...) {
            job->on_done = nullptr;
            environment->drop_call(id);
            environment->end_operation(env);
            // A promise that is never settled would stay in memory.
            settle(env, deferred, []() -> Napi::Value { throw; });
        }
        return deferred.Promise();
    });
}

Napi::Value ModelWrap::run_sync(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
        std::vector<Napi::Float32Array> arrays;
        const auto allocate = [&](int64_t floats) {
            arrays.push_back(new_array(env, floats));
            return arrays.back().Data();
        };
        const JobPtr job = make_job(model(), to_object(info[0], "the batch"), allocate);
        Scheduler::instance().run_now(job);
        if (job->failed) throw Error(job->error.code, job->error.message);
        return to_result(env, *job, [&](size_t i) -> Napi::Value { return arrays[i]; });
    });
}

Napi::Value ModelWrap::generate(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] { return addon::generate(info, model()); });
}

Napi::Value ModelWrap::cancel(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        Environment::of(info.Env())->cancel_call(to_int(info[0], "the call's id"));
        return info.Env().Undefined();
    });
}

Napi::Value ModelWrap::dispose(const Napi::CallbackInfo& info) {
    if (model_ != nullptr) {
        model_.reset();
        Napi::MemoryManagement::AdjustExternalMemory(info.Env(), -reported_bytes_);
        reported_bytes_ = 0;
    }
    return info.Env().Undefined();
}

Napi::Value ModelWrap::memory_usage(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        Napi::Object usage = Napi::Object::New(info.Env());
        usage.Set("weights", static_cast<double>(model()->loaded().weight_bytes()));
        usage.Set("sharedWeights", static_cast<double>(model()->loaded().shared_bytes()));
        usage.Set("workspaces", static_cast<double>(model()->workspace_bytes()));
        usage.Set("users", static_cast<double>(model()->users()));
        return usage;
    });
}

}  // namespace bertha::addon
