#include "addon/vectors/learn_ops.h"

#include "addon/vectors/pool_task.h"
#include "cpu/learn/linear_problem.h"

namespace bertha::addon {
namespace {

using cpu::LinearProblem;
using cpu::RowKind;
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
// sparse
Napi::Value put(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const ProblemPtr& problem = to_problem(info[0]);
        const int64_t first = to_int(info[1], "first", 0, problem->values());
        if (problem->kind() == RowKind::kFloat) {
            const auto numbers = to_typed_array<float, napi_float32_array>(info[2], "numbers",
                                                                           "a Float32Array");
            problem->put(first, numbers.Data(), static_cast<int64_t>(numbers.ElementLength()));
        } else {
            const auto numbers = to_typed_array<double, napi_float64_array>(info[2], "numbers",
                                                                            "a Float64Array");
            problem->put(first, numbers.Data(), static_cast<int64_t>(numbers.ElementLength()));
        }
        if (problem->kind() == RowKind::kSparse) {
            const Napi::Int32Array columns = to_int32_array(info[3], "columns");
            problem->put_columns(first, columns.Data(), static_cast<int64_t>(columns.ElementLength()));
        }
        return info.Env().Undefined();
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
        std::vector<double> weights = to_doubles(info[1], "weights");
        BERTHA_CHECK(problem->outputs() > 0 &&
                         static_cast<int64_t>(weights.size()) == problem->outputs() * (problem->width() + 1),
                     "INVALID_ARG", "expected weights for each output, after targets");
        const auto evaluation = std::make_shared<LinearProblem::Evaluation>(problem, std::move(weights));
        return run_task(
            info.Env(), evaluation->units(), [evaluation](int64_t unit) { evaluation->run(unit); },
            [evaluation](Napi::Env env) {
                return from_doubles(env, evaluation->result().data(), evaluation->result().size());
            });
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

}  // namespace

Napi::Object define_learn_ops(Napi::Env env) {
    Napi::Object ops = Napi::Object::New(env);
    ops.Set("rows", Napi::Function::New(env, make_rows));
    ops.Set("put", Napi::Function::New(env, put));
    ops.Set("starts", Napi::Function::New(env, put_starts));
    ops.Set("targets", Napi::Function::New(env, set_targets));
    ops.Set("evaluate", Napi::Function::New(env, evaluate));
    ops.Set("scores", Napi::Function::New(env, scores));
    return ops;
}

}  // namespace bertha::addon
