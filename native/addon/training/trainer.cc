#include "addon/training/trainer.h"

#include <algorithm>
#include <utility>

#include "engine/pool/pool.h"

namespace bertha::addon {
namespace {

cpu::Learner make_learner(const Program& program, cpu::TrainingSpec spec, WeightSource& source, int threads) {
    PoolTeam team(threads);
    return {program, std::move(spec), source, team};
}

}  // namespace

Trainer::Trainer(const Program& program, cpu::TrainingSpec spec,
                 std::vector<std::vector<LearningBlock>> blocks, WeightSource& source, int threads)
    : blocks_(std::move(blocks)),
      threads_(threads),
      learner_(make_learner(program, std::move(spec), source, threads)) {}

cpu::Accumulated Trainer::accumulate(const std::vector<const Batch*>& batches,
                                     const cpu::AccumulateOptions& options, Control& control) {
    finish_writing();
    PoolTeam team(threads_);
    cpu::Accumulated result = learner_.accumulate(batches, options, team, control);
    workspace_bytes_.store(learner_.workspace_bytes(), std::memory_order_relaxed);
    return result;
}

double Trainer::update(const cpu::AdamwUpdate& update) {
    mask_gradients();
    const std::unique_lock<std::shared_mutex> lock(weights_);
    PoolTeam team(threads_);
    return learner_.update(update, team);
}

void Trainer::zero_gradients() {
    PoolTeam team(threads_);
    learner_.zero_gradients(team);
}

std::vector<float> Trainer::read(int32_t weight, cpu::TensorKind kind, int64_t row_begin, int64_t row_end) {
    if (kind == cpu::TensorKind::kGradient) {
        mask_gradients();
        PoolTeam team(threads_);
        learner_.parameters().gradient_norm(team);  // adds those of tied weights
    }
    const int64_t cols = program().weights[static_cast<size_t>(weight)].cols;
    std::vector<float> rows(static_cast<size_t>((row_end - row_begin) * cols));
    learner_.parameters().read(weight, kind, row_begin, row_end, rows.data());
    return rows;
}

void Trainer::write(int32_t weight, cpu::TensorKind kind, int64_t row_begin, int64_t row_end,
                    const std::vector<float>& rows) {
    const std::unique_lock<std::shared_mutex> lock(weights_);
    learner_.parameters().write(weight, kind, row_begin, row_end, rows.data());
    is_written_.store(true);
}

void Trainer::finish_writing() const {
    if (!is_written_.load()) return;
    const std::unique_lock<std::shared_mutex> lock(weights_);
    if (!is_written_.exchange(false)) return;
    PoolTeam team(threads_);
    learner_.parameters().finish_writing(team);
}

std::shared_lock<std::shared_mutex> Trainer::lock_for_reading() const {
    finish_writing();
    return std::shared_lock<std::shared_mutex>(weights_);
}

void Trainer::mask_gradients() {
    cpu::Parameters& parameters = learner_.parameters();
    for (size_t i = 0; i < blocks_.size(); i++) {
        const auto id = static_cast<int32_t>(i);
        if (blocks_[i].empty() || parameters.gradient(id) == nullptr) continue;
        const Weight& weight = program().weights[i];
        std::vector<float> row(static_cast<size_t>(weight.cols)), masked(row.size());
        for (int64_t r = 0; r < weight.rows; r++) {
            parameters.read(id, cpu::TensorKind::kGradient, r, r + 1, row.data());
            std::fill(masked.begin(), masked.end(), 0.0f);
            for (const LearningBlock& block : blocks_[i])
                if (r >= block.row_begin && r < block.row_begin + block.rows)
                    std::copy(row.begin() + block.col_begin, row.begin() + block.col_begin + block.cols,
                              masked.begin() + block.col_begin);
            parameters.write(id, cpu::TensorKind::kGradient, r, r + 1, masked.data());
        }
    }
}

}  // namespace bertha::addon
