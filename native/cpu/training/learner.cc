#include "cpu/training/learner.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "cpu/isa/isa.h"
#include "cpu/training/chunk_walk.h"
#include "cpu/training/exact_kernels.h"
#include "engine/check.h"
#include "engine/floating_point.h"

namespace bertha::cpu {
namespace {

std::vector<bool> trainable_of(const TrainingSpec& spec) {
    std::vector<bool> trainable;
    for (const LearningWeight& weight : spec.weights) trainable.push_back(weight.trainable);
    return trainable;
}

// Products of one row a sequence, which heads have, gain no time from bf16, and a head's noise reaches every
// gradient: they stay fp32.
std::vector<LearningWeight> with_products(const TrainingSpec& spec, const std::vector<TrainingPlan>& plans) {
    std::vector<LearningWeight> weights = spec.weights;
    for (const TrainingPlan& plan : plans) {
        for (size_t i = 0; i < weights.size(); i++)
            weights[i].needs_transposed = weights[i].needs_transposed || plan.passes_gradient[i];
        for (const Op& op : plan.program.ops) {
            const auto* linear = std::get_if<ops::Linear>(&op);
            if (linear == nullptr || !spec.bf16) continue;
            const int32_t domain = plan.program.value(linear->input).domain;
            if (plan.program.domains[static_cast<size_t>(domain)].kind != DomainKind::kSequences)
                weights[static_cast<size_t>(linear->matrix)].rounds = true;
        }
    }
    return weights;
}

LearningKernels kernels_for(const TrainingSpec& spec) {
    BERTHA_CHECK(!spec.bf16 || kernels().bf16.precision != nullptr, "PRECISION",
                 "training with bf16 products needs the instruction set avx512_bf16 or neon_bf16, which is "
                 "not in use here (%s): expected fp32",
                 kernels().isa);
    if (spec.exact_sums) return {exact_kernels(), exact_training_kernels()};
    return {kernels(), training_kernels(), spec.bf16 ? &bf16_training_kernels() : nullptr};
}

std::vector<TrainingPlan> checked_plans(const std::vector<Program>& programs, const TrainingSpec& spec) {
    BERTHA_CHECK(!programs.empty() && spec.sequences_per_group.size() == programs.size(), "INVALID_PROGRAM",
                 "expected where chunks are cut for each of %zu programs", programs.size());
    std::vector<TrainingPlan> plans;
    for (const Program& program : programs) {
        BERTHA_CHECK(spec.weights.size() == program.weights.size(), "INVALID_PROGRAM",
                     "expected how %zu weights learn, got %zu", program.weights.size(), spec.weights.size());
        BERTHA_CHECK(have_equal_weights(program, programs.front()), "INVALID_PROGRAM",
                     "expected programs that learn together to have the same %zu weights",
                     programs.front().weights.size());
        plans.push_back(differentiate(program, trainable_of(spec), spec.recompute));
    }
    return plans;
}

// The domains whose rows are tokens: those of a source, and of a target that it is translated to.
std::vector<int32_t> token_domains(const Program& program) {
    std::vector<int32_t> domains{kTokenDomain};
    for (const Op& op : program.ops) {
        const auto* embed = std::get_if<ops::Embed>(&op);
        if (embed == nullptr) continue;
        const int32_t domain = program.value(embed->output).domain;
        if (std::find(domains.begin(), domains.end(), domain) == domains.end()) domains.push_back(domain);
    }
    return domains;
}

int64_t tokens_of(const Batch& batch, const std::vector<int32_t>& domains, int64_t begin, int64_t end) {
    int64_t tokens = 0;
    for (const int32_t domain : domains) {
        const int32_t* offsets = batch.rows(domain).offsets;
        if (offsets != nullptr) tokens += offsets[end] - offsets[begin];
    }
    return tokens;
}

// Where the next chunk of a micro-batch ends: whole groups of sequences, at least one.
int64_t end_of_chunk(const Batch& batch, const std::vector<int32_t>& domains, int64_t begin, int64_t group) {
    if (group <= 0) return batch.batch_size;
    int64_t end = std::min(begin + group, batch.batch_size);
    while (end < batch.batch_size) {
        const int64_t next = std::min(end + group, batch.batch_size);
        if (tokens_of(batch, domains, begin, next) > kChunkTokens) break;
        end = next;
    }
    return end;
}

std::vector<int64_t> first_rows(const Program& program, const Batch& batch, int64_t sequence) {
    std::vector<int64_t> rows;
    for (size_t i = 0; i < program.domains.size(); i++) {
        const int32_t* offsets = batch.domains[i].offsets;
        const bool is_sequences = program.domains[i].kind == DomainKind::kSequences;
        rows.push_back(is_sequences ? sequence : offsets != nullptr ? offsets[sequence] : 0);
    }
    return rows;
}

}  // namespace

Learner::Learner(const std::vector<Program>& programs, TrainingSpec spec, WeightSource& source, Team& team)
    : plans_(checked_plans(programs, spec)),
      spec_(std::move(spec)),
      kernels_(kernels_for(spec_)),
      parameters_(plans_.front().program, with_products(spec_, plans_), kernels_, source, team) {
    for (const TrainingPlan& plan : plans_) position_tables_.emplace_back(plan.program);
}

Accumulated Learner::accumulate(const std::vector<const Batch*>& batches, const AccumulateOptions& options,
                                Team& team, Control& control) {
    const FlushDenormals flush;
    const TrainingPlan& plan = plans_[static_cast<size_t>(options.program)];
    const int64_t group = spec_.sequences_per_group[static_cast<size_t>(options.program)];
    const std::vector<int32_t> domains = token_domains(plan.program);
    for (const int32_t value : options.outputs)
        BERTHA_CHECK(value >= 0 && value < static_cast<int32_t>(plan.slots.size()) &&
                         plan.slots[static_cast<size_t>(value)].birth != kNoIndex &&
                         plan.slots[static_cast<size_t>(value)].birth < plan.forward_steps,
                     "INVALID_ARG", "expected values on the way to a loss for outputs, got %d",
                     static_cast<int>(value));
    Accumulated result;
    result.losses.assign(plan.losses.size(), 0.0);
    const WalkContext context{plan,
                              position_tables_[static_cast<size_t>(options.program)],
                              kernels_,
                              parameters_,
                              options.num_items,
                              options.outputs,
                              spec_.seed,
                              options.gradients,
                              arena_,
                              scratch_,
                              team,
                              control};
    try {
        for (size_t i = 0; i < batches.size(); i++) {
            const Batch& batch = *batches[i];
            std::vector<std::vector<float>>& outputs = result.outputs.emplace_back(options.outputs.size());
            result.tokens += tokens_of(batch, domains, 0, batch.batch_size);
            for (int64_t begin = 0; begin < batch.batch_size;) {
                const int64_t end = end_of_chunk(batch, domains, begin, group);
                const JoinedBatch chunk(plan.program, {{&batch, begin, end}});
                walk_chunk(context,
                           {chunk.view(), first_rows(plan.program, batch, begin),
                            options.micro_step + static_cast<uint32_t>(i)},
                           result.losses, outputs);
                begin = end;
            }
        }
    } catch (...) {
        if (options.gradients) zero_gradients(team);
        throw;
    }
    for (const double loss : result.losses) result.loss += loss;
    return result;
}

double Learner::update(const AdamwUpdate& update, Team& team) {
    const FlushDenormals flush;
    const double norm = parameters_.gradient_norm(team);
    if (!std::isfinite(norm)) {
        const int32_t weight = parameters_.first_non_finite();
        const std::string name = weight == kNoIndex ? "all weights together"
                                                    : program(0).weights[static_cast<size_t>(weight)].name;
        zero_gradients(team);
        fail("NON_FINITE", "the gradient of %s is not finite; the weights are as they were", name.c_str());
    }
    parameters_.update(update, update.joint_norm > 0.0 ? update.joint_norm : norm, team);
    return norm;
}

int64_t Learner::workspace_bytes() const {
    size_t total = arena_.bytes();
    for (const Buffer& each : scratch_) total += each.bytes();
    return static_cast<int64_t>(total);
}

}  // namespace bertha::cpu
