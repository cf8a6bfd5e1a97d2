#include "addon/vectors/learn_ops.h"

#include <algorithm>

#include "addon/vectors/pool_task.h"
#include "cpu/learn/linear_problem.h"
#include "cpu/learn/row_passes.h"
#include "cpu/learn/symmetric_eigen.h"

namespace bertha::addon {
namespace {

using cpu::ColumnProducts;
using cpu::LinearProblem;
using cpu::NearestCenters;
using cpu::RowKind;
using cpu::SymmetricEigen;
using ProblemPtr = std::shared_ptr<LinearProblem>;

const ProblemPtr& to_problem(const Napi::Value& value) {
    BERTHA_CHECK(value.IsExternal(), "INVALID_ARG", "expected rows");
    return *value.As<Napi::External<ProblemPtr>>().Data();
}

std::vector<double> to_doubles(const Napi::Value& value, const char* name) {
    return to_vector<double, napi_float64_array>(value, name, "a Float64Array");
}

Napi::Value from_doubles(Napi::Env env, const double* data, size_t count) {
    Napi::Float64Array array = Napi::Float64Array::New(env, count);
    std::copy(data, data + count, array.Data());
    return array;
}

Napi::Value from_eigen(Napi::Env env, const SymmetricEigen& eigen) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("values", from_doubles(env, eigen.values.data(), eigen.values.size()));
    object.Set("vectors", from_doubles(env, eigen.vectors.data(), eigen.vectors.size()));
    return object;
}

// A pass over the chunks of rows; its sums.
template <typename Pass>
Napi::Value run_sums(Napi::Env env, const std::shared_ptr<Pass>& pass) {
    return run_task(
        env, pass->units(), [pass](int64_t unit) { pass->run(unit); },
        [pass](Napi::Env own) { return from_doubles(own, pass->result().data(), pass->result().size()); });
}

// Whole rows of `width` numbers, one at least.
std::vector<double> to_rows_of(const Napi::Value& value, const char* name, int64_t width) {
    std::vector<double> rows = to_doubles(value, name);
    const auto count = static_cast<int64_t>(rows.size());
    BERTHA_CHECK(count > 0 && count % width == 0, "INVALID_ARG", "expected rows of %lld numbers for %s",
                 static_cast<long long>(width), name);
    return rows;
}

RowKind to_kind(const std::string& name) {
    if (name == "float32") return RowKind::kFloat;
    if (name == "float64") return RowKind::kDouble;
    BERTHA_CHECK(name == "sparse", "INVALID_ARG", "expected float32, float64 or sparse for kind");
    return RowKind::kSparse;
}

// rows(kind, rows, width, values): a handle
Napi::Value make_rows(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        constexpr int64_t kMost = int64_t{1} << 40;
        const RowKind kind = to_kind(to_string(info[0], "kind"));
        const int64_t rows = to_int(info[1], "rows", 1, kMost), width = to_int(info[2], "width", 1, 1 << 30);
        const int64_t values = to_int(info[3], "values", 0, kMost);
        BERTHA_CHECK(kind == RowKind::kSparse || (values % width == 0 && values / width == rows),
                     "INVALID_ARG", "expected rows * width values");
        auto problem = std::make_unique<ProblemPtr>(
            std::make_shared<LinearProblem>(kind, rows, width, values));
        const auto finalize = [](Napi::BasicEnv, ProblemPtr* forgotten) { delete forgotten; };
        const auto handle = Napi::External<ProblemPtr>::New(info.Env(), problem.get(), finalize);
        problem.release();
        return handle;
    });
}

// put(rows, first, numbers, columns?): numbers of rows at their place, with their columns where rows are
// sparse; the index of the first of them that is not finite, -1 for none
Napi::Value put(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const ProblemPtr& problem = to_problem(info[0]);
        const int64_t first = to_int(info[1], "first", 0, problem->values());
        int64_t bad = -1;
        if (problem->kind() == RowKind::kFloat) {
            const auto numbers = to_typed_array<float, napi_float32_array>(info[2], "numbers",
                                                                           "a Float32Array");
            bad = problem->put(first, numbers.Data(), static_cast<int64_t>(numbers.ElementLength()));
        } else {
            const auto numbers = to_typed_array<double, napi_float64_array>(info[2], "numbers",
                                                                            "a Float64Array");
            bad = problem->put(first, numbers.Data(), static_cast<int64_t>(numbers.ElementLength()));
        }
        if (problem->kind() == RowKind::kSparse) {
            const Napi::Int32Array columns = to_int32_array(info[3], "columns");
            problem->put_columns(first, columns.Data(), static_cast<int64_t>(columns.ElementLength()));
        }
        return Napi::Number::New(info.Env(), static_cast<double>(bad));
    });
}

// starts(rows, Float64Array [rows + 1])
Napi::Value put_starts(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const std::vector<double> starts = to_doubles(info[1], "starts");
        to_problem(info[0])->put_starts(std::vector<int64_t>(starts.begin(), starts.end()));
        return info.Env().Undefined();
    });
}

// targets(rows, Int32Array [rows], weights Float64Array [rows] or [0], classes)
Napi::Value set_targets(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        to_problem(info[0])->set_targets(to_int32s(info[1], "targets"), to_doubles(info[2], "weights"),
                                         to_int(info[3], "classes", 2, 1 << 30));
        return info.Env().Undefined();
    });
}

