#include "generation/generation_job.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "engine/check.h"
#include "engine/scheduler/scheduler.h"

namespace bertha::generation {
namespace {

std::atomic<int64_t> tokens{0};

int64_t hypotheses_of(const SearchSettings& settings) {
    return std::max(settings.num_beams, settings.num_return_sequences);
}

int64_t capacity_of(const TextRequest& request) {
    const auto prompt = static_cast<int64_t>(request.prompt.size());
    return prompt + hypotheses_of(request.settings) * (request.settings.max_length - prompt);
}

DecoderLayout checked_layout(const TextRequest& request) {
    const Program& program = request.model->program();
    DecoderLayout layout = decoder_layout(program, request.logits);
    const Domain& domain = program.domains[static_cast<size_t>(layout.domain)];
    BERTHA_CHECK(request.model->loaded().device() == "cpu", "DEVICE",
                 "text is generated on processors alone: expected a model on the device cpu, got %s",
                 request.model->loaded().device().c_str());
    BERTHA_CHECK(request.settings.max_length <= domain.max_rows, "MAX_LENGTH",
                 "expected at most %lld ids, prompt included, got a maxLength of %d",
                 static_cast<long long>(domain.max_rows), request.settings.max_length);
    BERTHA_CHECK(layout.cross_values.empty() == request.source.empty(), "INVALID_ARG",
                 layout.cross_values.empty() ? "expected no source for a decoder alone"
                                             : "expected a source for a decoder that reads one");
    return layout;
}

}  // namespace

int64_t generated_tokens() { return tokens.load(std::memory_order_relaxed); }

GenerationJob::GenerationJob(TextRequest request)
    : request_(std::move(request)),
      layout_(checked_layout(request_)),
      search_(request_.settings, request_.prompt, request_.source,
              request_.model->program().value(request_.logits).width),
      ticket_(std::make_shared<StateTicket>()),
      state_(layout_, capacity_of(request_)) {
    const Program& program = request_.model->program();
    for (const int32_t id : request_.prompt)
        BERTHA_CHECK(id >= 0 && id < program.inputs[static_cast<size_t>(layout_.ids)].limit, "INVALID_IDS",
                     "decoder id %d lies outside the vocabulary", id);
    ticket_->bytes = state_bytes();
    ticket_->lane = request_.lane;
    step_.domains.resize(program.domains.size());
    step_.inputs.resize(program.inputs.size(), nullptr);
}

// The rows of all hypotheses, and the source's keys and values.
int64_t GenerationJob::state_bytes() const {
    const auto source = static_cast<int64_t>(request_.source.size() * layout_.cross_values.size());
    return TextState::bytes(layout_, capacity_of(request_)) +
           source * layout_.width * static_cast<int64_t>(sizeof(float));
}

void GenerationJob::start(std::function<void()> on_tokens, std::function<void()> on_done) {
    submitted = started = Clock::now();
    on_tokens_ = std::move(on_tokens);
    on_done_ = std::move(on_done);
    // The ticket keeps the job until it has started or was taken out of the queue.
    ticket_->start = [self = shared_from_this()] { self->begin(); };
    try {
        StateBudget::instance().ask(ticket_);
    } catch (...) {
        ticket_->start = nullptr;
        throw;
    }
}

// Runs a part of the job; what it throws ends it.
template <typename Work>
void GenerationJob::guard(Work&& work) {
    const std::optional<Failure> failure = failure_of(work, "the system has no memory left for this text");
    if (failure) end(failure);
}

void GenerationJob::begin() {
    guard([&] {
        started = Clock::now();
        BERTHA_CHECK(started < request_.deadline, "DEADLINE",
                     "the deadline passed while the text waited for memory");
        state_.allocate();
        state_.begin(request_.prompt);
        layout_.cross_values.empty() ? run_prompt() : run_source();
    });
}

void GenerationJob::run_source() {
    JobInputs given;
    for (const auto& input : request_.source_inputs) given.inputs.push_back({input.data(), input.size()});
    for (const auto& each : request_.source_offsets) given.offsets.push_back({each.data(), each.size()});
    given.wanted = layout_.cross_values;
    // A layer may read the keys that another one reads.
    std::sort(given.wanted.begin(), given.wanted.end());
    given.wanted.erase(std::unique(given.wanted.begin(), given.wanted.end()), given.wanted.end());
    source_ = std::make_shared<Job>(request_.model, given);
    source_->deadline = request_.deadline;
    submit(source_, &GenerationJob::run_prompt);
}

// All ids of the prompt but the last one.
void GenerationJob::run_prompt() {
    if (source_ != nullptr) {
        std::vector<const float*> cross;
        for (const int32_t value : layout_.cross_values)
            for (const JobOutput& output : source_->outputs)
                if (output.value == value) cross.push_back(output.data);
        state_.set_source(std::move(cross), static_cast<int64_t>(request_.source.size()));
    }
    if (request_.prompt.size() == 1) return next_step();
    submit_rows(layout_.last_attention, &GenerationJob::next_step);
}

void GenerationJob::next_step() {
    if (search_.done()) return end(std::nullopt);
    state_.advance(search_.rows(), &search_);
    submit_rows(request_.logits, &GenerationJob::after_step);
}

void GenerationJob::after_step() {
    tokens.fetch_add(static_cast<int64_t>(search_.rows().size()), std::memory_order_relaxed);
    search_.step();
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        for (const size_t sequence : stopped_) search_.end(sequence, Finish::kStop);
        stopped_.clear();
    }
    if (!search_.done() && Clock::now() >= request_.deadline) search_.end_all(Finish::kDeadline);
    if (on_tokens_) {
        note_new_ids();
        on_tokens_();
    }
    next_step();
}

