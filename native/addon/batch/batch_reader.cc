#include "addon/batch/batch_reader.h"

#include "addon/args.h"

namespace bertha::addon {
namespace {

// Nothing where the property is absent. Floats travel by their bits.
Numbers numbers_of(const Napi::Object& batch, const char* name, bool is_float) {
    const Napi::Value value = get(batch, name);
    if (value.IsUndefined() || value.IsNull()) return {};
    if (is_float) {
        const auto array = to_typed_array<float, napi_float32_array>(value, name, "a Float32Array");
        return {reinterpret_cast<const int32_t*>(array.Data()), array.ElementLength()};
    }
    const Napi::Int32Array array = to_int32_array(value, name);
    return {array.Data(), array.ElementLength()};
}

}  // namespace

JobInputs read_numbers(const Program& program, const Napi::Object& batch) {
    JobInputs inputs;
    inputs.inputs.reserve(program.inputs.size());
    for (const Input& input : program.inputs)
        inputs.inputs.push_back(numbers_of(batch, input.name.c_str(), input.is_float));
    inputs.offsets.reserve(program.domains.size());
    for (const Domain& domain : program.domains)
        inputs.offsets.push_back(domain.offsets.empty() ? Numbers{}
                                                        : numbers_of(batch, domain.offsets.c_str(), false));
    return inputs;
}

}  // namespace bertha::addon
