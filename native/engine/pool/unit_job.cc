#include "engine/pool/unit_job.h"

#include <new>

#include "engine/check.h"
#include "engine/scheduler/scheduler.h"

namespace bertha {

void UnitJob::fail(const char* code, const char* message) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!failed_) error_ = {code, message};
    failed_ = true;
}

void UnitJob::run(int64_t unit) {
    try {
        body_(unit);
    } catch (const Error& error) {
        fail(error.code().c_str(), error.what());
    } catch (const std::bad_alloc&) {
        fail("OUT_OF_MEMORY", "the system has no memory left");
    } catch (const std::exception& error) {
        fail("INTERNAL", error.what());
    }
    if (ended_.fetch_add(1, std::memory_order_acq_rel) + 1 != units_) return;
    body_ = nullptr;  // and what it holds, before anybody hears of the end
    on_done_(failed_ ? &error_ : nullptr);
}

void Scheduler::submit(const UnitJobPtr& job) {
    const Lock lock(mutex_);
    unit_jobs_.push_back(job);
    announce();
}

// One unit of the jobs in turn. False when none waits, or when it is the turn of a batch that does.
bool Scheduler::run_unit(Lock& lock) {
    if (unit_jobs_.empty()) return false;
    is_turn_of_units_ = !is_turn_of_units_;
    if (!is_turn_of_units_ && work_waits()) return false;
    const UnitJobPtr job = unit_jobs_.front();
    unit_jobs_.pop_front();
    const int64_t unit = job->next();
    if (!job->is_started()) unit_jobs_.push_back(job);
    lock.unlock();
    job->run(unit);
    lock.lock();
    return true;
}

}  // namespace bertha
