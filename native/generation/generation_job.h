// One text being generated: its source pass, its prompt, then a step a token, each a job of the scheduler,
// which puts the steps of all texts of a model into one batch.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "engine/scheduler/job.h"
#include "generation/search.h"
#include "generation/state_budget.h"
#include "generation/text_state.h"

namespace bertha::generation {

struct TextRequest {
    std::shared_ptr<const Model> model;
    int32_t logits = kNoIndex;  // a value of the decoder's rows
    SearchSettings settings;
    Ids prompt;
    // Of the source, by Program::inputs and domains; all empty for a decoder alone.
    std::vector<std::vector<int32_t>> source_inputs, source_offsets;
    Ids source;
    Priority lane = Priority::kInteractive;
    Clock::time_point deadline = Clock::time_point::max();
};

class GenerationJob : public std::enable_shared_from_this<GenerationJob> {
public:
    // Throws INVALID_PROGRAM, INVALID_IDS, MAX_LENGTH, INVALID_ARG, DEVICE.
    explicit GenerationJob(TextRequest request);
    GenerationJob(const GenerationJob&) = delete;
    GenerationJob& operator=(const GenerationJob&) = delete;

    // on_tokens: after each step without beams, on any thread; may be empty. on_done: once, on any thread.
    // Throws INPUT_TOO_LARGE for a state that never fits.
    void start(std::function<void()> on_tokens, std::function<void()> on_done);
    // Any thread: the job ends with ABORTED.
    void cancel();
    // Any thread: a sequence has met what stops it; it ends with the next step.
    void stop(size_t sequence);

    // Any thread: the ids that each sequence has got since the last call.
    std::vector<Ids> take_new_ids();

    // Once it is done.
    const std::optional<Failure>& failure() const { return failure_; }
    const std::vector<Sequence>& sequences() const { return search_.sequences(); }
    Clock::time_point submitted, started, finished;

private:
    int64_t state_bytes() const;
    void begin();
    void run_source();
    void run_prompt();
    void next_step();
    void after_step();
    void submit_rows(int32_t wanted, void (GenerationJob::*then)());
    void submit(const JobPtr& job, void (GenerationJob::*then)());
    template <typename Work>
    void guard(Work&& work);
    void note_new_ids();
    void end(std::optional<Failure> failure);

    const TextRequest request_;
    const DecoderLayout layout_;
    Search search_;
    const TicketPtr ticket_;
    TextState state_;
    JobPtr source_;  // its outputs are the keys and values of the source
    Batch step_;
    std::vector<int32_t> step_offsets_;
    std::function<void()> on_tokens_, on_done_;
    std::optional<Failure> failure_;
    std::atomic<bool> cancelled_{false};

    std::mutex mutex_;
    JobPtr current_;  // in the scheduler
    std::vector<size_t> stopped_;
    std::vector<Ids> new_ids_;
    std::vector<size_t> known_;  // ids of each sequence that new_ids_ had
};

// Tokens that steps of the process have given so far.
int64_t generated_tokens();

}  // namespace bertha::generation
