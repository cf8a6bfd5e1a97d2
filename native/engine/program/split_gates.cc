#include "engine/program/split_gates.h"

#include <utility>

namespace bertha {

Program split_gates(Program program) {
    std::vector<Op> ops;
    ops.reserve(program.ops.size());
    for (Op& op : program.ops) {
        auto* linear = std::get_if<ops::Linear>(&op);
        if (linear == nullptr || !linear->gated) {
            ops.push_back(std::move(op));
            continue;
        }
        ops::ActivationOp gate;
        gate.input = static_cast<int32_t>(program.values.size());
        gate.output = linear->output;
        gate.activation = linear->activation;
        gate.gated = true;
        const Value output = program.value(linear->output);
        program.values.push_back({output.domain, 2 * output.width});
        linear->output = gate.input;
        linear->activation = Activation::kNone;
        linear->gated = false;
        ops.push_back(std::move(op));
        ops.emplace_back(gate);
    }
    program.ops = std::move(ops);
    return program;
}

}  // namespace bertha
