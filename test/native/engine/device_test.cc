// A device beside the pool: how many forwards it gets at once, how large they are, and what becomes of their memory.
#include <mutex>

#include "fake_model.h"
#include "tests.h"

namespace bertha::test {
namespace {

// A slow device: a thread queues a forward's operations, then waits. Keeps count of what it is given.
class FakeDevice final : public LoadedModel {
public:
    class NoWorkspace final : public Workspace {
        int64_t bytes() const override { return 0; }
    };
    std::unique_ptr<Workspace> make_workspace() const override {
        const std::lock_guard<std::mutex> lock(mutex_);
        workspaces_++;
        return std::make_unique<NoWorkspace>();
    }
    void run(const Batch& batch, const std::vector<Output>& outputs, Workspace&, Team& team, Control& control) const override {
        EXPECT(team.size() == 1);
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            batches_.push_back(batch.tokens());
            most_at_once_ = std::max(most_at_once_, ++at_once_);
        }
        for (int op = 0; op < 4; op++) {
            std::this_thread::sleep_for(std::chrono::microseconds(100));
            control.at_op_boundary();
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            at_once_--;
        }
        BERTHA_CHECK(!control.cancelled(), "ABORTED", "the call was aborted");
        for (const Output& output : outputs) std::fill(output.data, output.data + batch.batch_size * kHidden, 1.0f);
    }
    int64_t weight_bytes() const override { return 0; }
    int64_t preferred_tokens() const override { return 512; }
    bool uses_cpu_pool() const override { return false; }
    std::string device() const override { return "cuda:0"; }

    int most_at_once() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return most_at_once_;
    }
    int workspaces() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return workspaces_;
    }
    std::vector<int64_t> batches() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return batches_;
    }

private:
    mutable std::mutex mutex_;
    mutable int at_once_ = 0, most_at_once_ = 0, workspaces_ = 0;
    mutable std::vector<int64_t> batches_;
};

void end_all(std::vector<std::future<void>>& calls) {
    for (auto& each : calls) each.get();
}

void a_device_gets_whole_batches_two_at_a_time() {
    for (const Lane lane : {Lane::kInteractive, Lane::kBulk}) {
        const auto device = std::make_shared<FakeDevice>();
        // Two users of the same weights.
        const std::shared_ptr<const Model> models[] = {std::make_shared<const Model>(encoder(), device, kWorkers),
                                                       std::make_shared<const Model>(encoder(), device, kWorkers)};
        std::vector<std::future<void>> calls;
        const auto call = [&](const std::vector<std::vector<int32_t>>& texts, int user) {
            const JobPtr job = make_job(models[user], texts, kVectors);
            job->lane = lane;
            calls.push_back(submit(job));
        };
        for (int i = 0; i < 2; i++) call({std::vector<int32_t>(512, 7)}, i);
        while (device->batches().size() < 2) std::this_thread::yield();
        for (int i = 0; i < 64; i++) call(std::vector<std::vector<int32_t>>(4, std::vector<int32_t>(32, 7)), i % 2);
        end_all(calls);
        EXPECT(device->most_at_once() == 2 && device->workspaces() <= 4);
        // 64 calls of 128 tokens make 16 batches.
        EXPECT(device->batches() == std::vector<int64_t>(18, 512));
    }
}

void a_call_that_blocks_its_thread_waits_for_the_device_as_well() {
    const auto device = std::make_shared<FakeDevice>();
    std::vector<std::thread> threads;
    for (int t = 0; t < 6; t++) {
        threads.emplace_back([&device, t] {
            const auto model = std::make_shared<const Model>(encoder(), device, 1 + t % 3);
            for (int round = 0; round < 4; round++) {
                const JobPtr job = make_job(model, std::vector<std::vector<int32_t>>(static_cast<size_t>(1 + 8 * t), {7, 7, 7}), kVectors);
                Scheduler::instance().run_now(job);
                EXPECT(!job->failed);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT(device->most_at_once() == 2);
}

void a_busy_device_leaves_the_pool_to_others() {
    const auto device = std::make_shared<FakeDevice>();
    const auto slow = std::make_shared<const Model>(encoder(), device, kWorkers);
    std::vector<std::future<void>> calls;
    for (int i = 0; i < 40; i++) calls.push_back(submit(make_job(slow, {std::vector<int32_t>(512, 7)}, kVectors)));
    const auto model = std::make_shared<const Model>(encoder(), std::make_shared<FakeModel>(), kWorkers);
    for (int i = 0; i < 10; i++) submit(make_job(model, {{7}}, kVectors)).get();
    EXPECT(calls.back().wait_for(std::chrono::seconds(0)) != std::future_status::ready);
    end_all(calls);
}

void aborted_forwards_of_a_device_keep_their_workspaces() {
    const auto device = std::make_shared<FakeDevice>();
    const auto model = std::make_shared<const Model>(encoder(), device, kWorkers);
    int aborted = 0;
    for (int round = 0; round < 20; round++) {
        std::vector<JobPtr> jobs;
        std::vector<std::future<void>> calls;
        for (int i = 0; i < 4; i++) {
            jobs.push_back(make_job(model, {std::vector<int32_t>(512, 7)}, kVectors));
            calls.push_back(submit(jobs.back()));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        for (const JobPtr& job : jobs) Scheduler::instance().cancel(job);
        end_all(calls);
        for (const JobPtr& job : jobs) aborted += job->failed ? 1 : 0;
    }
    EXPECT(aborted > 0 && device->workspaces() <= 2);
}

}  // namespace

std::vector<Test> device_tests() {
    return {
        {"a device gets whole batches, two at a time", a_device_gets_whole_batches_two_at_a_time},
        {"a call that blocks its thread waits for the device as well", a_call_that_blocks_its_thread_waits_for_the_device_as_well},
        {"a busy device leaves the pool to others", a_busy_device_leaves_the_pool_to_others},
        {"aborted forwards of a device keep their workspaces", aborted_forwards_of_a_device_keep_their_workspaces},
    };
}

}  // namespace bertha::test
