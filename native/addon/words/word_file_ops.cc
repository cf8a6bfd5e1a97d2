#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "addon/words/handles.h"
#include "addon/words/word_ops.h"
#include "cpu/word-vectors/files/vectors_reader.h"
#include "cpu/word-vectors/files/vectors_writer.h"

namespace bertha::addon {
namespace {

using cpu::VectorsReader;
using cpu::VectorsWriter;

template <typename T>
T choice_of(const Napi::Value& value, const char* name,
            const std::vector<std::pair<const char*, T>>& choices) {
    const std::string given = to_string(value, name);
    for (const auto& [text, choice] : choices)
        if (given == text) return choice;
    fail("INVALID_ARG", "unknown %s %.32s", name, given.c_str());
}

// newReading(path, { format, header, limit, refusesBadUtf8, withSubwords, threads, name }): a reading
Napi::Value new_reading(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const Napi::Object object = to_object(info[1], "options");
        cpu::ReadOptions options;
        options.format = choice_of<cpu::VectorsFormat>(get(object, "format"), "format",
                                                       {{"auto", cpu::VectorsFormat::kAuto},
                                                        {"word2vec", cpu::VectorsFormat::kText},
                                                        {"glove", cpu::VectorsFormat::kText},
                                                        {"word2vec-binary", cpu::VectorsFormat::kBinary},
                                                        {"fasttext", cpu::VectorsFormat::kFastText}});
        options.header = choice_of<cpu::Header>(
            get(object, "header"), "header",
            {{"auto", cpu::Header::kAuto}, {"true", cpu::Header::kThere}, {"false", cpu::Header::kAbsent}});
        options.limit = to_int(get(object, "limit"), "limit", 1, INT32_MAX);
        options.refuses_bad_utf8 = get(object, "refusesBadUtf8").ToBoolean();
        options.with_subwords = get(object, "withSubwords").ToBoolean();
        options.name = to_string(get(object, "name"), "name");
        options.threads = static_cast<int>(to_int(get(object, "threads"), "threads", 1, 1024));
        return to_handle(info.Env(), cpu::make_vectors_reader(to_string(info[0], "path"), options));
    });
}

// read(reading): { vectors, duplicates, repairedWords }
Napi::Value read(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto reader = from_handle<VectorsReader>(info[0]);
        return run_long_job(
            info.Env(), reader->phases(), reader, [reader] { reader->progress().cancelled.store(true); },
            [reader](Napi::Env env) -> Napi::Value {
                Napi::Object result = Napi::Object::New(env);
                result.Set("duplicates", static_cast<double>(reader->report().duplicates));
                result.Set("repairedWords", static_cast<double>(reader->report().repaired_words));
                result.Set("vectors", to_handle(env, reader->take_vectors()));
                return result;
            });
    });
}

// readingProgress(reading): { done, of }, bytes
Napi::Value reading_progress(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const cpu::TrainingProgress& progress = from_handle<VectorsReader>(info[0])->progress();
        Napi::Object object = Napi::Object::New(info.Env());
        object.Set("done", static_cast<double>(std::min(progress.done.load(), progress.of.load())));
        object.Set("of", static_cast<double>(progress.of.load()));
        return object;
    });
}

// cancelReading(reading): it ends with ABORTED
Napi::Value cancel_reading(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        from_handle<VectorsReader>(info[0])->progress().cancelled.store(true);
        return info.Env().Undefined();
    });
}

// newWriting(vectors, path, format): a writing
Napi::Value new_writing(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto format = choice_of<cpu::WrittenFormat>(
            info[2], "format",
            {{"word2vec", cpu::WrittenFormat::kWord2Vec},
             {"word2vec-binary", cpu::WrittenFormat::kWord2VecBinary},
             {"glove", cpu::WrittenFormat::kGlove},
             {"fasttext", cpu::WrittenFormat::kFastText},
             {"safetensors", cpu::WrittenFormat::kSafetensors},
             {"vocabulary", cpu::WrittenFormat::kVocabulary}});
        return to_handle(info.Env(), std::make_shared<VectorsWriter>(from_handle<cpu::WordVectors>(info[0]),
                                                                     to_string(info[1], "path"), format));
    });
}

// write(writing): when the file is whole
Napi::Value write(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto writer = from_handle<VectorsWriter>(info[0]);
        return run_long_job(
            info.Env(), writer->phases(), writer, [writer] { writer->progress().cancelled.store(true); },
            [](Napi::Env env) { return env.Undefined(); });
    });
}

// cancelWriting(writing): it ends with ABORTED, and nothing is left of it
Napi::Value cancel_writing(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        from_handle<VectorsWriter>(info[0])->progress().cancelled.store(true);
        return info.Env().Undefined();
    });
}

}  // namespace

void define_word_file_ops(Napi::Env env, Napi::Object ops) {
    ops.Set("newReading", Napi::Function::New(env, new_reading));
    ops.Set("read", Napi::Function::New(env, read));
    ops.Set("readingProgress", Napi::Function::New(env, reading_progress));
    ops.Set("cancelReading", Napi::Function::New(env, cancel_reading));
    ops.Set("newWriting", Napi::Function::New(env, new_writing));
    ops.Set("write", Napi::Function::New(env, write));
    ops.Set("cancelWriting", Napi::Function::New(env, cancel_writing));
}

}  // namespace bertha::addon
