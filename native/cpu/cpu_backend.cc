#include "cpu/cpu_backend.h"

#include <algorithm>

#include "cpu/forward.h"
#include "cpu/isa/isa.h"
#include "cpu/packed_weights.h"
#include "cpu/weights/constants.h"
#include "engine/check.h"

namespace bertha::cpu {
namespace {

constexpr int64_t kMaxInt8Columns = 32768;  // column sums must fit 7 + 16 bits
constexpr int64_t kPreferredTokens = 192;   // a chunk whose activations stay in L2

class CpuModel final : public LoadedModel {
public:
    CpuModel(const Program& program, WeightSource& source, const MatrixFormat& format, Team& team,
             WeightCache* cache)
        : program_(without_constants(program)),
          kernels_(kernels()),
          plan_(make_plan(program_)),
          formats_(formats_of(program_, kernels_, format)),
          bf16_attention_(kernels_.attention_bf16 != nullptr &&
                          (&format == &kernels_.bf16 || &format == &kernels_.int8)),
          weights_(program_, formats_, kernels_.isa, source, team, cache),
          constants_(program, kernels_, source, team),
          distance_biases_(program_, weights_),
          position_tables_(program_) {}

    std::unique_ptr<Workspace> make_workspace() const override { return std::make_unique<CpuWorkspace>(); }
    int64_t weight_bytes() const override {
        return weights_.bytes() + constants_.bytes() + distance_biases_.bytes() + position_tables_.bytes();
    }
    int64_t shared_bytes() const override { return weights_.shared_bytes(); }
    int64_t preferred_tokens() const override { return kPreferredTokens; }
    std::string device() const override { return "cpu"; }
    bool uses_cpu_pool() const override { return true; }
    void run(const Batch& batch, const std::vector<Output>& outputs, Workspace& workspace, Team& team,
             Control& control) const override;

private:
    // The encoder's linears take the precision asked for. Heads stay fp32: on single rows (poolers, Dense
    // modules) they cost nothing, and what no later op reads (logits of tokens) is what answers are made of.
    // What a branch of low rank adds to it is the same value still. Logits of a decoder are not small: a step
    // reads the whole word table for them.
    static std::vector<bool> read_values(const Program& program) {
        std::vector<bool> read(program.values.size(), false);
        for (auto op = program.ops.rbegin(); op != program.ops.rend(); ++op) {
            const auto* linear = std::get_if<ops::Linear>(&*op);
            const bool is_branch = linear != nullptr && linear->full_precision;
            for_each_read(*op, [&](int32_t value) {
                const bool is_passed_on = is_branch && value == linear->residual;
                if (!is_passed_on || read[static_cast<size_t>(linear->output)])
                    read[static_cast<size_t>(value)] = true;
            });
        }
        return read;
    }

    // Whether a decoder writes its texts in rows of the domain.
    static std::vector<bool> decoded_domains(const Program& program) {
        std::vector<bool> decoded(program.domains.size(), false);
        for (const Op& op : program.ops)
            if (const auto* attention = std::get_if<ops::Attention>(&op); attention && attention->causal)
                decoded[static_cast<size_t>(program.value(attention->output).domain)] = true;
        return decoded;
    }

    static std::vector<const MatrixFormat*> formats_of(const Program& program, const KernelTable& kernels,
                                                       const MatrixFormat& format) {
        const std::vector<bool> read = read_values(program), decoded = decoded_domains(program);
        const bool int8 = &format == &kernels.int8 || &format == &kernels.int8_fast;
        std::vector<const MatrixFormat*> formats;
        for (const Op& op : program.ops) {
            const auto* linear = std::get_if<ops::Linear>(&op);
            const auto output = static_cast<size_t>(output_of(op));
            const int32_t domain = program.values[output].domain;
            const bool encoder = linear != nullptr && !linear->full_precision &&
                                 ((domain == kTokenDomain && read[output]) ||
                                  decoded[static_cast<size_t>(domain)]);
            formats.push_back(encoder ? &format : &kernels.fp32);
            if (!encoder || !int8) continue;
            const int64_t columns = program.values[static_cast<size_t>(linear->input)].width;
            BERTHA_CHECK(columns <= kMaxInt8Columns, "PRECISION",
                         "expected at most %lld input columns of a linear for int8, got %lld",
                         static_cast<long long>(kMaxInt8Columns), static_cast<long long>(columns));
        }
        return formats;
    }

    const Program program_;  // what each forward computes
    const KernelTable& kernels_;
    const Plan plan_;
    const std::vector<const MatrixFormat*> formats_;  // by op
    const bool bf16_attention_;
    const PackedWeights weights_;
    const Constants constants_;
    const DistanceBiases distance_biases_;
    const PositionTables position_tables_;
};

void CpuModel::run(const Batch& batch, const std::vector<Output>& outputs, Workspace& workspace, Team& team,
                   Control& control) const {
    run_forward({program_, kernels_, plan_, formats_, bf16_attention_, weights_, distance_biases_,
                 position_tables_, &constants_},
                batch, outputs, static_cast<CpuWorkspace&>(workspace), team, control);
}

}  // namespace

std::unique_ptr<LoadedModel> load(std::shared_ptr<const Program> program, WeightSource& source,
                                  const std::string& precision, Team& team, WeightCache* cache) {
    return std::make_unique<CpuModel>(*program, source, format_for(kernels(), precision), team, cache);
}

}  // namespace bertha::cpu
