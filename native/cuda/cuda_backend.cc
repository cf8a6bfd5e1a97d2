#include "cuda/cuda_backend.h"

#include <algorithm>
#include <cstdlib>

#include "cuda/forward.h"
#include "cuda/kernels/kernels.h"
#include "engine/check.h"
#include "engine/constant_rows.h"

namespace bertha::cuda {
namespace {

constexpr int64_t kPreferredTokens = 8192;  // fills a large GPU; its activations stay in L2 (docs/cuda.md)

// "cuda" is device 0, "cuda:N" device N; -1 for anything else.
int ordinal_of(const std::string& device) {
    if (device == "cuda") return 0;
    const std::string digits = device.rfind("cuda:", 0) == 0 ? device.substr(5) : "";
    const bool valid = !digits.empty() && digits.size() < 5 &&
                       digits.find_first_not_of("0123456789") == std::string::npos;
    return valid ? std::atoi(digits.c_str()) : -1;
}

// "" when the device computes in `precision`, else why not.
std::string precision_problem(const std::string& precision, int device) {
    if (precision == "fp32" || precision == "fp16") return "";
    if (precision != "bf16")
        return "expected one of fp32, fp16, bf16 on CUDA, got " + precision.substr(0, 32);
    const DeviceFacts facts = device_facts(device);
    if (facts.capability >= 80) return "";
    return "bf16 needs compute capability 8.0 or more, " + facts.name + " has " +
           std::to_string(facts.capability / 10) + "." + std::to_string(facts.capability % 10) + ": use fp16";
}

Type type_of(const std::string& precision) {
    if (precision == "fp32") return Type::kFloat;
    return precision == "fp16" ? Type::kHalf : Type::kBfloat16;
}

std::string head_dim_problem(int64_t head_dim) {
    if (head_dim <= kMaxHeadDim) return "";
    return "expected a head_dim of at most " + std::to_string(kMaxHeadDim) + " on CUDA, got " +
           std::to_string(head_dim);
}

class CudaModel final : public LoadedModel {
public:
    CudaModel(const Program& program, WeightSource& source, int device, Type type)
        : constants_(program, source),
          program_(std::make_shared<const Program>(with_constant_ops(program, false))),
          device_(device),
          plan_(plan_values(*program_, type)),
          weights_(*program_, plan_, source),
          attention_(*program_) {}

    std::unique_ptr<Workspace> make_workspace() const override {
        use_device(device_);
        return std::make_unique<CudaWorkspace>(workspaces_);
    }
    void run(const Batch& batch, const std::vector<Output>& outputs, Workspace& workspace, Team& team,
             Control& control) const override;
    int64_t weight_bytes() const override {
        return weights_.bytes() + attention_.bytes() + constants_.bytes();
    }
    int64_t preferred_tokens() const override { return kPreferredTokens; }
    std::string device() const override { return "cuda:" + std::to_string(device_); }
    bool uses_cpu_pool() const override { return false; }

private:
    void run_whole(const Batch& batch, const std::vector<Output>& outputs, CudaWorkspace& workspace,
                   Control& control) const {
        run_forward({*program_, plan_, weights_, attention_, constants_}, batch, outputs, workspace, control);
    }
    void run_halves(const Batch& batch, const std::vector<Output>& outputs, CudaWorkspace& workspace,
                    Control& control) const;

    const DeviceConstants constants_;
    const std::shared_ptr<const Program> program_;  // without the ops of constant rows
    const int device_;
    const ValuePlan plan_;
    const DeviceWeights weights_;
    const AttentionTables attention_;
    const std::shared_ptr<WorkspaceList> workspaces_ = std::make_shared<WorkspaceList>();
};

// Two forwards one after the other, each over half of the sequences.
void CudaModel::run_halves(const Batch& batch, const std::vector<Output>& outputs, CudaWorkspace& workspace,
                           Control& control) const {
    const int64_t middle = batch.batch_size / 2;
    std::vector<Output> targets = outputs;
    for (const auto& [begin, end] : {std::pair{int64_t{0}, middle}, std::pair{middle, batch.batch_size}}) {
        const JoinedBatch half(*program_, {{&batch, begin, end}});
        run_whole(half.view(), targets, workspace, control);
        for (Output& target : targets) {
            const Value& value = program_->value(target.value);
            target.data += half.view().rows(value.domain).count * value.width;
        }
    }
}

// When memory is short, idle workspaces give theirs back and the batch is split, once.
void CudaModel::run(const Batch& batch, const std::vector<Output>& outputs, Workspace& base, Team&,
                    Control& control) const {
    auto& workspace = static_cast<CudaWorkspace&>(base);
    use_device(device_);
    const CudaWorkspace::Use use(workspace);
    try {
        return run_whole(batch, outputs, workspace, control);
    } catch (const Error& error) {
        if (error.code() != "DEVICE_OOM") throw;
        workspace.release();
        const int64_t freed = workspaces_->release_idle();
        if (batch.batch_size < 2 && freed == 0) throw;
    }
    try {
        batch.batch_size < 2 ? run_whole(batch, outputs, workspace, control)
                             : run_halves(batch, outputs, workspace, control);
    } catch (const Error& error) {
        if (error.code() == "DEVICE_OOM") workspace.release();
        throw;
    }
}

}  // namespace

int device_count() { return driver_facts().devices; }

std::string device_problem(const std::string& device) {
    const int ordinal = ordinal_of(device);
    return ordinal < 0 ? "expected one of cpu, cuda, cuda:N" : problem_of_device(ordinal);
}

std::string task_problem(const std::string& device, const std::string& precision, int64_t head_dim) {
    const std::string problem = precision_problem(precision, ordinal_of(device));
    return problem.empty() ? head_dim_problem(head_dim) : problem;
}

std::string device_description(const std::string& device) {
    return description_of_device(ordinal_of(device));
}

std::unique_ptr<LoadedModel> load(std::shared_ptr<const Program> program, WeightSource& source,
                                  const std::string& device, const std::string& precision) {
    const int ordinal = ordinal_of(device);
    const std::string problem = precision_problem(precision, ordinal);
    BERTHA_CHECK(problem.empty(), "PRECISION", "%s", problem.c_str());
    for (size_t i = 0; i < program->ops.size(); i++) {
        const auto* op = std::get_if<ops::Attention>(&program->ops[i]);
        if (op == nullptr) continue;
        const std::string too_wide = head_dim_problem(program->values[static_cast<size_t>(op->output)].width /
                                                      op->num_heads);
        BERTHA_CHECK(too_wide.empty(), "DEVICE", "op %zu (attention): %s", i, too_wide.c_str());
    }
    use_device(ordinal);
    return std::make_unique<CudaModel>(*program, source, ordinal, type_of(precision));
}

}  // namespace bertha::cuda
