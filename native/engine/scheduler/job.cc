#include "engine/scheduler/job.h"

#include <algorithm>

#include "engine/check.h"

namespace bertha {
namespace {

long long ll(int64_t n) { return static_cast<long long>(n); }

}  // namespace

Job::Job(std::shared_ptr<const Model> model_, const JobInputs& given, const Allocate& allocate)
    : model(std::move(model_)) {
    const Program& program = this->program();
    BERTHA_CHECK(
        given.inputs.size() == program.inputs.size() && given.offsets.size() == program.domains.size(),
        "INVALID_ARG", "expected %zu inputs and %zu domains, got %zu and %zu", program.inputs.size(),
        program.domains.size(), given.inputs.size(), given.offsets.size());
    const Numbers& tokens = given.offsets[kTokenDomain];
    BERTHA_CHECK(tokens.count > 0, "INVALID_ARG", "expected %s",
                 program.domains[kTokenDomain].offsets.c_str());
    batch.batch_size = static_cast<int64_t>(tokens.count) - 1;
    numbers_.reserve(program.domains.size() + program.inputs.size());
    batch.domains.resize(program.domains.size());
    for (size_t i = 0; i < program.domains.size(); i++)
        add_offsets(static_cast<int32_t>(i), given.offsets[i]);
    for (size_t i = 0; i < program.inputs.size(); i++) add_input(static_cast<int32_t>(i), given.inputs[i]);
    for (int32_t value : given.wanted) add_output(value);
    check_taken(given.wanted);
    for (JobOutput& output : outputs) {
        if (allocate) output.data = allocate(output.floats);
        if (output.data != nullptr) continue;
        output.memory = Buffer(static_cast<size_t>(output.floats) * sizeof(float));
        output.data = output.memory.floats();
    }
}

// The rows of one domain; those of pairs are counted where they are wanted.
void Job::add_offsets(int32_t id, const Numbers& given) {
    const Domain& domain = program().domains[static_cast<size_t>(id)];
    Batch::Rows& rows = batch.domains[static_cast<size_t>(id)];
    if (domain.kind == DomainKind::kSequences) rows.count = batch.batch_size;
    if (domain.kind != DomainKind::kPacked || given.count == 0) return;
    BERTHA_CHECK(static_cast<int64_t>(given.count) == sequences() + 1, "INVALID_ARG",
                 "expected %lld numbers for %s, got %zu", ll(sequences() + 1), domain.offsets.c_str(),
                 given.count);
    // Copied before it is checked: other threads may write to shared memory of JavaScript.
    const std::vector<int32_t>& offsets = numbers_.emplace_back(given.data, given.data + given.count);
    BERTHA_CHECK(offsets.front() == 0 && std::is_sorted(offsets.begin(), offsets.end()), "INVALID_ARG",
                 "%s must rise from 0", domain.offsets.c_str());
    for (int64_t i = 0; i < sequences(); i++) {
        const int64_t length = offsets[static_cast<size_t>(i) + 1] - offsets[static_cast<size_t>(i)];
        BERTHA_CHECK(length >= domain.min_rows && length <= domain.max_rows, "INVALID_ARG",
                     "sequence %lld: expected %lld to %lld %s, got %lld", ll(i), ll(domain.min_rows),
                     ll(domain.max_rows), domain.name.c_str(), ll(length));
        rows.longest = std::max(rows.longest, length);
    }
    rows.count = offsets.back();
    rows.offsets = offsets.data();
}

void Job::add_input(int32_t id, const Numbers& given) {
    const Input& input = program().inputs[static_cast<size_t>(id)];
    const Batch::Rows& rows = batch.rows(input.domain);
    batch.inputs.push_back(nullptr);
    if (given.count == 0) return;
    BERTHA_CHECK(static_cast<int64_t>(given.count) == rows.count * input.width, "INVALID_ARG",
                 "expected %lld numbers for %s, got %zu", ll(rows.count * input.width), input.name.c_str(),
                 given.count);
    const auto is_zero = [](int32_t number) { return number == 0; };
    if (!input.is_required && std::all_of(given.data, given.data + given.count, is_zero)) return;
    std::vector<int32_t>& kept = numbers_.emplace_back(given.data, given.data + given.count);
    const int64_t limit = input.limit == 0 ? int64_t{1} << 31 : input.limit;
    for (size_t i = 0; i < kept.size(); i++)
        // A number below 0 is a large one here.
        BERTHA_CHECK(static_cast<uint32_t>(kept[i]) < limit, input.limit == 0 ? "INVALID_ARG" : "INVALID_IDS",
                     "%s %zu: expected 0 to %lld, got %d", input.name.c_str(), i, ll(limit - 1), kept[i]);
    batch.inputs.back() = kept.data();
    if (input.points_into == kNoIndex) return;
    const int32_t* into = batch.rows(input.points_into).offsets;
    for (int64_t i = 0; i < sequences(); i++) {
        const int32_t first = into != nullptr ? into[i] : 0,
                      length = into != nullptr ? into[i + 1] - first : 0;
        const bool is_packed = rows.offsets != nullptr;
        const int64_t begin = (is_packed ? rows.offsets[i] : i) * input.width;
        const int64_t end = (is_packed ? rows.offsets[i + 1] : i + 1) * input.width;
        for (auto at = kept.begin() + begin; at != kept.begin() + end; at++) {
            BERTHA_CHECK(*at < length, "INVALID_ARG", "%s: position %d lies outside its sequence of %d %s",
                         input.name.c_str(), *at, length,
                         program().domains[static_cast<size_t>(input.points_into)].name.c_str());
            *at += first;
        }
    }
}

void Job::add_output(int32_t id) {
    const Program& program = this->program();
    BERTHA_CHECK(id >= 0 && static_cast<size_t>(id) < program.values.size(), "INVALID_ARG",
                 "the program has no value %d", id);
    const Domain& domain = program.domain_of(id);
    JobOutput output;
    output.value = id;
    if (domain.kind == DomainKind::kPairs) {
        const int32_t* offsets = batch.rows(domain.pairs_of).offsets;
        output.pairs_before.push_back(0);
        for (int64_t i = 0; i < sequences(); i++) {
            const int64_t length = offsets != nullptr ? offsets[i + 1] - offsets[i] : 0;
            output.pairs_before.push_back(output.pairs_before.back() + length * length);
        }
    }
    output.floats = output_offset(output, sequences());
    outputs.push_back(std::move(output));
}

// What the ops that run take must be there.
void Job::check_taken(const std::vector<int32_t>& wanted) const {
    const std::vector<bool> needed = needed_ops(program(), wanted);
    for (size_t i = 0; i < needed.size(); i++) {
        if (!needed[i]) continue;
        for_each_taken(program().ops[i], [&](int32_t id) {
            const Input& input = program().inputs[static_cast<size_t>(id)];
            BERTHA_CHECK(
                !input.is_required || batch.input(id) != nullptr || batch.rows(input.domain).count == 0,
                "INVALID_ARG", "expected %s, got none", input.name.c_str());
        });
    }
}

int64_t Job::output_offset(const JobOutput& output, int64_t sequence) const {
    const Value& value = program().value(output.value);
    switch (program().domain_of(output.value).kind) {
        case DomainKind::kSequences: return sequence * value.width;
        case DomainKind::kPairs: return output.pairs_before[static_cast<size_t>(sequence)] * value.width;
        case DomainKind::kPacked: break;
    }
    const int32_t* offsets = batch.rows(value.domain).offsets;
    return offsets != nullptr ? offsets[sequence] * value.width : 0;
}

bool Job::fits_with(const Job& other) const {
    if (&model->loaded() != &other.model->loaded() || model->max_threads() != other.model->max_threads())
        return false;
    if (outputs.size() != other.outputs.size()) return false;
    for (size_t i = 0; i < outputs.size(); i++)
        if (outputs[i].value != other.outputs[i].value) return false;
    return true;
}

}  // namespace bertha
