#include "addon/test/search_ops.h"

#include <memory>

#include "addon/generation/search_reader.h"
#include "addon/test/op_args.h"
#include "generation/uniform.h"

namespace bertha::addon {
namespace {

using generation::Finish;
using generation::Search;

// A method of the object that `open` returns.
template <typename Body>
void set_method(Napi::Object object, const char* name, Body&& body) {
    object.Set(name, Napi::Function::New(object.Env(), [body](const Napi::CallbackInfo& info) -> Napi::Value {
                   return guarded(info.Env(), [&] { return body(info); });
               }));
}

Finish finish_from(const std::string& name) {
    if (name == "stop") return Finish::kStop;
    return name == "abort" ? Finish::kAbort : Finish::kDeadline;
}

Napi::Value rows_to_js(Napi::Env env, const Search& search) {
    Napi::Array list = Napi::Array::New(env);
    for (const generation::SearchRow& row : search.rows()) {
        Napi::Array pair = Napi::Array::New(env);
        pair.Set(0u, Napi::Number::New(env, row.parent));
        pair.Set(1u, Napi::Number::New(env, row.token));
        list.Set(list.Length(), pair);
    }
    return list;
}

// open(settings, prompt, source, vocab): { rows(), step(logits [rows, vocab]), end(sequence, reason),
// endAll(reason), sequences() }; a row is [parent, token]
Napi::Value open(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const int64_t vocab = size_arg(info, 3, "vocab");
        const auto search = std::make_shared<Search>(read_search_settings(to_object(info[0], "settings")),
                                                     to_int32s(info[1], "prompt"),
                                                     to_int32s(info[2], "source"), vocab);
        Napi::Object object = Napi::Object::New(info.Env());
        set_method(object, "rows", [search](const Napi::CallbackInfo& call) -> Napi::Value {
            return rows_to_js(call.Env(), *search);
        });
        set_method(object, "step", [search, vocab](const Napi::CallbackInfo& call) -> Napi::Value {
            std::vector<float> logits = to_floats(call[0], "logits");
            check_count(logits.size(), static_cast<int64_t>(search->rows().size()) * vocab, "logits");
            for (size_t row = 0; row < search->rows().size(); row++)
                search->read(static_cast<int64_t>(row), logits.data() + static_cast<int64_t>(row) * vocab);
            search->step();
            return call.Env().Undefined();
        });
        set_method(object, "end", [search](const Napi::CallbackInfo& call) -> Napi::Value {
            search->end(static_cast<size_t>(to_int(call[0], "sequence", 0, INT32_MAX)),
                        finish_from(to_string(call[1], "reason")));
            return call.Env().Undefined();
        });
        set_method(object, "endAll", [search](const Napi::CallbackInfo& call) -> Napi::Value {
            search->end_all(finish_from(to_string(call[0], "reason")));
            return call.Env().Undefined();
        });
        set_method(object, "sequences", [search](const Napi::CallbackInfo& call) -> Napi::Value {
            Napi::Array list = Napi::Array::New(call.Env());
            for (const generation::Sequence& sequence : search->sequences())
                list.Set(list.Length(), sequence_to_js(call.Env(), sequence));
            return list;
        });
        return object;
    });
}

// uniform(seed, sequence, step, draw)
Napi::Value uniform_number(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const auto word = [&info](size_t i, const char* name) {
            return static_cast<uint32_t>(to_int(info[i], name, 0, UINT32_MAX));
        };
        const auto seed = static_cast<uint64_t>(to_int(info[0], "seed", 0, int64_t{1} << 53));
        return Napi::Number::New(
            info.Env(), generation::uniform(seed, word(1, "sequence"), word(2, "step"), word(3, "draw")));
    });
}

}  // namespace

Napi::Object define_search_ops(Napi::Env env) {
    Napi::Object ops = Napi::Object::New(env);
    ops.Set("open", Napi::Function::New(env, open));
    ops.Set("uniform", Napi::Function::New(env, uniform_number));
    return ops;
}

}  // namespace bertha::addon
