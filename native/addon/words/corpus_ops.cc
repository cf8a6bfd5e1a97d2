#include <cerrno>
#include <string>

#include "addon/words/handles.h"
#include "addon/words/word_ops.h"
#include "cpu/word-vectors/abandoned_files.h"
#include "engine/system/file.h"
#include "engine/system/system_error.h"

namespace bertha::addon {
namespace {

constexpr size_t kReadBytes = size_t{1} << 17;  // a millisecond or two

std::string to_bytes(const Napi::Value& value, const char* name) {
    const auto array = to_typed_array<uint8_t, napi_uint8_array>(value, name, "a Uint8Array");
    return {reinterpret_cast<const char*>(array.Data()), array.ByteLength()};
}

// A file of sentences, read from its begin to the end that it had at first.
class CorpusFile {
public:
    explicit CorpusFile(const std::string& path) : path_(path), file_(path, File::Mode::kRead) {
        BERTHA_CHECK(file_.is_open(), "IO", "cannot open %s: %s", path.c_str(), system_error(errno).c_str());
        const int problem = !file_.facts(at_first_) ? errno : at_first_.is_directory ? EISDIR : 0;
        BERTHA_CHECK(problem == 0, "IO", "cannot read %s: %s", path.c_str(), system_error(problem).c_str());
    }

    // Adds a piece; false at the end.
    bool add_to(cpu::Corpus& corpus) {
        buffer_.resize(kReadBytes);
        const int64_t count = file_.read_next(buffer_.data(), static_cast<int64_t>(buffer_.size()));
        BERTHA_CHECK(count >= 0, "IO", "cannot read %s: %s", path_.c_str(), system_error(errno).c_str());
        corpus.add_text(std::string_view(buffer_).substr(0, static_cast<size_t>(count)));
        bytes_ += count;
        if (count > 0) return true;
        FileFacts now;
        const bool is_same = file_.facts(now) && now.modified_ns == at_first_.modified_ns &&
                             now.size == at_first_.size;
        BERTHA_CHECK(is_same || !at_first_.is_regular, "IO", "%s changed while it was read", path_.c_str());
        corpus.end_text();
        return false;
    }

private:
    const std::string path_;
    const File file_;
    FileFacts at_first_;
    std::string buffer_;
    int64_t bytes_ = 0;
};

Napi::Value run_on_corpus(Napi::Env env, const std::shared_ptr<CorpusHandle>& handle,
                          std::function<bool()> step) {
    return run_long_job(
        env,
        {{1,
          [handle, step = std::move(step)](int) {
              BERTHA_CHECK(!handle->cancelled.load(), "ABORTED", "the reading was aborted");
              return step();
          }}},
        handle, [handle] { handle->cancelled.store(true); }, [](Napi::Env env) { return env.Undefined(); });
}

// newCorpus(directory, maxVocab): a handle
Napi::Value new_corpus(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        return to_handle(info.Env(),
                         std::make_shared<CorpusHandle>(to_string(info[0], "directory"),
                                                        to_int(info[1], "maxVocab", 1, INT32_MAX)));
    });
}

// removeAbandoned(directory): when temporary files that killed processes have left there are gone
Napi::Value remove_abandoned(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const std::string directory = to_string(info[0], "directory");
        return run_task(
            info.Env(), 1,
            [directory](int64_t) { cpu::remove_abandoned(directory + "/", cpu::kTempFilePrefix); },
            [](Napi::Env env) { return env.Undefined(); });
    });
}

// addFile(corpus, path): when it has been read
Napi::Value add_file(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto handle = from_handle<CorpusHandle>(info[0]);
        const auto file = std::make_shared<CorpusFile>(to_string(info[1], "path"));
        return run_on_corpus(info.Env(), handle, [handle, file] { return file->add_to(handle->corpus); });
    });
}

// addText(corpus, bytes, isEnd): a piece of a text of sentences, one a line
Napi::Value add_text(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto handle = from_handle<CorpusHandle>(info[0]);
        const auto bytes = std::make_shared<const std::string>(to_bytes(info[1], "bytes"));
        const bool is_end = info[2].ToBoolean();
        return run_on_corpus(info.Env(), handle, [handle, bytes, is_end] {
            handle->corpus.add_text(*bytes);
            if (is_end) handle->corpus.end_text();
            return false;
        });
    });
}

