#include <algorithm>
#include <cmath>
#include <cstring>

#include "addon/words/handles.h"
#include "addon/words/word_ops.h"
#include "cpu/word-vectors/search/spelling.h"
#include "cpu/word-vectors/search/word_search.h"

namespace bertha::addon {
namespace {

using cpu::WordVectors;

Napi::Value to_js(Napi::Env env, std::string_view word) {
    return Napi::String::New(env, word.data(), word.size());
}

int64_t to_row(const Napi::Value& value, const WordVectors& vectors) {
    return to_int(value, "the word's number", 0, vectors.size() - 1);
}

// newVectors(rows, dimensions, textBytes): vectors without words, with room for so many
Napi::Value new_vectors(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto vectors = std::make_shared<WordVectors>();
        const int64_t rows = to_int(info[0], "rows", 1, INT32_MAX);
        vectors->dimensions = to_int(info[1], "dimensions", 1, 65'536);
        vectors->width = cpu::row_width(vectors->dimensions);
        vectors->words.reserve(rows, to_int(info[2], "textBytes", 0, int64_t{1} << 50));
        vectors->rows = Buffer(static_cast<size_t>(rows * vectors->width) * sizeof(float));
        vectors->inverse_norms.reserve(static_cast<size_t>(rows));
        return to_handle(info.Env(), vectors);
    });
}

// addVectors(vectors, bytes, lengths, values [words, dimensions], counts | null); of words that stand twice
// the first stays
Napi::Value add_vectors(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto& vectors = from_handle<WordVectors>(info[0]);
        const auto bytes = to_typed_array<uint8_t, napi_uint8_array>(info[1], "bytes", "a Uint8Array");
        const std::vector<int32_t> lengths = to_int32s(info[2], "lengths");
        const auto values = to_typed_array<float, napi_float32_array>(info[3], "values", "a Float32Array");
        const auto rows = static_cast<int64_t>(lengths.size());
        BERTHA_CHECK(static_cast<int64_t>(values.ElementLength()) == rows * vectors->dimensions,
                     "INVALID_ARG", "expected a vector for each word");
        const bool has_counts = info[4].IsTypedArray();
        std::vector<double> counts;
        if (has_counts) counts = to_vector<double, napi_float64_array>(info[4], "counts", "a Float64Array");
        BERTHA_CHECK(!has_counts || counts.size() == lengths.size(), "INVALID_ARG",
                     "expected a count for each word");
        const int64_t before = vectors->size();
        const auto room = static_cast<int64_t>(vectors->rows.bytes() / sizeof(float)) / vectors->width;
        std::string_view text(reinterpret_cast<const char*>(bytes.Data()), bytes.ByteLength());
        for (int64_t i = 0; i < rows; i++) {
            const auto length = static_cast<size_t>(lengths[static_cast<size_t>(i)]);
            BERTHA_CHECK(length <= text.size(), "INVALID_ARG", "lengths must cover the bytes");
            const std::string_view word = text.substr(0, length);
            text.remove_prefix(length);
            if (vectors->words.find(word) >= 0) continue;
            BERTHA_CHECK(vectors->size() < room, "INVALID_ARG", "expected at most %lld words",
                         static_cast<long long>(room));
            float* row = vectors->row(vectors->words.add(
                word, has_counts ? static_cast<int64_t>(counts[static_cast<size_t>(i)]) : 0));
            std::memset(row, 0, static_cast<size_t>(vectors->width) * sizeof(float));
            std::memcpy(row, values.Data() + i * vectors->dimensions,
                        static_cast<size_t>(vectors->dimensions) * sizeof(float));
        }
        vectors->inverse_norms.resize(static_cast<size_t>(vectors->size()));
        cpu::compute_inverse_norms(*vectors, before, vectors->size());
        return info.Env().Undefined();
    });
}

// vectorsInfo(vectors): { size, dimensions, bytes, isFastText }
Napi::Value vectors_info(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto& vectors = from_handle<WordVectors>(info[0]);
        Napi::Object object = Napi::Object::New(info.Env());
        object.Set("size", static_cast<double>(vectors->size()));
        object.Set("dimensions", static_cast<double>(vectors->dimensions));
        object.Set("bytes", static_cast<double>(vectors->bytes()));
        object.Set("isFastText", vectors->fast_text != nullptr);
        return object;
    });
}

// indexOf(vectors, word): its number, -1
Napi::Value index_of(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const std::string word = to_string(info[1], "word");
        return Napi::Number::New(info.Env(),
                                 static_cast<double>(from_handle<WordVectors>(info[0])->words.find(word)));
    });
}

