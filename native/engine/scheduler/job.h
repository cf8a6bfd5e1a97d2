// One call: sequences to run through a model, and where the results go. The scheduler cuts jobs into packed
// batches and may put several jobs into one batch.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "engine/allocator.h"
#include "engine/batch.h"
#include "engine/check.h"
#include "engine/clock.h"
#include "engine/model.h"
#include "engine/pool/priority.h"
#include "engine/scheduler/checked_batch.h"

namespace bertha {

// The scheduler has a queue for each priority.
using Lane = Priority;
constexpr int kLanes = 2;

struct JobOutput {
    int32_t value = 0;
    float* data = nullptr;  // rows in order of the job's sequences; null: of a step
    int64_t floats = 0;
    Buffer memory;                      // of the data, unless the caller has given some
    std::vector<int64_t> pairs_before;  // of a domain of pairs: those of the sequences before [sequences + 1]
};

class Job;
using JobPtr = std::shared_ptr<Job>;
struct Flow;

class Job {
public:
    // Memory for the `floats` of an output, which must stay until the job is done; null for the job's own.
    using Allocate = std::function<float*(int64_t floats)>;

    // Checks all numbers and lengths against what the program declares (INVALID_IDS, INVALID_ARG) and
    // allocates the outputs (OUT_OF_MEMORY).
    Job(std::shared_ptr<const Model> model, const JobInputs& given, const Allocate& allocate = nullptr);
    // Rows of a decoder, of which their readers get the wanted value.
    Job(std::shared_ptr<const Model> model, std::shared_ptr<const Batch> step, int32_t wanted);

    int64_t sequences() const { return batch.batch_size; }
    bool is_step() const { return step_ != nullptr; }
    // Tokens, of a step rows.
    int64_t tokens_from(int64_t sequence) const {
        return is_step() ? sequences() - sequence
                         : batch.tokens() - batch.rows(kTokenDomain).offsets[sequence];
    }
    int32_t seq_len(int64_t sequence) const {
        return is_step() ? 1 : static_cast<int32_t>(rows_in(batch, kTokenDomain, sequence));
    }
    const Program& program() const { return model->program(); }
    // True when the two jobs' sequences may share a batch.
    bool fits_with(const Job& other) const;
    // Where the rows of sequence `sequence` start in an output, in floats.
    int64_t output_offset(const JobOutput& output, int64_t sequence) const;

    const std::shared_ptr<const Model> model;

private:
    const std::unique_ptr<const CheckedBatch> numbers_;  // null: of a step
    const std::shared_ptr<const Batch> step_;

public:
    const Batch& batch;  // all sequences
    std::vector<JobOutput> outputs;
    Lane lane = Lane::kInteractive;
    // Jobs of one group are one flow in their lane: they are started in order, and share a place in the round
    // robin. Owner null: a flow of its own.
    struct Group {
        const void* owner = nullptr;
        int64_t number = 0;
    } group;
    bool is_grouped_with(const Job& other) const {
        return group.owner != nullptr && group.owner == other.group.owner &&
               group.number == other.group.number;
    }
    Clock::time_point deadline = Clock::time_point::max();
    std::function<void()> on_done;  // called once, on any thread, when every sequence is done or the job has
                                    // failed
    std::atomic<bool> cancelled{false};

    // Timings, for whoever asks: submitted, first batch started, last batch done.
    Clock::time_point submitted, started, finished;

    // The scheduler's, under its lock.
    int64_t next_sequence = 0;
    int running = 0;  // batches in flight
    bool failed = false;
    Failure error;
    // Where it waits (waiting_jobs.h); null once every sequence has started.
    Flow* flow = nullptr;
    std::list<JobPtr>::iterator place;

private:
    void add_output(int32_t value);
    void allocate_outputs(const Allocate& allocate);
};

}  // namespace bertha
