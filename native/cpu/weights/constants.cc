#include "cpu/weights/constants.h"

#include <algorithm>

#include "cpu/forward.h"
#include "cpu/packed_weights.h"

namespace bertha::cpu {
namespace {

// Nothing else waits while a model is loaded.
class NoControl final : public Control {
public:
    void at_op_boundary() override {}
    bool cancelled() const override { return false; }
};

Program with_ops(Program program, bool constant) {
    std::vector<Op> ops;
    for (Op& op : program.ops)
        if (is_constant(program, output_of(op)) == constant) ops.push_back(std::move(op));
    program.ops = std::move(ops);
    return program;
}

}  // namespace

Program without_constants(Program program) { return with_ops(std::move(program), false); }

Constants::Constants(const Program& program, const KernelTable& kernels, WeightSource& source, Team& team)
    : values_(program.values.size()) {
    std::vector<Output> outputs;
    for (const Op& op : program.ops) {
        if (is_constant(program, output_of(op))) continue;
        for_each_read(op, [&](int32_t value) {
            Buffer& buffer = values_[static_cast<size_t>(value)];
            if (!is_constant(program, value) || buffer.bytes() > 0) return;
            buffer = Buffer(
                static_cast<size_t>(program.domain_of(value).max_rows * program.value(value).width) *
                sizeof(float));
            outputs.push_back({value, buffer.floats()});
        });
    }
    if (outputs.empty()) return;
    const Program constant = with_ops(program, true);
    const std::vector<const MatrixFormat*> formats(constant.ops.size(), &kernels.fp32);
    const PackedWeights weights(constant, formats, kernels.isa, source, team, nullptr);
    const Plan plan = make_plan(constant);
    const DistanceBiases no_biases(constant, weights);
    const PositionTables no_positions(constant);
    Batch batch;
    batch.inputs.resize(program.inputs.size());
    for (const Domain& domain : program.domains) {
        const int64_t count = domain.kind == DomainKind::kConstant ? domain.max_rows : 0;
        batch.domains.push_back({nullptr, count, count});
    }
    CpuWorkspace workspace;
    NoControl control;
    run_forward({constant, kernels, plan, formats, false, weights, no_biases, no_positions, nullptr}, batch,
                outputs, workspace, team, control);
}

int64_t Constants::bytes() const {
    int64_t bytes = 0;
    for (const Buffer& each : values_) bytes += static_cast<int64_t>(each.bytes());
    return bytes;
}

}  // namespace bertha::cpu