// words(vectors, begin, end): strings
Napi::Value words_of(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto& vectors = from_handle<WordVectors>(info[0]);
        const int64_t begin = to_int(info[1], "begin", 0, vectors->size()),
                      end = to_int(info[2], "end", begin, vectors->size());
        Napi::Array words = Napi::Array::New(info.Env(), static_cast<size_t>(end - begin));
        for (int64_t i = begin; i < end; i++)
            words.Set(static_cast<uint32_t>(i - begin), to_js(info.Env(), vectors->words.word(i)));
        return words;
    });
}

// count(vectors, row)
Napi::Value count_of(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto& vectors = from_handle<WordVectors>(info[0]);
        return Napi::Number::New(info.Env(),
                                 static_cast<double>(vectors->words.count(to_row(info[1], *vectors))));
    });
}

// setCount(vectors, row, count)
Napi::Value set_count(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto& vectors = from_handle<WordVectors>(info[0]);
        vectors->words.set_count(to_row(info[1], *vectors), to_int(info[2], "count", 0, int64_t{1} << 52));
        return info.Env().Undefined();
    });
}

// row(vectors, row): Float32Array [dimensions]
Napi::Value row_of(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto& vectors = from_handle<WordVectors>(info[0]);
        return from_floats(info.Env(), vectors->row(to_row(info[1], *vectors)),
                           static_cast<size_t>(vectors->dimensions));
    });
}

// rows(vectors, begin, end): Float32Array [end - begin, dimensions]
Napi::Value rows_of(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto& vectors = from_handle<WordVectors>(info[0]);
        const int64_t begin = to_int(info[1], "begin", 0, vectors->size()),
                      end = to_int(info[2], "end", begin, vectors->size());
        Napi::Float32Array values = Napi::Float32Array::New(
            info.Env(), static_cast<size_t>((end - begin) * vectors->dimensions));
        for (int64_t i = begin; i < end; i++)
            std::copy_n(vectors->row(i), vectors->dimensions,
                        values.Data() + (i - begin) * vectors->dimensions);
        return values;
    });
}

// compose(vectors, word): Float32Array [dimensions] of any word, undefined where a fastText model has nothing
// of it
Napi::Value compose(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto& vectors = from_handle<WordVectors>(info[0]);
        BERTHA_CHECK(vectors->fast_text != nullptr, "INVALID_ARG", "expected vectors of fastText");
        Napi::Float32Array vector = Napi::Float32Array::New(info.Env(),
                                                            static_cast<size_t>(vectors->dimensions));
        const bool is_known = cpu::compose_vector(*vectors, to_string(info[1], "word"), vector.Data());
        return is_known ? Napi::Value(vector) : info.Env().Undefined();
    });
}

// nearestSpellings(vectors, word, count): strings
Napi::Value nearest_spellings(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto found = cpu::nearest_spellings(from_handle<WordVectors>(info[0])->words,
                                                  to_string(info[1], "word"),
                                                  to_int(info[2], "count", 0, 100));
        Napi::Array words = Napi::Array::New(info.Env(), found.size());
        for (size_t i = 0; i < found.size(); i++)
            words.Set(static_cast<uint32_t>(i), to_js(info.Env(), found[i]));
        return words;
    });
}

// ngramIds(bytes, minN, maxN, buckets): Int32Array
Napi::Value ngram_ids(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto bytes = to_typed_array<uint8_t, napi_uint8_array>(info[0], "bytes", "a Uint8Array");
        cpu::NgramOptions options;
        options.min_n = static_cast<int32_t>(to_int(info[1], "minN", 0, INT32_MAX));
        options.max_n = static_cast<int32_t>(to_int(info[2], "maxN", 0, INT32_MAX));
        options.buckets = to_int(info[3], "buckets", 0, INT32_MAX);
        std::vector<int32_t> ids;
        cpu::append_ngrams({reinterpret_cast<const char*>(bytes.Data()), bytes.ByteLength()}, options, ids);
        Napi::Int32Array array = Napi::Int32Array::New(info.Env(), ids.size());
        std::copy(ids.begin(), ids.end(), array.Data());
        return array;
    });
}

struct Searching {
    Searching(std::shared_ptr<const WordVectors> vectors, cpu::WordQuery query)
        : search(std::move(vectors), std::move(query)) {}
    cpu::WordSearch search;
};

