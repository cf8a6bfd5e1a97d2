// bertha_test.node: the addon and what only tests and benches need, single ops and allocations that fail. No
// package has it. Types: test/support/test-addon.ts.
#include "addon/args.h"
#include "addon/exports.h"
#include "addon/test/ops.h"
#include "addon/test/search_ops.h"
#include "addon/test/training_linear_ops.h"
#include "addon/test/training_row_ops.h"
#include "addon/test/word_ops.h"
#include "engine/allocator.h"

namespace bertha::addon {
namespace {

// failAllocation(n): how many allocations there were since the last call; the n-th from now fails, none for 0
Napi::Value fail_allocation_at(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        return Napi::Number::New(info.Env(),
                                 static_cast<double>(fail_allocation(to_int(info[0], "n", 0, INT32_MAX))));
    });
}

Napi::Object define_test_exports(Napi::Env env, Napi::Object exports) {
    define_exports(env, exports);
    exports.Set("failAllocation", Napi::Function::New(env, fail_allocation_at, "failAllocation"));
    exports.Set("ops", define_ops(env));
    exports.Set("searchOps", define_search_ops(env));
    Napi::Object training = Napi::Object::New(env);
    define_training_linear_ops(env, training);
    define_training_row_ops(env, training);
    define_training_loss_ops(env, training);
    exports.Set("trainingOps", training);
    exports.Set("wordOps", define_test_word_ops(env));
    return exports;
}

}  // namespace

NODE_API_MODULE(bertha_test, define_test_exports)

}  // namespace bertha::addon
