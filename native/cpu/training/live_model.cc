#include "cpu/training/live_model.h"

#include <utility>

#include "cpu/forward.h"
#include "cpu/isa/isa.h"
#include "engine/check.h"
#include "engine/program/split_gates.h"

namespace bertha::cpu {
namespace {

constexpr int64_t kPreferredTokens = 192;  // as models for inference

class LiveWeights final : public ModelWeights {
public:
    LiveWeights(const Program& program, const Parameters& parameters)
        : program_(program), parameters_(parameters) {}
    PackedMatrix matrix(int32_t op) const override {
        return parameters_.master(matrix_of(program_.ops[static_cast<size_t>(op)]));
    }
    void require_words(const int32_t*, int64_t) const override {}
    const float* row(int32_t weight) const override { return parameters_.row(weight); }
    const float* inverse_input_scale(int32_t) const override { return nullptr; }

private:
    const Program& program_;
    const Parameters& parameters_;
};

class LiveModel final : public LoadedModel {
public:
    LiveModel(const std::shared_ptr<const Program>& program, std::shared_ptr<const LiveParameters> live)
        : program_(split_gates(*program)),
          live_(std::move(live)),
          plan_(make_plan(program_)),
          formats_(program_.ops.size(), &kernels().fp32),
          weights_(program_, live_->parameters()),
          position_tables_(program_) {}

    std::unique_ptr<Workspace> make_workspace() const override { return std::make_unique<CpuWorkspace>(); }
    int64_t weight_bytes() const override { return live_->parameters().bytes(); }
    int64_t preferred_tokens() const override { return kPreferredTokens; }
    std::string device() const override { return "cpu"; }
    bool may_run() const override { return !live_->are_changing(); }
    bool uses_cpu_pool() const override { return true; }
    void run(const Batch& batch, const std::vector<Output>& outputs, Workspace& workspace, Team& team,
             Control& control) const override {
        const auto lock = live_->lock_for_reading();
        const DistanceBiases distance_biases(program_, weights_);
        run_forward({program_, kernels(), plan_, formats_, false, weights_, distance_biases, position_tables_,
                     nullptr},
                    batch, outputs, static_cast<CpuWorkspace&>(workspace), team, control);
    }

private:
    const Program program_;  // matrices that learn are panels of all their columns
    const std::shared_ptr<const LiveParameters> live_;
    const Plan plan_;
    const std::vector<const MatrixFormat*> formats_;
    const LiveWeights weights_;
    const PositionTables position_tables_;
};

}  // namespace

std::unique_ptr<LoadedModel> live_model(std::shared_ptr<const Program> program, const Program& learning,
                                        std::shared_ptr<const LiveParameters> live) {
    require_kernels(*program, "cpu");
    BERTHA_CHECK(have_equal_weights(*program, learning), "INVALID_PROGRAM",
                 "expected a program with the %zu weights of the one that learns", learning.weights.size());
    return std::make_unique<LiveModel>(program, std::move(live));
}

}  // namespace bertha::cpu