// newWordSearch(vectors, queries Float64Array [count, dimensions], topN, rows, excluded Int32Array,
// numPositive, above): a search
Napi::Value new_word_search(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto vectors = from_handle<WordVectors>(info[0]);
        cpu::WordQuery query;
        query.vectors = to_vector<double, napi_float64_array>(info[1], "queries", "a Float64Array");
        query.count = static_cast<int64_t>(query.vectors.size()) / vectors->dimensions;
        BERTHA_CHECK(query.count > 0 &&
                         query.count * vectors->dimensions == static_cast<int64_t>(query.vectors.size()),
                     "INVALID_ARG", "expected queries of %lld numbers",
                     static_cast<long long>(vectors->dimensions));
        query.rows = to_int(info[3], "rows", 1, vectors->size());
        query.top_n = std::min(query.rows, to_int(info[2], "topN", 0, int64_t{1} << 52));
        for (const int32_t row : to_int32s(info[4], "excluded")) query.excluded.push_back(row);
        std::sort(query.excluded.begin(), query.excluded.end());
        query.num_positive = to_int(info[5], "numPositive", -1, query.count);
        query.above = to_double(info[6], "above");
        return to_handle(info.Env(), std::make_shared<Searching>(vectors, std::move(query)));
    });
}

// searchWords(search): { indices Int32Array, scores Float64Array, counts Int32Array } of all queries, one
// behind the other
Napi::Value search_words(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto searching = from_handle<Searching>(info[0]);
        const auto result = [searching](Napi::Env env) -> Napi::Value {
            const cpu::FoundRows& found = searching->search.found();
            Napi::Int32Array indices = Napi::Int32Array::New(env, found.rows.size()),
                             counts = Napi::Int32Array::New(env, found.counts.size());
            Napi::Float64Array scores = Napi::Float64Array::New(env, found.scores.size());
            std::copy(found.rows.begin(), found.rows.end(), indices.Data());
            std::copy(found.counts.begin(), found.counts.end(), counts.Data());
            std::copy(found.scores.begin(), found.scores.end(), scores.Data());
            Napi::Object object = Napi::Object::New(env);
            object.Set("indices", indices);
            object.Set("scores", scores);
            object.Set("counts", counts);
            return object;
        };
        ensure_pool();
        const Napi::Promise::Deferred deferred = Napi::Promise::Deferred::New(info.Env());
        const auto on_done = settle_later(info.Env(), deferred, result);
        Pool::instance().submit(std::make_shared<Task>(
            searching->search.units(), [searching](int64_t unit) { searching->search.search(unit); },
            [searching, on_done](const std::optional<Failure>& failure) {
                if (failure) return on_done(failure);
                start_long_job({{1, [searching](int) { return searching->search.finish_some(); }}}, on_done);
            }));
        return deferred.Promise();
    });
}

// cancelWordSearch(search): what has not begun does nothing
Napi::Value cancel_word_search(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        from_handle<Searching>(info[0])->search.cancel();
        return info.Env().Undefined();
    });
}

}  // namespace

void define_word_vector_ops(Napi::Env env, Napi::Object ops) {
    ops.Set("newVectors", Napi::Function::New(env, new_vectors));
    ops.Set("addVectors", Napi::Function::New(env, add_vectors));
    ops.Set("vectorsInfo", Napi::Function::New(env, vectors_info));
    ops.Set("indexOf", Napi::Function::New(env, index_of));
    ops.Set("words", Napi::Function::New(env, words_of));
    ops.Set("count", Napi::Function::New(env, count_of));
    ops.Set("setCount", Napi::Function::New(env, set_count));
    ops.Set("row", Napi::Function::New(env, row_of));
    ops.Set("rows", Napi::Function::New(env, rows_of));
    ops.Set("compose", Napi::Function::New(env, compose));
    ops.Set("nearestSpellings", Napi::Function::New(env, nearest_spellings));
    ops.Set("ngramIds", Napi::Function::New(env, ngram_ids));
    ops.Set("newWordSearch", Napi::Function::New(env, new_word_search));
    ops.Set("searchWords", Napi::Function::New(env, search_words));
    ops.Set("cancelWordSearch", Napi::Function::New(env, cancel_word_search));
}

Napi::Object define_word_ops(Napi::Env env) {
    Napi::Object ops = Napi::Object::New(env);
    define_corpus_ops(env, ops);
    define_word_training_ops(env, ops);
    define_word_vector_ops(env, ops);
    define_word_file_ops(env, ops);
    return ops;
}

}  // namespace bertha::addon
