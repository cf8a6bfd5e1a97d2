#include "engine/pool/pool.h"

#include <algorithm>
#include <system_error>
#include <thread>

#include "engine/check.h"
#include "engine/floating_point.h"
#include "engine/system/thread.h"

namespace bertha {
namespace {

constexpr auto kSpinBeforeSleep = std::chrono::microseconds(50);
// The next call of a loop that awaits each result comes within this; waking up costs as much as it computes
// in.
constexpr auto kYieldBeforeSleep = std::chrono::microseconds(300);

}  // namespace

Pool& Pool::instance() {
    static Pool* pool = new Pool();
    return *pool;
}

void Pool::ensure_workers(int count) {
    const Lock lock(mutex_);
    while (workers() < count) {
        try {
            start_thread([this] { work(); });
        } catch (const std::system_error& error) {
            BERTHA_CHECK(workers() > 0, "THREADS", "the system refuses to start a thread: %s", error.what());
            return;
        }
        workers_.fetch_add(1, std::memory_order_relaxed);
    }
}

void Pool::wake() {
    // In one order with a thread that goes to sleep: either it sees the event, or it is seen here.
    events_.fetch_add(1, std::memory_order_seq_cst);
    if (sleepers_.load(std::memory_order_seq_cst) == 0) return;
    {
        const Lock lock(sleep_mutex_);
    }
    event_.notify_all();
}

// Returns when something has been added since `seen` events.
void Pool::wait_for_event(uint64_t seen) {
    const Clock::time_point begin = Clock::now();
    while (events_.load(std::memory_order_acquire) == seen) {
        const Clock::duration idle = Clock::now() - begin;
        if (idle >= kYieldBeforeSleep) break;
        idle < kSpinBeforeSleep ? pause() : std::this_thread::yield();
    }
    Lock lock(sleep_mutex_);
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    event_.wait(lock, [&] { return events_.load(std::memory_order_seq_cst) != seen; });
    sleepers_.fetch_sub(1, std::memory_order_relaxed);
}

void Pool::work() {
    uint64_t last_serial = 0;
    for (bool is_turn_of_tasks = false;;) {
        const uint64_t seen = events_.load(std::memory_order_acquire);
        if (run_from_source(Priority::kInteractive) || join_interactive()) continue;
        is_turn_of_tasks = !is_turn_of_tasks;
        if (is_turn_of_tasks && run_task()) continue;
        if (run_from_source(Priority::kBulk) || run_task()) continue;
        if (!join_newest(last_serial)) wait_for_event(seen);
    }
}

bool Pool::run_from_source(Priority priority) {
    WorkSource* source = source_.load(std::memory_order_acquire);
    return source != nullptr && source->waits(priority) && source->run_one(priority);
}

// Whether a member of a team of bulk work is wanted elsewhere.
bool Pool::interactive_waits() const {
    const WorkSource* source = source_.load(std::memory_order_acquire);
    return has_interactive_team() || (source != nullptr && source->waits(Priority::kInteractive));
}

// Whether a member of a team of this priority has something better to do.
bool Pool::work_waits(Priority priority) const {
    const WorkSource* source = source_.load(std::memory_order_acquire);
    if (priority == Priority::kInteractive) return source != nullptr && source->waits(Priority::kInteractive);
    return interactive_waits() || waiting_tasks_.load(std::memory_order_relaxed) > 0 ||
           (source != nullptr && source->waits(Priority::kBulk));
}

void Pool::submit(const TaskPtr& task) {
    {
        const Lock lock(mutex_);
        tasks_.push_back(task);
        waiting_tasks_.fetch_add(1, std::memory_order_relaxed);
    }
    wake();
}

// One unit; the tasks take turns. False when none waits.
bool Pool::run_task() {
    if (waiting_tasks_.load(std::memory_order_relaxed) == 0) return false;
    Lock lock(mutex_);
    if (tasks_.empty()) return false;
    const TaskPtr task = std::move(tasks_.front());
    tasks_.pop_front();
    const int64_t unit = task->next();
    if (task->is_started())
        waiting_tasks_.fetch_sub(1, std::memory_order_relaxed);
    else
        tasks_.push_back(task);
    lock.unlock();
    task->run(unit);
    return true;
}

// Null while an adaptive team had better not be opened.
std::shared_ptr<WorkStealingTeam> Pool::add_team(int size, Priority priority, bool is_adaptive) {
    std::shared_ptr<WorkStealingTeam> team;
    {
        const Lock lock(mutex_);
        if (is_adaptive && backoff_.is_active(Clock::now())) return nullptr;
        team = std::make_shared<WorkStealingTeam>(size, ++last_serial_, priority);
        teams_.push_back(team);
        open_teams_.fetch_add(1, std::memory_order_relaxed);
        if (priority == Priority::kInteractive) interactive_teams_.fetch_add(1, std::memory_order_relaxed);
    }
    wake();
    return team;
}

void Pool::remove_team(const std::shared_ptr<WorkStealingTeam>& team, bool is_adaptive) {
    team->close();
    const Lock lock(mutex_);
    teams_.erase(std::find(teams_.begin(), teams_.end(), team));
    open_teams_.fetch_sub(1, std::memory_order_relaxed);
    if (team->priority() == Priority::kInteractive)
        interactive_teams_.fetch_sub(1, std::memory_order_relaxed);
    if (!is_adaptive) return;
    if (team->has_straggler()) stragglers_.fetch_add(1, std::memory_order_relaxed);
    // Half: a thread alone takes less time for a unit than one of several.
    backoff_.record(team->stolen() / 2, team->waited(), Clock::now());
}

Pool::OpenTeam::~OpenTeam() {
    if (team_) pool_.remove_team(team_, is_adaptive_);
}

Pool::OpenTeam Pool::open_team(int members, Priority priority) {
    const int size = std::min(members, workers());
    return OpenTeam(*this, size < 2 ? nullptr : add_team(size, priority, true), true);
}

bool Pool::join_interactive() {
    if (!has_interactive_team()) return false;
    std::shared_ptr<WorkStealingTeam> team;
    {
        const Lock lock(mutex_);
        const auto found = std::find_if(teams_.begin(), teams_.end(), [](const auto& each) {
            return each->priority() == Priority::kInteractive;
        });
        if (found == teams_.end()) return false;
        team = *found;
    }
    return team->join([this] { return work_waits(Priority::kInteractive); }, [] {});
}

// For a free thread: joins the newest team unless it has done so before.
bool Pool::join_newest(uint64_t& last_serial) {
    if (open_teams_.load(std::memory_order_relaxed) == 0) return false;
    std::shared_ptr<WorkStealingTeam> team;
    {
        const Lock lock(mutex_);
        if (teams_.empty() || teams_.back()->serial() <= last_serial) return false;
        team = teams_.back();
    }
    last_serial = team->serial();
    const Priority priority = team->priority();
    team->join([=] { return work_waits(priority); },
               [=] {
                   while (priority == Priority::kBulk && interactive_waits())
                       if (!run_from_source(Priority::kInteractive) && !join_interactive()) return;
               });
    return true;
}

void Pool::run(int members, int64_t units, Team::Body body, void* context) {
    OpenTeam team(*this, add_team(std::max(1, members), Priority::kBulk, false), false);
    // Such loops are long: threads get a moment to arrive, and the parts are small enough that later ones
    // still find work.
    for (int64_t first = 0; first < units;) {
        const int64_t count = std::min<int64_t>(
            units - first, first == 0 ? 1 : std::max<int64_t>(1, (units - first + 3) / 4));
        team.get().run(count, [&](int64_t unit, int member) { body(context, first + unit, member); });
        first += count;
    }
}

}  // namespace bertha
