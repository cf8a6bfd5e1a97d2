#include "cpu/training/chunk_walk.h"

#include "cpu/training/walk_base.h"
#include "engine/check.h"

namespace bertha::cpu {
namespace {

class Walk : public WalkBase {
public:
    using WalkBase::WalkBase;

    void run(std::vector<double>& losses, std::vector<std::vector<float>>& outputs) {
        const int32_t steps = context_.gradients ? static_cast<int32_t>(plan_.steps.size())
                                                 : plan_.forward_steps;
        for (int32_t i = 0; i < steps; i++) {
            context_.control.at_op_boundary();
            BERTHA_CHECK(!context_.control.cancelled(), "ABORTED", "the call was aborted");
            const Step& step = plan_.steps[static_cast<size_t>(i)];
            const Op& op = program_.ops[static_cast<size_t>(step.op)];
            if (step.kind != StepKind::kForward) {
                backward_step(context_, chunk_, step);
                continue;
            }
            forward_step(context_, chunk_, step, losses);
            keep_outputs(output_of(op), outputs);
        }
        BERTHA_CHECK(!context_.control.cancelled(), "ABORTED", "the call was aborted");
    }
};

}  // namespace

void walk_chunk(const WalkContext& context, const Chunk& chunk, std::vector<double>& losses,
                std::vector<std::vector<float>>& outputs) {
    Walk(context, chunk).run(losses, outputs);
}

}  // namespace bertha::cpu
