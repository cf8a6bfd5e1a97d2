// A model that computes nothing, for tests of what is scheduled when.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>

#include "check.h"

namespace bertha::test {

// Submits a job; the future is ready once on_done was called.
inline std::future<void> submit(const JobPtr& job) {
    auto done = std::make_shared<std::promise<void>>();
    job->on_done = [done] { done->set_value(); };
    std::future<void> future = done->get_future();
    Scheduler::instance().submit(job);
    return future;
}

// A model that fails on the id kPoison, and sleeps a while on kSlow: for so many steps, unless the forward is aborted.
constexpr int32_t kPoison = 1, kSlow = 2;
constexpr int64_t kWhile = 20, kUntilAborted = INT64_MAX;
constexpr int64_t kPreferred = 64;

class FakeModel final : public LoadedModel {
public:
    explicit FakeModel(int64_t slow_steps = kWhile) : slow_steps_(slow_steps) {}
    class NoWorkspace final : public Workspace {
        int64_t bytes() const override { return 0; }
    };
    std::unique_ptr<Workspace> make_workspace() const override {
        workspaces++;
        return std::make_unique<NoWorkspace>();
    }
    void run(const Batch& batch, const std::vector<Output>& outputs, Workspace&, Team& team, Control& control) const override {
        for (int64_t i = 0; i < batch.tokens(); i++) {
            BERTHA_CHECK(batch.input(kIds)[i] != kPoison, "NON_FINITE", "poison");
            for (int64_t step = 0; batch.input(kIds)[i] == kSlow && step < slow_steps_; step++) {
                team.run(8, [&](int64_t, int member) {
                    std::this_thread::sleep_for(std::chrono::microseconds(100));
                    if (member > 0) units_of_workers++;
                });
                control.at_op_boundary();
                BERTHA_CHECK(!control.cancelled(), "ABORTED", "aborted");
            }
        }
        for (const Output& output : outputs)
            std::fill_n(output.data, (output.value == kStates ? batch.tokens() : batch.batch_size) * kHidden, 1.0f);
    }
    int64_t weight_bytes() const override { return 0; }
    int64_t preferred_tokens() const override { return kPreferred; }
    bool uses_cpu_pool() const override { return true; }
    std::string device() const override { return "cpu"; }

    mutable std::atomic<int> units_of_workers{0}, workspaces{0};

private:
    const int64_t slow_steps_;
};

}  // namespace bertha::test