// addWords(corpus, bytes, lengths): words by their lengths, -1 ends a sentence
Napi::Value add_words(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto handle = from_handle<CorpusHandle>(info[0]);
        const auto bytes = std::make_shared<const std::string>(to_bytes(info[1], "bytes"));
        const auto lengths = std::make_shared<const std::vector<int32_t>>(to_int32s(info[2], "lengths"));
        int64_t sum = 0;
        for (const int32_t length : *lengths) sum += std::max<int64_t>(0, length);
        BERTHA_CHECK(sum == static_cast<int64_t>(bytes->size()), "INVALID_ARG",
                     "lengths must cover the bytes");
        return run_on_corpus(info.Env(), handle, [handle, bytes, lengths] {
            handle->corpus.add_words(*bytes, *lengths);
            return false;
        });
    });
}

// finishCorpus(corpus): when everything is counted
Napi::Value finish_corpus(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto handle = from_handle<CorpusHandle>(info[0]);
        return run_on_corpus(info.Env(), handle, [handle] {
            handle->corpus.finish();
            return false;
        });
    });
}

// corpusReport(corpus): numbers of its words
Napi::Value corpus_report(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const cpu::Corpus& corpus = from_handle<CorpusHandle>(info[0])->corpus;
        Napi::Object report = Napi::Object::New(info.Env());
        const auto set = [&report](const char* name, int64_t value) {
            report.Set(name, static_cast<double>(value));
        };
        set("words", corpus.report().words);
        set("sentences", corpus.report().sentences);
        set("distinctWords", corpus.words().size());
        set("repairedWords", corpus.report().repaired_words);
        set("cutWords", corpus.report().cut_words);
        set("forgottenWords", corpus.report().forgotten_words);
        set("bytes", corpus.bytes_in_memory());
        return report;
    });
}

// commonWords(corpus, minCount): { kept, keptWords, mostFrequent, its count }
Napi::Value common_words(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const cpu::WordTable& words = from_handle<CorpusHandle>(info[0])->corpus.words();
        const int64_t min_count = to_int(info[1], "minCount");
        int64_t kept = 0, kept_words = 0, best = -1;
        for (int64_t id = 0; id < words.size(); id++) {
            const int64_t count = words.count(id);
            if (count >= min_count) {
                kept++;
                kept_words += count;
            }
            if (best < 0 || count > words.count(best)) best = id;
        }
        Napi::Object result = Napi::Object::New(info.Env());
        result.Set("kept", static_cast<double>(kept));
        result.Set("keptWords", static_cast<double>(kept_words));
        if (best >= 0) {
            const std::string_view word = words.word(best);
            result.Set("mostFrequent", Napi::String::New(info.Env(), word.data(), word.size()));
            result.Set("mostFrequentCount", static_cast<double>(words.count(best)));
        }
        return result;
    });
}

// cancelCorpus(corpus): reading ends with ABORTED
Napi::Value cancel_corpus(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        from_handle<CorpusHandle>(info[0])->cancelled.store(true);
        return info.Env().Undefined();
    });
}

}  // namespace

void define_corpus_ops(Napi::Env env, Napi::Object ops) {
    ops.Set("newCorpus", Napi::Function::New(env, new_corpus));
    ops.Set("removeAbandoned", Napi::Function::New(env, remove_abandoned));
    ops.Set("addFile", Napi::Function::New(env, add_file));
    ops.Set("addText", Napi::Function::New(env, add_text));
    ops.Set("addWords", Napi::Function::New(env, add_words));
    ops.Set("finishCorpus", Napi::Function::New(env, finish_corpus));
    ops.Set("corpusReport", Napi::Function::New(env, corpus_report));
    ops.Set("commonWords", Napi::Function::New(env, common_words));
    ops.Set("cancelCorpus", Napi::Function::New(env, cancel_corpus));
}

}  // namespace bertha::addon
