// The process's threads. They know nothing of what they compute:
//   run(members, units, body)   a loop; its caller takes part and returns when it is done
//   open_team(members, …)       many loops of one caller, one after the other, such as the ops of a forward
//   submit(task)                a loop that nobody waits for
//   attach(source)              work that waits in an order of its own: the scheduler's batches
// A free thread takes interactive work first, then bulk work of the source and tasks by turns, then joins the
// loops of others; then it looks around for a moment, and sleeps.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/clock.h"
#include "engine/pool/priority.h"
#include "engine/pool/straggler_backoff.h"
#include "engine/pool/task.h"
#include "engine/pool/work_stealing_team.h"

namespace bertha {

// Work that threads ask for when they are free. Whoever adds some calls Pool::wake().
class WorkSource {
public:
    virtual ~WorkSource() = default;
    // Whether any of this priority waits. Takes no lock: loops ask between their units.
    virtual bool waits(Priority priority) const = 0;
    // Does a piece of what waits, of this priority or a higher one. False when nothing may start.
    virtual bool run_one(Priority priority) = 0;
};

class Pool {
public:
    // The one instance; never destroyed, so that exit cannot race with its threads.
    static Pool& instance();

    // Grows the pool to at least this many workers (fewer when the system refuses; at least one, else throws
    // THREADS).
    void ensure_workers(int count);
    int workers() const { return workers_.load(std::memory_order_relaxed); }
    // The source must live as long as the pool.
    void attach(WorkSource& source) { source_.store(&source, std::memory_order_release); }
    // Free threads look for work again.
    void wake();

    // Runs body(unit, member) for every unit on up to `members` threads, the caller among them. The others
    // are threads that have nothing else to do: anything that waits comes before the loop. Throws what a unit
    // threw.
    void run(int members, int64_t units, Team::Body body, void* context);
    template <typename Function>
    void run(int members, int64_t units, Function&& function);
    // Queues a task; at least one worker must be there.
    void submit(const TaskPtr& task);

    // A team for one caller's loops, open until the end of the scope.
    class OpenTeam {
    public:
        OpenTeam(const OpenTeam&) = delete;
        OpenTeam& operator=(const OpenTeam&) = delete;
        ~OpenTeam();
        Team& get() { return team_ ? static_cast<Team&>(*team_) : solo_; }

    private:
        friend class Pool;
        OpenTeam(Pool& pool, std::shared_ptr<WorkStealingTeam> team, bool is_adaptive)
            : pool_(pool), team_(std::move(team)), is_adaptive_(is_adaptive) {}

        Pool& pool_;
        const std::shared_ptr<WorkStealingTeam> team_;  // null: the caller alone
        const bool is_adaptive_;                        // what it gained decides about later ones
        Solo solo_;
    };
    // Free threads join the team; an interactive one is also joined by threads that do bulk work. The caller
    // alone when it would be the only member, or after stragglers.
    OpenTeam open_team(int members, Priority priority);

    // For a thread that pauses its bulk work: joins an interactive team until interactive work waits or the
    // team is closed. False when there was none to join.
    bool join_interactive();
    bool has_interactive_team() const { return interactive_teams_.load(std::memory_order_relaxed) > 0; }
    // Teams that had a straggler.
    int64_t stragglers() const { return stragglers_.load(std::memory_order_relaxed); }

private:
    using Lock = std::unique_lock<std::mutex>;

    void work();
    bool run_from_source(Priority priority);
    bool run_task();
    bool join_newest(uint64_t& last_serial);
    bool interactive_waits() const;
    bool work_waits(Priority priority) const;
    void wait_for_event(uint64_t seen);
    std::shared_ptr<WorkStealingTeam> add_team(int size, Priority priority, bool is_adaptive);
    void remove_team(const std::shared_ptr<WorkStealingTeam>& team, bool is_adaptive);

    std::atomic<WorkSource*> source_{nullptr};
    std::atomic<int> workers_{0};
    std::mutex mutex_;  // guards teams, tasks and the back-off
    std::vector<std::shared_ptr<WorkStealingTeam>> teams_;
    uint64_t last_serial_ = 0;
    std::deque<TaskPtr> tasks_;  // with units left to start
    StragglerBackoff backoff_;
    std::atomic<int> interactive_teams_{0};
    std::atomic<int> open_teams_{0};
    std::atomic<int64_t> waiting_tasks_{0};
    std::atomic<int64_t> stragglers_{0};

    // An event count: it rises after anything that a thread may wait for has been added.
    std::atomic<uint64_t> events_{0};
    std::atomic<int> sleepers_{0};
    std::mutex sleep_mutex_;
    std::condition_variable event_;
};

// Each of its loops is shared by the pool's free threads.
class PoolTeam final : public Team {
public:
    using Team::run;
    explicit PoolTeam(int size) : size_(size) {}
    int size() const override { return size_; }
    void run(int64_t units, Body body, void* context) override {
        Pool::instance().run(size_, units, body, context);
    }

private:
    const int size_;
};

template <typename Function>
void Pool::run(int members, int64_t units, Function&& function) {
    run(
        members, units,
        [](void* context, int64_t unit, int member) {
            (*static_cast<std::remove_reference_t<Function>*>(context))(unit, member);
        },
        &function);
}

}  // namespace bertha
