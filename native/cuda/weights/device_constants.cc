#include "cuda/weights/device_constants.h"

#include "cuda/forward.h"
#include "engine/constant_rows.h"

namespace bertha::cuda {

DeviceConstants::DeviceConstants(const Program& program, WeightSource& source) {
    const std::vector<int32_t> kept = kept_constants(program);
    if (kept.empty()) return;
    size_t total = 0;
    for (int32_t value : kept) total += constant_floats(program, value);
    std::vector<float> floats(total);
    std::vector<Output> outputs;
    float* next = floats.data();
    for (int32_t value : kept) {
        outputs.push_back({value, next});
        next += constant_floats(program, value);
    }
    const Program constant = with_constant_ops(program, true);
    const ValuePlan plan = plan_values(constant, Type::kFloat);
    const DeviceWeights weights(constant, plan, source);
    const AttentionTables no_attention(constant);
    const DeviceConstants none(constant, source);
    CudaWorkspace workspace(std::make_shared<WorkspaceList>());
    LoadControl control;
    run_forward({constant, plan, weights, no_attention, none}, batch_of_constants(program), outputs,
                workspace, control);
    memory_.reserve(total * sizeof(float));
    copy_to_device(memory_.as<void>(), floats.data(), total * sizeof(float), workspace.stream.get());
    wait_for(workspace.stream.get());
    for (const Output& output : outputs)
        values_[output.value] = {memory_.as<float>() + (output.data - floats.data()),
                                 static_cast<int64_t>(constant_floats(program, output.value))};
}

Floats DeviceConstants::rows(int32_t value) const {
    const auto found = values_.find(value);
    return found == values_.end() ? Floats{} : found->second;
}

}  // namespace bertha::cuda
