#include "addon/generation/generation_calls.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "addon/args.h"
#include "addon/batch/batch_reader.h"
#include "addon/environment.h"
#include "addon/generation/search_reader.h"
#include "engine/scheduler/scheduler.h"
#include "generation/generation_job.h"
#include "generation/state_budget.h"

namespace bertha::addon {
namespace {

using generation::GenerationJob;
using generation::StateBudget;

double milliseconds(Clock::duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

std::vector<int32_t> copy_of(const Numbers& numbers) {
    return std::vector<int32_t>(numbers.data, numbers.data + numbers.count);
}

generation::TextRequest read_text(const std::shared_ptr<const Model>& model, const Napi::Object& object) {
    generation::TextRequest request;
    request.model = model;
    request.logits = static_cast<int32_t>(to_int(get(object, "logits"), "logits", 0, INT32_MAX));
    request.settings = read_search_settings(to_object(get(object, "settings"), "settings"));
    request.prompt = to_int32s(get(object, "prompt"), "prompt");
    if (has(object, "source")) {
        const Program& program = model->program();
        const Napi::Object source = to_object(get(object, "source"), "source");
        const JobInputs given = read_numbers(program, source);
        for (const Numbers& input : given.inputs) request.source_inputs.push_back(copy_of(input));
        for (const Numbers& offsets : given.offsets) request.source_offsets.push_back(copy_of(offsets));
        request.source = to_int32s(get(source, "inputIds"), "inputIds");
        const std::vector<int32_t>& offsets = request.source_offsets[kTokenDomain];
        BERTHA_CHECK(offsets.size() == 2, "INVALID_ARG", "expected one source, got %zu numbers for %s",
                     offsets.size(), program.domains[kTokenDomain].offsets.c_str());
    }
    if (get(object, "bulk").ToBoolean()) request.lane = Priority::kBulk;
    if (has(object, "deadlineMs")) {
        const double ms = to_double(get(object, "deadlineMs"), "deadlineMs");
        request.deadline = Clock::now() + std::chrono::microseconds(static_cast<int64_t>(
                                              std::min(std::max(ms, 0.0), 1e9) * 1000.0));
    }
    return request;
}

Napi::Value to_result(Napi::Env env, const GenerationJob& job) {
    if (job.failure()) throw Error(job.failure()->code, job.failure()->message);
    Napi::Array sequences = Napi::Array::New(env, job.sequences().size());
    for (size_t i = 0; i < job.sequences().size(); i++)
        sequences.Set(static_cast<uint32_t>(i), sequence_to_js(env, job.sequences()[i]));
    Napi::Object result = Napi::Object::New(env);
    result.Set("sequences", sequences);
    result.Set("queuedMs", milliseconds(job.started - job.submitted));
    result.Set("computeMs", milliseconds(job.finished - job.started));
    return result;
}

// Hands the ids since the last time to onTokens.
void tell_new_ids(Napi::Env env, Environment& environment, int64_t id) {
    const auto found = environment.texts.find(id);
    if (found == environment.texts.end()) return;
    const Napi::HandleScope scope(env);
    const std::vector<generation::Ids> ids = found->second.job->take_new_ids();
    if (ids.empty()) return;
    Napi::Array lists = Napi::Array::New(env, ids.size());
    for (size_t i = 0; i < ids.size(); i++) {
        Napi::Array list = Napi::Array::New(env, ids[i].size());
        for (size_t k = 0; k < ids[i].size(); k++)
            list.Set(static_cast<uint32_t>(k), Napi::Number::New(env, ids[i][k]));
        lists.Set(static_cast<uint32_t>(i), list);
    }
    found->second.on_tokens.Call({lists});
}

// Several steps may go by before JavaScript hears of them: one completion waits at most.
std::function<void()> teller(const std::shared_ptr<Environment>& environment, int64_t id) {
    const auto waits = std::make_shared<std::atomic<bool>>(false);
    return [environment, id, waits] {
        if (waits->exchange(true)) return;
        environment->post([environment, id, waits](Napi::Env env) {
            waits->store(false);
            tell_new_ids(env, *environment, id);
        });
    };
}

}  // namespace

Napi::Value generate(const Napi::CallbackInfo& info, const std::shared_ptr<const Model>& model) {
    const Napi::Env env = info.Env();
    const auto job = std::make_shared<GenerationJob>(read_text(model, to_object(info[0], "the text")));
    const int64_t id = to_int(info[1], "the call's id");
    const std::shared_ptr<Environment> environment = Environment::of(env);
    Environment::Text text{job, {}};
    const bool tells = info[2].IsFunction();
    if (tells) text.on_tokens = Napi::Persistent(info[2].As<Napi::Function>());
    const Napi::Promise::Deferred deferred = Napi::Promise::Deferred::New(env);
    const auto on_done = [environment, deferred, id] {
        environment->post([environment, deferred, id](Napi::Env env) {
            const Napi::HandleScope scope(env);
            environment->end_operation(env);
            const auto found = environment->texts.find(id);
            const std::shared_ptr<GenerationJob> done = found->second.job;
            environment->texts.erase(found);
            settle(env, deferred, [&] { return to_result(env, *done); });
        });
    };
    environment->begin_operation(env);
    environment->texts[id] = std::move(text);
    try {
        job->start(tells ? teller(environment, id) : nullptr, on_done);
    } catch (...) {
        environment->texts.erase(id);
        environment->end_operation(env);
        settle(env, deferred, []() -> Napi::Value { throw; });
    }
    return deferred.Promise();
}

Napi::Value stop_sequence(const Napi::CallbackInfo& info) {
    const auto& texts = Environment::of(info.Env())->texts;
    const auto found = texts.find(to_int(info[0], "the call's id"));
    if (found != texts.end())
        found->second.job->stop(static_cast<size_t>(to_int(info[1], "the sequence", 0, INT32_MAX)));
    return info.Env().Undefined();
}

Napi::Object generation_stats(Napi::Env env) {
    const generation::StateStats stats = StateBudget::instance().stats();
    Napi::Object object = Napi::Object::New(env);
    object.Set("texts", static_cast<double>(stats.texts));
    object.Set("waiting", static_cast<double>(stats.waiting));
    object.Set("tokens", static_cast<double>(generation::generated_tokens()));
    object.Set("steps", static_cast<double>(Scheduler::instance().stats().steps));
    object.Set("stateBytes", static_cast<double>(stats.bytes));
    object.Set("maxStateBytes", static_cast<double>(stats.limit));
    return object;
}

Napi::Value set_max_state_bytes(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        StateBudget::instance().set_limit(to_int(info[0], "bytes", 1, int64_t{1} << 50));
        return info.Env().Undefined();
    });
}

}  // namespace bertha::addon
