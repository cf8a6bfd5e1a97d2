#include "addon/training/trainer.h"

#include <utility>

#include "engine/pool/pool.h"
#include "engine/scheduler/yielding_team.h"

namespace bertha::addon {
namespace {

cpu::Learner make_learner(const std::vector<Program>& programs, cpu::TrainingSpec spec, WeightSource& source,
                          int threads) {
    PoolTeam team(threads);
    return {programs, std::move(spec), source, team};
}

}  // namespace

// Holds the weights alone. A thread that makes way meanwhile must not start a forward of the live weights,
// which would wait for it.
class Trainer::Changing {
public:
    explicit Changing(const Trainer& trainer) : trainer_(trainer) {
        trainer_.changing_.fetch_add(1, std::memory_order_acq_rel);
        trainer_.weights_.lock();
    }
    ~Changing() {
        trainer_.weights_.unlock();
        trainer_.changing_.fetch_sub(1, std::memory_order_acq_rel);
        Pool::instance().wake();
    }
    Changing(const Changing&) = delete;
    Changing& operator=(const Changing&) = delete;

private:
    const Trainer& trainer_;
};

Trainer::Trainer(const std::vector<Program>& programs, cpu::TrainingSpec spec, WeightSource& source,
                 int threads)
    : threads_(threads), learner_(make_learner(programs, std::move(spec), source, threads)) {
    count_.set_bytes(learner_.parameters().bytes());
}

cpu::Accumulated Trainer::accumulate(const std::vector<const Batch*>& batches,
                                     const cpu::AccumulateOptions& options, Control& control) {
    YieldingTeam team(threads_, control);
    finish_writing(team);
    cpu::Accumulated result = learner_.accumulate(batches, options, team, control);
    workspace_bytes_.store(learner_.workspace_bytes(), std::memory_order_relaxed);
    count_.set_bytes(learner_.parameters().bytes() + workspace_bytes());
    count_.add_tokens(result.tokens);
    return result;
}

double Trainer::update(const cpu::AdamwUpdate& update, Control& control) {
    const Changing alone(*this);
    YieldingTeam team(threads_, control);
    const double norm = learner_.update(update, team);
    count_.add_step();
    return norm;
}

double Trainer::gradient_norm(Control& control) {
    YieldingTeam team(threads_, control);
    return learner_.parameters().gradient_norm(team);
}

void Trainer::zero_gradients(Control& control) {
    YieldingTeam team(threads_, control);
    learner_.zero_gradients(team);
}

Buffer Trainer::read(int32_t weight, cpu::TensorKind kind, int64_t row_begin, int64_t row_end,
                     Control& control) {
    if (kind == cpu::TensorKind::kGradient) {
        YieldingTeam team(threads_, control);
        learner_.parameters().gradient_norm(team);  // adds those of tied weights
    }
    const int64_t cols = program().weights[static_cast<size_t>(weight)].cols;
    Buffer rows(static_cast<size_t>((row_end - row_begin) * cols) * sizeof(float));
    learner_.parameters().read(weight, kind, row_begin, row_end, rows.floats());
    return rows;
}

void Trainer::write(int32_t weight, cpu::TensorKind kind, int64_t row_begin, int64_t row_end,
                    const float* rows) {
    const Changing alone(*this);
    learner_.parameters().write(weight, kind, row_begin, row_end, rows);
    is_written_.store(true);
}

void Trainer::finish_writing(Team& team) const {
    if (!is_written_.load()) return;
    const Changing alone(*this);
    if (is_written_.exchange(false)) learner_.parameters().finish_writing(team);
}

std::shared_lock<std::shared_mutex> Trainer::lock_for_reading() const {
    PoolTeam team(threads_);
    finish_writing(team);
    return std::shared_lock<std::shared_mutex>(weights_);
}

}  // namespace bertha::addon
