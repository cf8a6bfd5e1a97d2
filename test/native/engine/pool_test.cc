// The pool by itself: what shares its threads includes nothing of jobs, batches or programs.
#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <numeric>
#include <thread>
#include <vector>

#include "engine/pool/pool.h"
#include "expect.h"
#include "tests.h"

namespace bertha::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// What a trainer does: gradients of slices in parallel, their sum in order, step after step.
void a_loop_has_every_unit_once_on_as_many_threads_as_it_may() {
    for (int members = 1; members <= 2 * kWorkers; members++) {
        std::vector<std::atomic<int>> runs(200);
        std::atomic<int> highest{0};
        for (int step = 0; step < 5; step++) {
            Pool::instance().run(members, static_cast<int64_t>(runs.size()), [&](int64_t unit, int member) {
                runs[static_cast<size_t>(unit)]++;
                int seen = highest;
                while (member > seen && !highest.compare_exchange_weak(seen, member)) {}
            });
        }
        for (const std::atomic<int>& each : runs) EXPECT(each == 5);
        EXPECT(highest < members);
    }
    int ran = 0;
    Pool::instance().run(kWorkers, 0, [&](int64_t, int) { ran++; });
    EXPECT(ran == 0);
}

void workers_share_a_loop() {
    for (int round = 0;; round++) {
        std::atomic<int> by_others{0};
        Pool::instance().run(kWorkers, 64, [&](int64_t, int member) {
            std::this_thread::sleep_for(microseconds(100));
            if (member > 0) by_others++;
        });
        if (by_others > 0) break;
        EXPECT(round < 100);
    }
}

