// Handles of word vectors: an External each, which shares what it names with the pool's threads.
#pragma once

#include <napi.h>

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "addon/args.h"
#include "addon/vectors/pool_task.h"
#include "cpu/word-vectors/corpus/corpus.h"
#include "cpu/word-vectors/training/training_job.h"
#include "cpu/word-vectors/word_vectors.h"
#include "engine/pool/hardware.h"
#include "engine/pool/long_job.h"
#include "engine/pool/pool.h"

namespace bertha::addon {

template <typename T>
Napi::Value to_handle(Napi::Env env, std::shared_ptr<T> shared) {
    auto own = std::make_unique<std::shared_ptr<T>>(std::move(shared));
    const auto finalize = [](Napi::BasicEnv, std::shared_ptr<T>* forgotten) { delete forgotten; };
    const auto handle = Napi::External<std::shared_ptr<T>>::New(env, own.get(), finalize);
    own.release();
    return handle;
}

template <typename T>
const std::shared_ptr<T>& from_handle(const Napi::Value& value) {
    BERTHA_CHECK(value.IsExternal(), "INVALID_ARG", "expected a handle");
    return *value.As<Napi::External<std::shared_ptr<T>>>().Data();
}

// A corpus and the wish to stop reading it.
struct CorpusHandle {
    CorpusHandle(const std::string& directory, int64_t max_vocab) : corpus(directory, max_vocab) {}
    cpu::Corpus corpus;
    std::atomic<bool> cancelled{false};
};

// A long job whose promise settles with result(env). A close of the environment calls `stop`; `owner` lives
// until the end.
template <typename Result>
Napi::Value run_long_job(Napi::Env env, std::vector<LongPhase> phases, std::shared_ptr<void> owner,
                         std::function<void()> stop, Result result) {
    ensure_pool();
    const Napi::Promise::Deferred deferred = Napi::Promise::Deferred::New(env);
    const void* key = owner.get();
    Environment::of(env)->stop_at_close[key] = std::move(stop);
    start_long_job(std::move(phases), settle_later(env, deferred, std::move(result),
                                                   [key, owner = std::move(owner)](Environment& environment) {
                                                       environment.stop_at_close.erase(key);
                                                   }));
    return deferred.Promise();
}

}  // namespace bertha::addon
