// The native core without Node.js, for ThreadSanitizer: many threads submit, cancel, compute and load at once, and every result is
// compared to the bit with the one computed alone. `npm run check:tsan` compiles and runs it.
#include <chrono>
#include <cstring>
#include <future>
#include <thread>

#include "check.h"
#include "devices.h"
#include "engine/allocator.h"
#include "engine/weights/registry.h"
#include "fake_model.h"
#include "tests.h"

namespace bertha::test {
namespace {

std::shared_ptr<const LoadedModel> load_encoder(const std::shared_ptr<const Program>& program, bool fail = false) {
    RandomSource source(*program, fail);
    Solo solo;
    return load_model(program, source, LoadOptions{}, solo);
}

std::vector<float> values_of(const Job& job) {
    const JobOutput& output = job.outputs.front();
    return std::vector<float>(output.data, output.data + output.floats);
}

// A forward on the caller's thread alone.
std::vector<float> alone(const std::shared_ptr<const Program>& program, const std::shared_ptr<const LoadedModel>& loaded,
                         const std::vector<std::vector<int32_t>>& texts, int32_t value) {
    std::vector<float> all;
    for (const auto& text : texts) {
        const JobPtr job = make_job(std::make_shared<const Model>(program, loaded, 1), {text}, value);
        Scheduler::instance().run_now(job);
        EXPECT(!job->failed);
        const std::vector<float> values = values_of(*job);
        all.insert(all.end(), values.begin(), values.end());
    }
    return all;
}

void mixed_load_gives_the_results_of_single_forwards() {
    const auto program = encoder();
    const auto loaded = load_encoder(program);
    const auto model = std::make_shared<const Model>(program, loaded, kWorkers);
    const auto limited = std::make_shared<const Model>(program, loaded, 1);
    std::vector<std::thread> threads;
    for (int t = 0; t < 6; t++) {
        threads.emplace_back([&, t] {
            Random random(static_cast<uint64_t>(t + 1));
            for (int round = 0; round < 30; round++) {
                const auto texts = random_texts(random, 1 + random.below(12), 60);
                const int32_t value = random.below(2) == 0 ? kVectors : kStates;
                const JobPtr job = make_job(random.below(4) == 0 ? limited : model, texts, value);
                job->lane = random.below(2) == 0 ? Lane::kBulk : Lane::kInteractive;
                const int kind = random.below(8);
                if (kind == 0) job->deadline = Clock::now() + std::chrono::microseconds(random.below(300));
                if (kind == 1) {
                    Scheduler::instance().run_now(job);
                } else {
                    std::future<void> done = submit(job);
                    if (kind == 2) Scheduler::instance().cancel(job);
                    if (kind == 3) {
                        std::this_thread::sleep_for(std::chrono::microseconds(random.below(200)));
                        Scheduler::instance().cancel(job);
                    }
                    done.get();
                }
                if (job->failed) {
                    EXPECT((job->error.code == "DEADLINE" && kind == 0) || (job->error.code == "ABORTED" && (kind == 2 || kind == 3)));
                    continue;
                }
                const std::vector<float> expected = alone(program, loaded, texts, value);
                EXPECT(static_cast<int64_t>(expected.size()) == job->outputs.front().floats);
                EXPECT(std::memcmp(expected.data(), job->outputs.front().data, expected.size() * sizeof(float)) == 0);
            }
        });
    }
    for (int i = 0; i < 50; i++) Scheduler::instance().stats();
    for (std::thread& thread : threads) thread.join();
    // A batch that were still counted would keep the model's only thread.
    submit(make_job(limited, {{7}}, kVectors)).get();
    const SchedulerStats stats = Scheduler::instance().stats();
    EXPECT(stats.running_batches == 0 && stats.queued_tokens[0] == 0 && stats.queued_tokens[1] == 0 && stats.queued_jobs[0] == 0);
}

void outputs_are_written_where_the_caller_wants_them() {
    const auto program = encoder();
    const auto model = std::make_shared<const Model>(program, load_encoder(program), kWorkers);
    Random random(11);
    const auto texts = random_texts(random, 9, 60);
    const std::vector<float> expected = alone(program, load_encoder(program), texts, kStates);
    std::vector<float> memory(expected.size() + 1, -7.0f);  // as large as needed, and no float more is written
    const JobPtr job = make_job(model, texts, kStates, [&](int64_t floats) {
        EXPECT(floats == static_cast<int64_t>(expected.size()));
        return memory.data();
    });
    submit(job).get();
    EXPECT(!job->failed && job->outputs.front().memory.bytes() == 0);
    EXPECT(std::memcmp(memory.data(), expected.data(), expected.size() * sizeof(float)) == 0 && memory.back() == -7.0f);
}

void only_the_guilty_call_of_a_batch_fails() {
    const auto model = std::make_shared<const Model>(encoder(), std::make_shared<FakeModel>(), 1);
    const JobPtr slow = make_job(model, {{kSlow}}, kVectors);
    std::future<void> slow_done = submit(slow);
    std::vector<JobPtr> jobs;
    std::vector<std::future<void>> done;
    for (int i = 0; i < 5; i++) {
        jobs.push_back(make_job(model, {{i == 3 ? kPoison : 7}}, kVectors));
        done.push_back(submit(jobs.back()));
    }
    for (auto& each : done) each.get();
    slow_done.get();
    for (int i = 0; i < 5; i++) EXPECT(jobs[static_cast<size_t>(i)]->failed == (i == 3));
    EXPECT(jobs[3]->error.code == "NON_FINITE");
    EXPECT(values_of(*jobs[0]) == std::vector<float>(kHidden, 1.0f));
}

void interactive_work_interrupts_bulk_on_every_worker() {
    const auto model = std::make_shared<const Model>(encoder(), std::make_shared<FakeModel>(), kWorkers);
    std::vector<JobPtr> bulk;
    std::vector<std::future<void>> done;
    for (int i = 0; i < 2 * kWorkers; i++) {
        bulk.push_back(make_job(model, std::vector<std::vector<int32_t>>(64, {kSlow}), kVectors));
        bulk.back()->lane = Lane::kBulk;
        done.push_back(submit(bulk.back()));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    for (int i = 0; i < 20; i++) {
        const JobPtr urgent = make_job(model, {{7}}, kVectors);
        submit(urgent).get();
        EXPECT(!urgent->failed);
    }
    EXPECT(done.back().wait_for(std::chrono::seconds(0)) != std::future_status::ready);
    // Work waits for every worker: only those on bulk can have helped.
    const auto shared = std::make_shared<FakeModel>();
    const auto urgent_model = std::make_shared<const Model>(encoder(), shared, kWorkers);
    for (int i = 0; i < 100 && shared->units_of_workers == 0; i++) submit(make_job(urgent_model, {{kSlow}}, kVectors)).get();
    EXPECT(shared->units_of_workers > 0);
    for (const JobPtr& job : bulk) Scheduler::instance().cancel(job);
    for (auto& each : done) each.get();
}

void a_full_queue_refuses_and_recovers() {
    const auto model = std::make_shared<const Model>(encoder(), std::make_shared<FakeModel>(), 1);
    Scheduler& scheduler = Scheduler::instance();
    const int64_t limit = scheduler.queue_limit();
    scheduler.set_queue_limit(10);
    std::vector<std::future<void>> done;
    bool refused = false;
    for (int i = 0; i < 20; i++) {
        try {
            done.push_back(submit(make_job(model, {{kSlow, 7}}, kVectors)));
        } catch (const Error& error) {
            EXPECT(error.code() == "QUEUE_FULL");
            refused = true;
        }
    }
    EXPECT(refused && done.size() >= 5);
    for (auto& each : done) each.get();
    scheduler.set_queue_limit(limit);
    submit(make_job(model, {{7}}, kVectors)).get();
}

void jobs_of_a_group_are_started_in_order_and_share_a_place() {
    const auto model = std::make_shared<const Model>(encoder(), std::make_shared<FakeModel>(), 1);
    const std::vector<int32_t> whole_batch(64, 7);
    const JobPtr slow = make_job(model, {{kSlow}}, kVectors), other = make_job(model, {whole_batch, whole_batch}, kVectors);
    const JobPtr first = make_job(model, {whole_batch, whole_batch, whole_batch}, kVectors);
    const JobPtr second = make_job(model, {whole_batch, whole_batch}, kVectors);
    first->group = second->group = {&model, 1};
    std::future<void> slow_done = submit(slow);
    // One batch of the model runs at a time, and this one still does.
    bool started_early = false, other_waited = false;
    std::promise<void> done;
    first->on_done = [&] {
        started_early = second->next_sequence > 0;
        other_waited = other->next_sequence < other->sequences();
        done.set_value();
    };
    Scheduler::instance().submit(first);
    std::future<void> second_done = submit(second), other_done = submit(other);
    done.get_future().get();
    for (auto* each : {&slow_done, &second_done, &other_done}) each->get();
    EXPECT(!started_early && !other_waited);
}

void the_registry_shares_and_forgets() {
    const auto program = encoder();
    const int64_t before = allocated_bytes();
    std::atomic<int> loads{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; t++) {
        threads.emplace_back([&] {
            for (int round = 0; round < 40; round++) {
                try {
                    const auto model = Registry::instance().get("key", [&] {
                        RandomSource source(*program, loads++ % 3 == 0);
                        Solo solo;
                        return load_model(program, source, LoadOptions{}, solo);
                    });
                    EXPECT(model->weight_bytes() > 0);
                } catch (const Error& error) {
                    EXPECT(error.code() == "IO");
                }
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT(Registry::instance().models_by_device().empty());
    EXPECT(allocated_bytes() == before);
    const auto load = [&] { RandomSource source(*program); Solo solo; return load_model(program, source, LoadOptions{}, solo); };
    const auto first = Registry::instance().get("key", load);
    EXPECT(Registry::instance().get("key", [] { return std::unique_ptr<LoadedModel>(); }) == first);
    // Models without a key are not shared, and count.
    const auto second = Registry::instance().get("", load);
    auto third = Registry::instance().get("", load);
    EXPECT(second != third && Registry::instance().models_by_device().at("cpu") == 3);
    third.reset();
    EXPECT(Registry::instance().models_by_device().at("cpu") == 2);
}

void a_device_has_one_name() {
    EXPECT(name_of_device("cuda") == "cuda:0" && name_of_device("cuda:0") == "cuda:0" && name_of_device("cuda:00") == "cuda:0");
    EXPECT(name_of_device("cuda:01") == "cuda:1" && name_of_device("cuda:10") == "cuda:10" && name_of_device("cpu") == "cpu");
}

void every_allocation_may_fail() {
    const auto program = encoder();
    Random random(5);
    const auto texts = random_texts(random, 6, 40);
    const auto sound = load_encoder(program);
    const std::vector<float> expected = alone(program, sound, texts, kVectors);
    const int64_t before = allocated_bytes();
    int failures = 0;
    for (int64_t n = 1;; n++) {
        fail_allocation(n);
        bool failed = false;
        try {
            const auto loaded = load_encoder(program);
            const JobPtr job = make_job(std::make_shared<const Model>(program, loaded, 1), texts, kVectors);
            Scheduler::instance().run_now(job);
            failed = job->failed;
            if (failed) EXPECT(job->error.code == "OUT_OF_MEMORY");
            else EXPECT(values_of(*job) == expected);
        } catch (const Error& error) {
            EXPECT(error.code() == "OUT_OF_MEMORY");
            failed = true;
        }
        fail_allocation(0);
        EXPECT(allocated_bytes() == before);
        EXPECT(alone(program, sound, texts, kVectors) == expected);
        if (!failed) break;
        failures++;
    }
    EXPECT(failures > 5);
}

}  // namespace
}  // namespace bertha::test

// engine_test [PART]: runs the tests whose name contains PART.
int main(int count, char** arguments) {
    using namespace bertha::test;
    bertha::Pool::instance().ensure_workers(kWorkers);
    std::vector<Test> tests{
        {"mixed load gives the results of single forwards", mixed_load_gives_the_results_of_single_forwards},
        {"outputs are written where the caller wants them", outputs_are_written_where_the_caller_wants_them},
        {"only the guilty call of a batch fails", only_the_guilty_call_of_a_batch_fails},
        {"interactive work interrupts bulk on every worker", interactive_work_interrupts_bulk_on_every_worker},
        {"a full queue refuses and recovers", a_full_queue_refuses_and_recovers},
        {"jobs of a group are started in order and share a place in the round robin", jobs_of_a_group_are_started_in_order_and_share_a_place},
        {"the registry shares and forgets", the_registry_shares_and_forgets},
        {"a device has one name", a_device_has_one_name},
        {"every allocation may fail", every_allocation_may_fail},
    };
    for (const auto& more : {pool_tests(), weight_tests(), queue_tests(), device_tests(), program_tests(), batch_tests(), training_tests(), words_tests(), generation_tests()}) tests.insert(tests.end(), more.begin(), more.end());
    int passed = 0;
    for (const auto& test : tests) {
        if (count > 1 && std::strstr(test.name, arguments[1]) == nullptr) continue;
        std::printf("%s\n", test.name);
        std::fflush(stdout);
        test.run();
        // A pool thread lets go of a job a moment after it has told of its end.
        for (int ms = 0; bertha::allocated_bytes() > 0 && ms < 20'000; ms++)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        EXPECT(bertha::allocated_bytes() == 0);
        passed++;
    }
    std::printf("%d passed, 0 failed, %d skipped\n", passed, static_cast<int>(tests.size()) - passed);
    std::fflush(stdout);
    std::_Exit(0);  // the pool's threads never end
}