void loops_within_loops_and_of_many_threads_end() {
    std::vector<std::thread> threads;
    std::atomic<int64_t> sum{0};
    for (int t = 0; t < 6; t++)
        threads.emplace_back([&] {
            for (int round = 0; round < 50; round++)
                Pool::instance().run(kWorkers, 5, [&](int64_t outer, int) {
                    Pool::instance().run(2, 7, [&](int64_t inner, int) { sum += 10 * outer + inner; });
                });
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT(sum == 6 * 50 * (7 * 10 * (0 + 1 + 2 + 3 + 4) + 5 * (0 + 1 + 2 + 3 + 4 + 5 + 6)));
}

void exceptions_of_any_thread_reach_the_caller() {
    for (int round = 0; round < 50; round++) {
        std::atomic<int> ran{0};
        const std::optional<Failure> failure = failure_of([&] {
            Pool::instance().run(kWorkers, 64, [&](int64_t unit, int) {
                ran++;
                std::this_thread::sleep_for(microseconds(20));
                BERTHA_CHECK(unit != round % 16, "IO", "unit %d fails", round % 16);
            });
        });
        EXPECT(failure && failure->code == "IO" && ran > 0);
    }
}

void a_team_works_on_after_a_failure() {
    WorkStealingTeam team(2, 1, Priority::kBulk);
    const auto never = [] { return false; };
    std::thread worker([&] { team.join(never, [] {}); });
    for (int round = 0; round < 200; round++) {
        std::atomic<int> ran{0};
        const std::optional<Failure> failure = failure_of([&] {
            team.run(16, [&](int64_t unit, int) {
                std::this_thread::sleep_for(microseconds(10));
                BERTHA_CHECK(round % 2 == 1 || unit != round % 16, "IO", "unit %d fails", round % 16);
                ran++;
            });
        });
        EXPECT(failure.has_value() == (round % 2 == 0) && (failure || ran == 16));
    }
    team.close();
    worker.join();
    EXPECT(!team.join(never, [] {}));
}

void a_member_makes_way_between_two_units_and_goes_on() {
    WorkStealingTeam team(2, 1, Priority::kBulk);
    std::atomic<int> ways{0}, after{0}, ran{0};
    std::thread worker([&] { team.join([] { return false; }, [&] { ways++; }); });
    for (int round = 0; round < 200 && after < 10; round++)
        team.run(64, [&](int64_t, int member) {
            std::this_thread::sleep_for(microseconds(20));
            if (member > 0 && ways > 1) after++;
            ran++;
        });
    team.close();
    worker.join();
    EXPECT(ways > after && after >= 10 && ran % 64 == 0);
}

// Waits for a task of `units` and returns its failure.
std::optional<Failure> run_task(int64_t units, Task::Body body) {
    std::promise<std::optional<Failure>> done;
    Pool::instance().submit(std::make_shared<Task>(
        units, std::move(body), [&](const std::optional<Failure>& failure) { done.set_value(failure); }));
    return done.get_future().get();
}

void a_task_tells_of_its_end_once_and_of_its_first_failure() {
    std::vector<std::atomic<int>> runs(500);
    EXPECT(!run_task(500, [&](int64_t unit) { runs[static_cast<size_t>(unit)]++; }));
    for (const std::atomic<int>& each : runs) EXPECT(each == 1);
    const std::optional<Failure> failure = run_task(
        20, [](int64_t unit) { BERTHA_CHECK(unit != 3, "IO", "unit %d fails", 3); });
    EXPECT(failure && failure->code == "IO" && failure->message == "unit 3 fails");
    EXPECT(run_task(1, [](int64_t) { throw std::bad_alloc(); })->code == "OUT_OF_MEMORY");
}

void tasks_take_turns() {
    // A short task that comes later ends long before a long one.
    std::atomic<int> ran{0};
    std::promise<void> done;
    Pool::instance().submit(std::make_shared<Task>(
        400,
        [&](int64_t) {
            ran++;
            std::this_thread::sleep_for(microseconds(500));
        },
        [&](const std::optional<Failure>&) { done.set_value(); }));
    run_task(4, [](int64_t) {});
    EXPECT(ran < 200);
    done.get_future().get();
    EXPECT(ran == 400);
}

void a_loop_waits_for_nobody_while_tasks_keep_the_workers() {
    std::atomic<bool> is_over{false};
    std::promise<void> done;
    Pool::instance().submit(std::make_shared<Task>(
        kWorkers,
        [&](int64_t) {
            while (!is_over) std::this_thread::sleep_for(milliseconds(1));
        },
        [&](const std::optional<Failure>&) { done.set_value(); }));
    std::atomic<int> ran{0};
    Pool::instance().run(kWorkers, 100, [&](int64_t, int) { ran++; });
    EXPECT(ran == 100);
    is_over = true;
    done.get_future().get();
}

void a_team_gives_its_members_up_to_a_task() {
    // A loop as long as a trainer's does not keep the threads from what comes later.
    std::atomic<bool> may_end{false}, is_over{false};
    std::thread trainer([&] {
        Pool::instance().run(kWorkers + 1, 20'000, [&](int64_t, int) {
            if (!may_end) std::this_thread::sleep_for(microseconds(500));
        });
        is_over = true;
    });
    std::this_thread::sleep_for(milliseconds(20));
    for (int i = 0; i < 20; i++) EXPECT(!run_task(2 * kWorkers, [](int64_t) {}));
    EXPECT(!is_over);
    may_end = true;
    trainer.join();
}

void stragglers_put_sharing_off_for_a_while() {
    const Clock::time_point start{};
    StragglerBackoff backoff;
    backoff.record(milliseconds(0), milliseconds(2), start);
    EXPECT(backoff.is_active(start + milliseconds(15)) && !backoff.is_active(start + milliseconds(16)));
    // Some of what was saved may be lost, a time slice at most.
    const Clock::time_point later = start + std::chrono::seconds(1);
    backoff.record(milliseconds(50), milliseconds(0), later);
    backoff.record(milliseconds(0), milliseconds(4), later);
    EXPECT(!backoff.is_active(later));
    backoff.record(milliseconds(0), milliseconds(1), later);
    EXPECT(backoff.is_active(later + milliseconds(7)) && !backoff.is_active(later + milliseconds(8)));
}

}  // namespace

std::vector<Test> pool_tests() {
    return {
        {"a loop has every unit once on as many threads as it may", a_loop_has_every_unit_once_on_as_many_threads_as_it_may},
        {"workers share a loop", workers_share_a_loop},
        {"loops within loops and of many threads end", loops_within_loops_and_of_many_threads_end},
        {"exceptions of any thread reach the caller", exceptions_of_any_thread_reach_the_caller},
        {"a team works on after a failure", a_team_works_on_after_a_failure},
        {"a member makes way between two units and goes on", a_member_makes_way_between_two_units_and_goes_on},
        {"a task tells of its end once and of its first failure", a_task_tells_of_its_end_once_and_of_its_first_failure},
        {"tasks take turns", tasks_take_turns},
        {"a loop waits for nobody while tasks keep the workers", a_loop_waits_for_nobody_while_tasks_keep_the_workers},
        {"a team gives its members up to a task", a_team_gives_its_members_up_to_a_task},
        {"stragglers put sharing off for a while", stragglers_put_sharing_off_for_a_while},
    };
}

}  // namespace bertha::test
