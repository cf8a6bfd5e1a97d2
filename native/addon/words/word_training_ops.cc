#include <algorithm>

#include "addon/words/handles.h"
#include "addon/words/word_ops.h"
#include "cpu/word-vectors/glove/glove.h"
#include "cpu/word-vectors/training/word2vec.h"

namespace bertha::addon {
namespace {

// A training, ready to run once.
struct TrainingHandle {
    std::vector<LongPhase> phases;
    std::function<std::shared_ptr<cpu::WordVectors>()> take_vectors;
    cpu::TrainingProgress* progress = nullptr;
    std::shared_ptr<void> trainer;
};

template <typename Trainer>
Napi::Value make_training(Napi::Env env, const std::shared_ptr<Trainer>& trainer) {
    const auto handle = std::make_shared<TrainingHandle>();
    handle->phases = trainer->phases();
    handle->take_vectors = [trainer] { return trainer->take_vectors(); };
    handle->progress = &trainer->progress();
    handle->trainer = trainer;
    return to_handle(env, handle);
}

// The corpus within its handle.
std::shared_ptr<const cpu::Corpus> to_corpus(const Napi::Value& value) {
    const auto handle = from_handle<CorpusHandle>(value);
    return {handle, &handle->corpus};
}

cpu::Word2VecOptions read_options(const Napi::Object& object) {
    const auto flag = [&object](const char* name) { return get(object, name).ToBoolean().Value(); };
    const auto number = [&object](const char* name, int64_t low, int64_t high) {
        return to_int(get(object, name), name, low, high);
    };
    const auto real = [&object](const char* name) { return to_double(get(object, name), name); };
    cpu::Word2VecOptions options;
    options.skip_gram = flag("sg");
    options.hierarchical = flag("hs");
    options.cbow_mean = flag("cbowMean");
    options.shrink_windows = flag("shrinkWindows");
    options.dimensions = number("vectorSize", 1, 4096);
    options.window = static_cast<int32_t>(number("window", 1, 10'000));
    options.negative = static_cast<int32_t>(number("negative", 0, 1000));
    options.epochs = static_cast<int32_t>(number("epochs", 1, 1'000'000));
    options.threads = static_cast<int32_t>(number("threads", 1, 1024));
    options.ns_exponent = real("nsExponent");
    options.sample = real("sample");
    options.alpha = static_cast<float>(real("alpha"));
    options.min_alpha = static_cast<float>(real("minAlpha"));
    options.seed = static_cast<uint64_t>(number("seed", 0, INT64_MAX));
    options.is_fast_text = flag("isFastText");
    options.available_bytes = number("availableBytes", 0, int64_t{1} << 52);
    if (options.is_fast_text) {
        options.ngrams.min_n = static_cast<int32_t>(number("minN", 0, INT32_MAX));
        options.ngrams.max_n = static_cast<int32_t>(number("maxN", 0, INT32_MAX));
        options.ngrams.buckets = number("bucket", 0, INT32_MAX);
    }
    return options;
}

cpu::Cooccurrences::Options to_counting(const Napi::Object& object) {
    cpu::Cooccurrences::Options options;
    options.window = static_cast<int32_t>(to_int(get(object, "window"), "window", 1, 10'000));
    options.symmetric = get(object, "symmetric").ToBoolean();
    options.distance_weighting = get(object, "distanceWeighting").ToBoolean();
    options.memory_bytes = to_int(get(object, "memoryBytes"), "memoryBytes", 1 << 20, int64_t{1} << 50);
    options.directory = to_string(get(object, "directory"), "directory");
    return options;
}

// newWord2Vec(corpus, minCount, options, initial | null): a training
Napi::Value new_word2vec(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto corpus = to_corpus(info[0]);
        const auto options = read_options(to_object(info[2], "options"));
        std::shared_ptr<const cpu::WordVectors> initial;
        if (info[3].IsExternal()) initial = from_handle<cpu::WordVectors>(info[3]);
        BERTHA_CHECK(initial == nullptr || initial->dimensions == options.dimensions, "INVALID_ARG",
                     "the initial vectors have other dimensions");
        return make_training(info.Env(), std::make_shared<cpu::Word2Vec>(corpus, to_int(info[1], "minCount"),
                                                                         options, initial));
    });
}

// newGlove(corpus, minCount, options): a training
Napi::Value new_glove(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto corpus = to_corpus(info[0]);
        const Napi::Object object = to_object(info[2], "options");
        const auto real = [&object](const char* name) {
            return static_cast<float>(to_double(get(object, name), name));
        };
        cpu::GloveOptions options;
        options.dimensions = to_int(get(object, "vectorSize"), "vectorSize", 1, 4096);
        options.epochs = static_cast<int32_t>(to_int(get(object, "epochs"), "epochs", 1, 1'000'000));
        options.threads = static_cast<int32_t>(to_int(get(object, "threads"), "threads", 1, 1024));
        options.seed = static_cast<uint64_t>(to_int(get(object, "seed"), "seed", 0, INT64_MAX));
        options.x_max = real("xMax");
        options.alpha = real("alpha");
        options.eta = real("eta");
        options.counting = to_counting(object);
        return make_training(info.Env(),
                             std::make_shared<cpu::Glove>(corpus, to_int(info[1], "minCount"), options));
    });
}

// countCooccurrences(corpus, minCount, options): [word, context, count, …] in order, and the words; for tests
Napi::Value count_cooccurrences(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto corpus = to_corpus(info[0]);
        const cpu::Vocabulary vocabulary = cpu::make_vocabulary(corpus, to_int(info[1], "minCount"));
        cpu::Cooccurrences counts(to_counting(to_object(info[2], "options")));
        std::vector<int32_t> numbers, sentence;
        corpus->read(0, corpus->size(), numbers);
        for (const int32_t number : numbers) {
            const int32_t rank = number < 0 ? number : vocabulary.rank_of[static_cast<size_t>(number)];
            if (number == cpu::kSentenceEnd) {
                for (int64_t left = INT64_MAX; counts.add_some(sentence, left); left = INT64_MAX) continue;
                sentence.clear();
            } else if (rank >= 0) {
                sentence.push_back(rank);
            }
        }
        Napi::Object result = Napi::Object::New(info.Env());
        Napi::Array words = Napi::Array::New(info.Env()), triples = Napi::Array::New(info.Env());
        result.Set("words", words);
        result.Set("triples", triples);
        for (int64_t i = 0; i < vocabulary.words.size(); i++)
            words.Set(static_cast<uint32_t>(i), std::string(vocabulary.words.word(i)));
        uint32_t next = 0;
        while (counts.sort_some()) continue;
        counts.begin_merge();
        for (cpu::Cooccurrence pair; counts.next(pair);) {
            triples.Set(next++, pair.word);
            triples.Set(next++, pair.context);
            triples.Set(next++, static_cast<double>(pair.count));
        }
        return result;
    });
}

