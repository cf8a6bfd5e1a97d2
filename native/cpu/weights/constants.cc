#include "cpu/weights/constants.h"

#include "cpu/forward.h"
#include "cpu/packed_weights.h"
#include "engine/constant_rows.h"

namespace bertha::cpu {
Program without_constants(Program program) { return with_constant_ops(std::move(program), false); }

Constants::Constants(const Program& program, const KernelTable& kernels, WeightSource& source, Team& team)
    : values_(program.values.size()) {
    std::vector<Output> outputs;
    for (int32_t value : kept_constants(program)) {
        Buffer& buffer = values_[static_cast<size_t>(value)];
        buffer = Buffer(constant_floats(program, value) * sizeof(float));
        outputs.push_back({value, buffer.floats()});
    }
    if (outputs.empty()) return;
    const Program constant = with_constant_ops(program, true);
    const std::vector<const MatrixFormat*> formats(constant.ops.size(), &kernels.fp32);
    const PackedWeights weights(constant, formats, kernels.isa, source, team, nullptr);
    const Plan plan = make_plan(constant);
    const DistanceBiases no_biases(constant, weights);
    const PositionTables no_positions(constant);
    const Batch batch = batch_of_constants(program);
    CpuWorkspace workspace;
    LoadControl control;
    run_forward({constant, kernels, plan, formats, false, weights, no_biases, no_positions, nullptr}, batch,
                outputs, workspace, team, control);
}

int64_t Constants::bytes() const {
    int64_t bytes = 0;
    for (const Buffer& each : values_) bytes += static_cast<int64_t>(each.bytes());
    return bytes;
}

}  // namespace bertha::cpu
