#include "engine/scheduler/job.h"

#include <algorithm>

#include "engine/check.h"

namespace bertha {
Job::Job(std::shared_ptr<const Model> model_, const JobInputs& given, const Allocate& allocate)
    : model(std::move(model_)),
      numbers_(std::make_unique<const CheckedBatch>(program(), given)),
      batch(numbers_->view()) {
    for (int32_t value : given.wanted) add_output(value);
    numbers_->check_taken(given.wanted);
    allocate_outputs(allocate);
}

Job::Job(std::shared_ptr<const Model> model_, std::shared_ptr<const Batch> step, int32_t wanted)
    : model(std::move(model_)), step_(std::move(step)), batch(*step_) {
    add_output(wanted);
}

void Job::allocate_outputs(const Allocate& allocate) {
    for (JobOutput& output : outputs) {
        if (allocate) output.data = allocate(output.floats);
        if (output.data != nullptr) continue;
        output.memory = Buffer(static_cast<size_t>(output.floats) * sizeof(float));
        output.data = output.memory.floats();
    }
}

void Job::add_output(int32_t id) {
    const Program& program = this->program();
    BERTHA_CHECK(id >= 0 && static_cast<size_t>(id) < program.values.size(), "INVALID_ARG",
                 "the program has no value %d", id);
    const Domain& domain = program.domain_of(id);
    BERTHA_CHECK(domain.kind != DomainKind::kConstant, "INVALID_ARG",
                 "expected a value of the batch's rows, got %d, which is constant", id);
    JobOutput output;
    output.value = id;
    if (domain.kind == DomainKind::kPairs) {
        output.pairs_before.push_back(0);
        for (int64_t i = 0; i < sequences(); i++)
            output.pairs_before.push_back(output.pairs_before.back() + pairs_in(batch, domain, i));
    }
    output.floats = output_offset(output, sequences());
    outputs.push_back(std::move(output));
}

int64_t Job::output_offset(const JobOutput& output, int64_t sequence) const {
    const Value& value = program().value(output.value);
    switch (program().domain_of(output.value).kind) {
        case DomainKind::kSequences: return sequence * value.width;
        case DomainKind::kPairs: return output.pairs_before[static_cast<size_t>(sequence)] * value.width;
        case DomainKind::kConstant: return 0;
        case DomainKind::kPacked: break;
    }
    const int32_t* offsets = batch.rows(value.domain).offsets;
    return offsets != nullptr ? offsets[sequence] * value.width : 0;
}

bool Job::fits_with(const Job& other) const {
    if (&model->loaded() != &other.model->loaded() || model->max_threads() != other.model->max_threads())
        return false;
    if (outputs.size() != other.outputs.size() || is_step() != other.is_step()) return false;
    for (size_t i = 0; i < outputs.size(); i++)
        if (outputs[i].value != other.outputs[i].value) return false;
    return true;
}

}  // namespace bertha
