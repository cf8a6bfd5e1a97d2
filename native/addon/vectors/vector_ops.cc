#include "addon/vectors/vector_ops.h"

#include <algorithm>
#include <functional>

#include "addon/args.h"
#include "addon/vectors/pool_task.h"
#include "cpu/json/format_vectors.h"
#include "cpu/late-interaction/max_sim.h"
#include "cpu/vector_search.h"

namespace bertha::addon {
namespace {

using cpu::VectorRows;
using cpu::VectorSearch;
using SearchPtr = std::shared_ptr<VectorSearch>;

// The numbers are the caller's: copied before the call returns.
VectorRows to_rows(const Napi::Value& value, const char* name, int64_t width) {
    BERTHA_CHECK(value.IsTypedArray(), "INVALID_ARG", "expected a typed array for %s", name);
    const auto array = value.As<Napi::TypedArray>();
    const napi_typedarray_type type = array.TypedArrayType();
    BERTHA_CHECK(type == napi_float32_array || type == napi_float64_array, "INVALID_ARG",
                 "expected a Float32Array or a Float64Array for %s", name);
    VectorRows rows;
    rows.is_double = type == napi_float64_array;
    if (rows.is_double)
        rows.data = array.As<Napi::Float64Array>().Data();
    else
        rows.data = array.As<Napi::Float32Array>().Data();
    const auto numbers = static_cast<int64_t>(array.ElementLength());
    BERTHA_CHECK(numbers > 0 && numbers % width == 0, "INVALID_ARG", "expected rows of %lld numbers for %s",
                 static_cast<long long>(width), name);
    rows.count = numbers / width;
    return rows;
}

const SearchPtr& to_search(const Napi::Value& value) {
    BERTHA_CHECK(value.IsExternal(), "INVALID_ARG", "expected a search");
    return *value.As<Napi::External<SearchPtr>>().Data();
}

// search(queries [count, width], width, topK, threshold, cosine): a handle
Napi::Value make_search(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        VectorSearch::Options options;
        options.width = to_int(info[1], "width", 1, int64_t{1} << 40);
        options.top_k = to_int(info[2], "topK", 0, int64_t{1} << 40);
        options.threshold = to_double(info[3], "threshold");
        options.cosine = info[4].ToBoolean();
        auto search = std::make_unique<SearchPtr>(
            std::make_shared<VectorSearch>(to_rows(info[0], "queries", options.width), options));
        const auto finalize = [](Napi::BasicEnv, SearchPtr* forgotten) {
            (*forgotten)->cancel();
            delete forgotten;
        };
        const auto handle = Napi::External<SearchPtr>::New(info.Env(), search.get(), finalize);
        search.release();
        return handle;
    });
}

struct Rows {
    SearchPtr search;
    VectorSearch::Block block;
    Buffer scores;
    Rows(const SearchPtr& search, const VectorRows& rows, int64_t first)
        : search(search), block(search->copy(rows, first)) {}
    ~Rows() { search->give_back(std::move(block)); }
};

// add(search, rows [count, width], first): when they have been searched. The first row has the index `first`.
Napi::Value add_rows(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const SearchPtr search = to_search(info[0]);
        const auto rows = std::make_shared<Rows>(search, to_rows(info[1], "rows", search->width()),
                                                 to_int(info[2], "first"));
        return run_task(
            info.Env(), search->units(rows->block.count),
            [rows](int64_t unit) { rows->search->search(rows->block, unit); },
            [](Napi::Env env) { return env.Undefined(); });
    });
}

// score(search, rows [count, width]): Float32Array [queries, count]
Napi::Value score_rows(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const SearchPtr search = to_search(info[0]);
        const auto rows = std::make_shared<Rows>(search, to_rows(info[1], "rows", search->width()), 0);
        const auto count = static_cast<size_t>(search->queries() * rows->block.count);
        rows->scores = Buffer(count * sizeof(float));
        return run_task(
            info.Env(), search->units(rows->block.count),
            [rows](int64_t unit) { rows->search->score(rows->block, unit, rows->scores.floats()); },
            [rows, count](Napi::Env env) { return from_floats(env, rows->scores.floats(), count); });
    });
}

// finish(search): when the matches are in order
Napi::Value finish(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const SearchPtr search = to_search(info[0]);
        return run_task(
            info.Env(), search->sort_units(), [search](int64_t unit) { search->sort(unit); },
            [](Napi::Env env) { return env.Undefined(); });
    });
}