// evaluate(rows, weights [outputs · (width + 1)]): the gradient in the same order, then the loss
Napi::Value evaluate(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const ProblemPtr& problem = to_problem(info[0]);
        const std::vector<double> weights = to_doubles(info[1], "weights");
        BERTHA_CHECK(problem->outputs() > 0 &&
                         static_cast<int64_t>(weights.size()) == problem->outputs() * (problem->width() + 1),
                     "INVALID_ARG", "expected weights for each output, after targets");
        const auto evaluation = std::make_shared<LinearProblem::Evaluation>(problem, weights);
        return run_sums(info.Env(), evaluation);
    });
}

// scores(rows, weights [outputs · (width + 1)], outputs): [rows, outputs]
Napi::Value scores(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const ProblemPtr problem = to_problem(info[0]);
        const int64_t outputs = to_int(info[2], "outputs", 1, 1 << 30);
        const auto weights = std::make_shared<std::vector<double>>(to_doubles(info[1], "weights"));
        BERTHA_CHECK(static_cast<int64_t>(weights->size()) == outputs * (problem->width() + 1), "INVALID_ARG",
                     "expected weights for each output");
        const auto count = static_cast<size_t>(problem->rows() * outputs);
        const auto out = std::make_shared<Buffer>(count * sizeof(double));
        return run_task(
            info.Env(), problem->chunks(outputs),
            [=](int64_t unit) { problem->scores(unit, outputs, weights->data(), out->as<double>()); },
            [=](Napi::Env env) { return from_doubles(env, out->as<double>(), count); });
    });
}

// nearest(rows, offset [width], centers [count, width]): { labels Int32Array [rows], sums [count, width + 1]
// }
Napi::Value nearest(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const ProblemPtr problem = to_problem(info[0]);
        std::vector<double> offset = to_rows_of(info[1], "offset", problem->width());
        const auto pass = std::make_shared<NearestCenters>(problem, std::move(offset),
                                                           to_rows_of(info[2], "centers", problem->width()));
        return run_task(
            info.Env(), pass->units(), [pass](int64_t unit) { pass->run(unit); },
            [pass](Napi::Env env) -> Napi::Value {
                const std::vector<int32_t>& labels = pass->labels();
                Napi::Int32Array copy = Napi::Int32Array::New(env, labels.size());
                std::copy(labels.begin(), labels.end(), copy.Data());
                Napi::Object object = Napi::Object::New(env);
                object.Set("labels", copy);
                object.Set("sums", from_doubles(env, pass->sums().data(), pass->sums().size()));
                return object;
            });
    });
}

// distances(rows, centers [count, width], labels Int32Array [rows]): squared, each to its own centre [rows]
Napi::Value distances(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const ProblemPtr problem = to_problem(info[0]);
        const auto centers = std::make_shared<std::vector<double>>(
            to_rows_of(info[1], "centers", problem->width()));
        const auto labels = std::make_shared<std::vector<int32_t>>(to_int32s(info[2], "labels"));
        const auto count = static_cast<int64_t>(centers->size()) / problem->width();
        const bool fits = static_cast<int64_t>(labels->size()) == problem->rows() &&
                          std::all_of(labels->begin(), labels->end(),
                                      [&](int32_t label) { return label >= 0 && label < count; });
        BERTHA_CHECK(fits, "INVALID_ARG", "expected the centre of each row");
        const auto out = std::make_shared<std::vector<double>>(labels->size());
        const int64_t chunks = problem->chunks(1);
        return run_task(
            info.Env(), chunks,
            [=](int64_t unit) {
                cpu::center_distances(*problem, unit, chunks, *centers, *labels, out->data());
            },
            [=](Napi::Env env) { return from_doubles(env, out->data(), out->size()); });
    });
}

// products(rows, offset [width]): of all pairs of columns less the offset, summed [width, width]
Napi::Value products(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const ProblemPtr problem = to_problem(info[0]);
        const auto pass = std::make_shared<ColumnProducts>(problem,
                                                           to_rows_of(info[1], "offset", problem->width()));
        return run_sums(info.Env(), pass);
    });
}

// eigen(matrix [size, size], size): { values [size], vectors [size, size] }, by falling value
Napi::Value eigen(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const int64_t size = to_int(info[1], "size", 1, 1 << 15);
        const auto matrix = std::make_shared<std::vector<double>>(to_rows_of(info[0], "matrix", size));
        BERTHA_CHECK(static_cast<int64_t>(matrix->size()) == size * size, "INVALID_ARG",
                     "expected a square matrix");
        const auto result = std::make_shared<SymmetricEigen>();
        return run_task(
            info.Env(), 1, [=](int64_t) { *result = cpu::symmetric_eigen(std::move(*matrix), size); },
            [=](Napi::Env env) { return from_eigen(env, *result); });
    });
}

}  // namespace

Napi::Object define_learn_ops(Napi::Env env) {
    Napi::Object ops = Napi::Object::New(env);
    ops.Set("rows", Napi::Function::New(env, make_rows));
    ops.Set("put", Napi::Function::New(env, put));
    ops.Set("starts", Napi::Function::New(env, put_starts));
    ops.Set("targets", Napi::Function::New(env, set_targets));
    ops.Set("evaluate", Napi::Function::New(env, evaluate));
    ops.Set("scores", Napi::Function::New(env, scores));
    ops.Set("nearest", Napi::Function::New(env, nearest));
    ops.Set("distances", Napi::Function::New(env, distances));
    ops.Set("products", Napi::Function::New(env, products));
    ops.Set("eigen", Napi::Function::New(env, eigen));
    return ops;
}

}  // namespace bertha::addon