// train(training): the vectors
Napi::Value train(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto handle = from_handle<TrainingHandle>(info[0]);
        BERTHA_CHECK(!handle->phases.empty(), "INVALID_ARG", "a training runs once");
        return run_long_job(
            info.Env(), std::exchange(handle->phases, {}), handle,
            [handle] { handle->progress->cancelled.store(true); },
            [handle](Napi::Env env) { return to_handle(env, handle->take_vectors()); });
    });
}

// trainingProgress(training): { done, of, epoch, rate, tableBytes, lossSum, lossCount }
Napi::Value training_progress(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const cpu::TrainingProgress& progress = *from_handle<TrainingHandle>(info[0])->progress;
        Napi::Object object = Napi::Object::New(info.Env());
        object.Set("done", static_cast<double>(progress.done.load()));
        object.Set("of", static_cast<double>(progress.of.load()));
        object.Set("epoch", progress.epoch.load());
        object.Set("rate", static_cast<double>(progress.rate.load()));
        object.Set("tableBytes", static_cast<double>(progress.table_bytes.load()));
        object.Set("lossSum", progress.loss_sum.load());
        object.Set("lossCount", static_cast<double>(progress.loss_count.load()));
        return object;
    });
}

// cancelTraining(training): it ends with ABORTED
Napi::Value cancel_training(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        from_handle<TrainingHandle>(info[0])->progress->cancelled.store(true);
        return info.Env().Undefined();
    });
}

}  // namespace

void define_word_training_ops(Napi::Env env, Napi::Object ops) {
    ops.Set("newWord2Vec", Napi::Function::New(env, new_word2vec));
    ops.Set("newGlove", Napi::Function::New(env, new_glove));
    ops.Set("countCooccurrences", Napi::Function::New(env, count_cooccurrences));
    ops.Set("train", Napi::Function::New(env, train));
    ops.Set("trainingProgress", Napi::Function::New(env, training_progress));
    ops.Set("cancelTraining", Napi::Function::New(env, cancel_training));
}

}  // namespace bertha::addon