// matches(search, query, begin, end): { indices, scores } of one query's best, from `begin` to at most `end`
Napi::Value matches_of(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const SearchPtr search = to_search(info[0]);
        const std::vector<cpu::Match>& all = search->matches(
            to_int(info[1], "query", 0, search->queries() - 1));
        const auto size = static_cast<int64_t>(all.size());
        const int64_t begin = to_int(info[2], "begin", 0, size);
        const int64_t end = std::min(size, to_int(info[3], "end", begin, int64_t{1} << 52));
        const auto count = static_cast<size_t>(end - begin);
        Napi::Float64Array indices = Napi::Float64Array::New(info.Env(), count);
        Napi::Float64Array scores = Napi::Float64Array::New(info.Env(), count);
        for (size_t i = 0; i < count; i++) {
            const cpu::Match& match = all[static_cast<size_t>(begin) + i];
            indices[i] = static_cast<double>(match.index);
            scores[i] = match.score;
        }
        Napi::Object object = Napi::Object::New(info.Env());
        object.Set("indices", indices);
        object.Set("scores", scores);
        return object;
    });
}

// cancel(search): what has not begun does nothing
Napi::Value cancel(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        to_search(info[0])->cancel();
        return info.Env().Undefined();
    });
}

// maxSim(query [rows, width], width, documents [rows, width], offsets [documents + 1]): Float64Array
// [documents]
Napi::Value max_sim(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const int64_t width = to_int(info[1], "width", 1, int64_t{1} << 40);
        const VectorRows query = to_rows(info[0], "query", width),
                         rows = to_rows(info[2], "documents", width);
        std::vector<int32_t> offsets = to_int32s(info[3], "offsets");
        BERTHA_CHECK(!query.is_double && !rows.is_double && offsets.size() >= 2 && offsets.front() == 0 &&
                         offsets.back() == rows.count &&
                         std::is_sorted(offsets.begin(), offsets.end(), std::less_equal<int32_t>()),
                     "INVALID_ARG", "expected float32 rows, and offsets that rise from 0 to their number");
        const auto scorer = std::make_shared<cpu::MaxSim>(static_cast<const float*>(query.data), query.count,
                                                          width, static_cast<const float*>(rows.data),
                                                          std::move(offsets));
        return run_task(
            info.Env(), scorer->documents(), [scorer](int64_t unit) { scorer->score(unit); },
            [scorer](Napi::Env env) {
                const std::vector<double>& scores = scorer->scores();
                Napi::Float64Array array = Napi::Float64Array::New(env, scores.size());
                for (size_t i = 0; i < scores.size(); i++) array[i] = scores[i];
                return array;
            });
    });
}

// format(vectors: Float32Array[], dims, isList): the first `dims` numbers (0: all) of each as JSON, a Buffer
Napi::Value format(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const Napi::Array vectors = to_array(info[0], "vectors");
        const auto dims = static_cast<size_t>(to_int(info[1], "dims", 0, int64_t{1} << 40));
        const bool is_list = info[2].ToBoolean();
        std::string json;
        if (is_list) json += '[';
        for (uint32_t i = 0; i < vectors.Length(); i++) {
            const auto vector = to_typed_array<float, napi_float32_array>(vectors.Get(i), "vectors",
                                                                          "Float32Arrays");
            if (i > 0) json += ',';
            const size_t size = vector.ElementLength();
            cpu::append_vector(json, vector.Data(), dims == 0 ? size : std::min(dims, size));
        }
        if (is_list) json += ']';
        return Napi::Buffer<char>::Copy(info.Env(), json.data(), json.size());
    });
}

}  // namespace

Napi::Object define_vector_ops(Napi::Env env) {
    Napi::Object ops = Napi::Object::New(env);
    ops.Set("search", Napi::Function::New(env, make_search));
    ops.Set("add", Napi::Function::New(env, add_rows));
    ops.Set("score", Napi::Function::New(env, score_rows));
    ops.Set("finish", Napi::Function::New(env, finish));
    ops.Set("matches", Napi::Function::New(env, matches_of));
    ops.Set("cancel", Napi::Function::New(env, cancel));
    ops.Set("format", Napi::Function::New(env, format));
    ops.Set("maxSim", Napi::Function::New(env, max_sim));
    return ops;
}

}  // namespace bertha::addon
