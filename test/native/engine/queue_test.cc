// Many thousands of calls that wait: what ends them, and what looks for the next of them, costs the same however many they are.
#include <ctime>

#include "fake_model.h"
#include "tests.h"

namespace bertha::test {
namespace {

double processor_seconds() {
    timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Processor time, not elapsed time: what else runs on the machine does not count. Work that grows with the square of the calls costs
// `kMany / kFew` times as much a call.
constexpr int kFew = 1000, kMany = 40'000;

template <typename Cost>
void expect_linear(Cost&& cost) {
    bool is_linear = false;
    for (int attempt = 0; attempt < 4 && !is_linear; attempt++) {
        const double few = cost(kFew) / kFew, many = cost(kMany) / kMany;
        is_linear = many < 6 * few;
    }
    EXPECT(is_linear);
}

// Calls that wait behind a forward of their model's only thread, which ends by being aborted; the second half has a deadline when `until` is given.
class Waiting {
public:
    explicit Waiting(int count, size_t tokens = 1, Clock::duration until = {}) : left_(count) {
        slow_ = make_job(model_, {{kSlow}}, kVectors);
        slow_done_ = submit(slow_);
        while (Scheduler::instance().stats().running_batches == 0) std::this_thread::yield();
        const Clock::time_point deadline = Clock::now() + until;
        for (int i = 0; i < count; i++) {
            jobs_.push_back(make_job(model_, {std::vector<int32_t>(tokens, 7)}, kVectors));
            if (until != Clock::duration::zero() && i >= count / 2) jobs_.back()->deadline = deadline;
            jobs_.back()->on_done = [this] { left_--; };
            Scheduler::instance().submit(jobs_.back());
        }
    }
    ~Waiting() {
        end_forward();
        wait_until_left(0);
    }
    void end_forward() {
        if (!slow_done_.valid()) return;
        Scheduler::instance().cancel(slow_);
        slow_done_.get();
    }
    void wait_until_left(int count) const {
        while (left_ > count) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const std::vector<JobPtr>& jobs() const { return jobs_; }

private:
    const std::shared_ptr<const Model> model_ =
        std::make_shared<const Model>(encoder(), std::make_shared<FakeModel>(kUntilAborted), 1);
    JobPtr slow_;
    std::future<void> slow_done_;
    std::vector<JobPtr> jobs_;
    std::atomic<int> left_;
};

void thousands_of_waiting_calls_are_aborted_at_once() {
    expect_linear([](int count) {
        const Waiting waiting(count);
        const double start = processor_seconds();
        for (auto job = waiting.jobs().rbegin(); job != waiting.jobs().rend(); ++job) Scheduler::instance().cancel(*job);
        const double spent = processor_seconds() - start;
        for (const JobPtr& job : waiting.jobs()) EXPECT(job->failed && job->error.code == "ABORTED");
        return spent;
    });
}

void thousands_of_waiting_calls_expire_at_once() {
    expect_linear([](int count) {
        Waiting waiting(count, 1, std::chrono::microseconds(20) * count);
        const double start = processor_seconds();
        waiting.wait_until_left(count / 2);
        const double spent = processor_seconds() - start;
        for (size_t i = 0; i < waiting.jobs().size(); i++)
            EXPECT(waiting.jobs()[i]->error.code == (i >= waiting.jobs().size() / 2 ? "DEADLINE" : ""));
        return spent;
    });
}

void a_batch_does_not_look_through_thousands_of_calls_that_do_not_fit() {
    expect_linear([](int count) {
        Waiting waiting(count, kPreferred * 2 / 3);
        const double start = processor_seconds();
        waiting.end_forward();
        waiting.wait_until_left(0);
        return processor_seconds() - start;
    });
}

void an_aborted_forward_keeps_its_workspace() {
    const auto fake = std::make_shared<FakeModel>();
    const auto model = std::make_shared<const Model>(encoder(), fake, 1);
    for (int round = 0; round < 5; round++) {
        const JobPtr job = make_job(model, {{kSlow}}, kVectors);
        std::future<void> done = submit(job);
        while (Scheduler::instance().stats().running_batches == 0) std::this_thread::yield();
        Scheduler::instance().cancel(job);
        done.get();
        EXPECT(job->failed && job->error.code == "ABORTED");
    }
    submit(make_job(model, {{7}}, kVectors)).get();
    EXPECT(fake->workspaces == 1);
}

// Jobs in random order, some of groups, some aborted: every one ends once, those of a group in their order.
void flows_survive_aborts_in_any_order() {
    Random random(11);
    const auto fake = std::make_shared<FakeModel>();
    for (int round = 0; round < 20; round++) {
        std::vector<std::shared_ptr<const Model>> models;
        for (int i = 0; i < 3; i++) models.push_back(std::make_shared<const Model>(encoder(), fake, 1 + i % 2));
        std::vector<JobPtr> jobs;
        std::vector<std::future<void>> done;
        for (int i = 0; i < 200; i++) {
            auto texts = random_texts(random, 1 + random.below(4), 40);
            for (auto& text : texts) std::replace(text.begin(), text.end(), kSlow, kVocab - 1);
            jobs.push_back(make_job(models[static_cast<size_t>(random.below(3))], texts, random.below(2) == 0 ? kVectors : kStates));
            jobs.back()->lane = random.below(2) == 0 ? Lane::kBulk : Lane::kInteractive;
            if (random.below(2) == 0) jobs.back()->group = {&models, random.below(6)};
            if (random.below(8) == 0) jobs.back()->deadline = Clock::now() + std::chrono::microseconds(random.below(500));
            done.push_back(submit(jobs.back()));
            if (random.below(4) == 0) Scheduler::instance().cancel(jobs[static_cast<size_t>(random.below(i + 1))]);
        }
        for (auto& each : done) each.get();
        for (const JobPtr& job : jobs)
            EXPECT(job->next_sequence == job->sequences() && job->flow == nullptr &&
                   (!job->failed || job->error.code == "ABORTED" || job->error.code == "DEADLINE" || job->error.code == "NON_FINITE"));
    }
    const SchedulerStats stats = Scheduler::instance().stats();
    EXPECT(stats.queued_tokens[0] == 0 && stats.queued_tokens[1] == 0 && stats.queued_jobs[0] == 0 && stats.queued_jobs[1] == 0);
}

}  // namespace

std::vector<Test> queue_tests() {
    return {
        {"thousands of waiting calls are aborted at once", thousands_of_waiting_calls_are_aborted_at_once},
        {"thousands of waiting calls expire at once", thousands_of_waiting_calls_expire_at_once},
        {"a batch does not look through thousands of calls that do not fit", a_batch_does_not_look_through_thousands_of_calls_that_do_not_fit},
        {"an aborted forward keeps its workspace", an_aborted_forward_keeps_its_workspace},
        {"flows survive aborts in any order", flows_survive_aborts_in_any_order},
    };
}

}  // namespace bertha::test