void GenerationJob::submit_rows(int32_t wanted, void (GenerationJob::*then)()) {
    const Program& program = request_.model->program();
    const auto rows = static_cast<int64_t>(state_.rows().size());
    step_offsets_.resize(static_cast<size_t>(rows) + 1);
    std::iota(step_offsets_.begin(), step_offsets_.end(), 0);
    step_.batch_size = rows;
    for (size_t i = 0; i < program.domains.size(); i++) {
        if (program.domains[i].kind == DomainKind::kSequences) step_.domains[i].count = rows;
        if (program.domains[i].kind == DomainKind::kConstant)
            step_.domains[i].count = step_.domains[i].longest = program.domains[i].max_rows;
    }
    step_.domains[static_cast<size_t>(layout_.domain)] = {step_offsets_.data(), rows, 1};
    step_.inputs[static_cast<size_t>(layout_.ids)] = state_.ids().data();
    step_.decoding = state_.rows().data();
    const std::shared_ptr<const Batch> batch(shared_from_this(), &step_);
    submit(std::make_shared<Job>(request_.model, batch, wanted), then);
}

void GenerationJob::submit(const JobPtr& job, void (GenerationJob::*then)()) {
    job->lane = request_.lane;
    job->on_done = [self = shared_from_this(), job = job.get(), then] {
        {
            const std::lock_guard<std::mutex> lock(self->mutex_);
            self->current_ = nullptr;
        }
        if (job->failed) return self->end(job->error);
        self->guard([&] { ((*self).*then)(); });
    };
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        current_ = job;
    }
    try {
        Scheduler::instance().submit(job);
    } catch (...) {
        job->on_done = nullptr;
        const std::lock_guard<std::mutex> lock(mutex_);
        current_ = nullptr;
        throw;
    }
    if (cancelled_.load()) Scheduler::instance().cancel(job);
}

void GenerationJob::cancel() {
    cancelled_.store(true);
    if (StateBudget::instance().remove(ticket_)) {
        const std::function<void()> kept = std::exchange(ticket_->start, nullptr);
        failure_ = Failure{"ABORTED", "the call was aborted"};
        finished = Clock::now();
        return on_done_();
    }
    JobPtr current;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        current = current_;
    }
    if (current != nullptr) Scheduler::instance().cancel(current);
}

void GenerationJob::stop(size_t sequence) {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_.push_back(sequence);
}

void GenerationJob::note_new_ids() {
    const std::lock_guard<std::mutex> lock(mutex_);
    const std::vector<Sequence>& sequences = search_.sequences();
    new_ids_.resize(sequences.size());
    known_.resize(sequences.size(), request_.prompt.size());
    for (size_t i = 0; i < sequences.size(); i++) {
        const Ids& ids = sequences[i].ids;
        new_ids_[i].insert(new_ids_[i].end(), ids.begin() + static_cast<std::ptrdiff_t>(known_[i]),
                           ids.end());
        known_[i] = ids.size();
    }
}

std::vector<Ids> GenerationJob::take_new_ids() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(new_ids_, {});
}

// Called once by whatever a job that has begun ends with.
void GenerationJob::end(std::optional<Failure> failure) {
    failure_ = std::move(failure);
    state_.release();
    source_ = nullptr;
    finished = Clock::now();
    StateBudget::instance().give_back(*ticket_);
    on_done_();
}

}  // namespace bertha::generation
