#include "addon/environment.h"

#include "engine/scheduler/scheduler.h"

namespace bertha::addon {
namespace {

// The instance data of an environment: freed after the cleanup hooks.
struct Holder {
    std::shared_ptr<Environment> environment;
};

}  // namespace

void Environment::call_js(Napi::Env env, Napi::Function, std::nullptr_t*, Completion* completion) {
    const std::unique_ptr<Completion> owned(completion);
    if (env == nullptr) return;
    try {
        (*owned)(env);
    } catch (const Napi::Error&) {
        // A worker that is being terminated runs no more JavaScript, and nobody waits for the result.
    }
}

void Environment::create(Napi::Env env) {
    auto environment = std::make_shared<Environment>();
    environment->thread_safe_ = ThreadSafe::New(env, "bertha", 0, 1);
    environment->thread_safe_.Unref(env);
    env.SetInstanceData(new Holder{environment});
    // Hooks run last in, first out: this one runs before the thread-safe function's own.
    env.AddCleanupHook([environment] { environment->close(); });
}

std::shared_ptr<Environment> Environment::of(Napi::Env env) {
    return env.GetInstanceData<Holder>()->environment;
}

bool Environment::post(Completion completion) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return false;
    auto owned = std::make_unique<Completion>(std::move(completion));
    if (thread_safe_.NonBlockingCall(owned.get()) != napi_ok) return false;
    owned.release();
    return true;
}

void Environment::begin_operation(Napi::Env env) {
    if (pending_++ == 0) thread_safe_.Ref(env);
}

void Environment::end_operation(Napi::Env env) {
    if (--pending_ == 0) thread_safe_.Unref(env);
}

void Environment::add_call(int64_t id, Call&& call) {
    if (call.is_writing) {
        const std::lock_guard<std::mutex> lock(mutex_);
        writing_++;
    }
    calls_[id] = std::move(call);
}

Environment::Call Environment::remove_call(int64_t id) {
    const auto found = calls_.find(id);
    Call call = std::move(found->second);
    calls_.erase(found);
    return call;
}

void Environment::drop_call(int64_t id) {
    if (remove_call(id).is_writing) end_writing();
}

void Environment::cancel_call(int64_t id) {
    const auto found = calls_.find(id);
    if (const auto text = texts.find(id); text != texts.end()) {
        const auto job = text->second.job;
        job->cancel();
    }
    if (found == calls_.end()) return;
    const JobPtr job = found->second.job;
    Scheduler::instance().cancel(job);
}

void Environment::end_writing() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (--writing_ == 0) written_.notify_all();
}

void Environment::close() {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        closed_ = true;
    }
    for (const auto& entry : stop_at_close) entry.second();
    for (const auto& entry : calls_) Scheduler::instance().cancel(entry.second.job);
    for (const auto& entry : texts) entry.second.job->cancel();
    texts.clear();
    // The arrays go with the environment.
    std::unique_lock<std::mutex> lock(mutex_);
    written_.wait(lock, [this] { return writing_ == 0; });
    lock.unlock();
    calls_.clear();
    model_constructor.Reset();
    trainer_constructor.Reset();
}

}  // namespace bertha::addon
