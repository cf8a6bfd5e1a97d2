#include "engine/scheduler/job.h"

#include <algorithm>

#include "engine/check.h"

namespace bertha {
namespace {

long long ll(int64_t n) { return static_cast<long long>(n); }

void check_offsets(const std::vector<int32_t>& offsets, size_t end, const char* name) {
    BERTHA_CHECK(!offsets.empty() && offsets.front() == 0 && std::is_sorted(offsets.begin(), offsets.end()) &&
                     static_cast<size_t>(offsets.back()) == end,
                 "INVALID_ARG", "%s must rise from 0 to %zu", name, end);
}

}  // namespace

Job::Job(std::shared_ptr<const Model> model_, JobInputs inputs, const Allocate& allocate)
    : model(std::move(model_)),
      input_ids(std::move(inputs.input_ids)),
      token_type_ids(std::move(inputs.token_type_ids)),
      cu_seqlens(std::move(inputs.cu_seqlens)),
      pool_skip(std::move(inputs.pool_skip)),
      selected(std::move(inputs.selected)),
      cu_selected(std::move(inputs.cu_selected)),
      targets(std::move(inputs.targets)) {
    const Program& program = model->program();
    check_offsets(cu_seqlens, input_ids.size(), "cu_seqlens");
    BERTHA_CHECK(token_type_ids.size() == input_ids.size(), "INVALID_ARG",
                 "expected %zu token types, got %zu", input_ids.size(), token_type_ids.size());
    for (int64_t i = 0; i < sequences(); i++)
        BERTHA_CHECK(seq_len(i) >= 1 && seq_len(i) <= program.max_seq_len, "INVALID_ARG",
                     "sequence %lld: expected 1 to %lld tokens, got %d", ll(i), ll(program.max_seq_len),
                     seq_len(i));
    for (size_t i = 0; i < input_ids.size(); i++) {
        BERTHA_CHECK(input_ids[i] >= 0 && input_ids[i] < program.vocab_size, "INVALID_IDS",
                     "token %zu: expected an id from 0 to %lld, got %d", i, ll(program.vocab_size - 1),
                     input_ids[i]);
        BERTHA_CHECK(
            token_type_ids[i] >= 0 && token_type_ids[i] < std::max<int64_t>(1, program.type_vocab_size),
            "INVALID_IDS", "token %zu: expected a token type from 0 to %lld, got %d", i,
            ll(std::max<int64_t>(1, program.type_vocab_size) - 1), token_type_ids[i]);
    }
    BERTHA_CHECK(pool_skip.empty() || static_cast<int64_t>(pool_skip.size()) == sequences(), "INVALID_ARG",
                 "expected a pool_skip for each of %lld sequences, got %zu", ll(sequences()),
                 pool_skip.size());
    for (int32_t skip : pool_skip)
        BERTHA_CHECK(skip >= 0, "INVALID_ARG", "expected a pool_skip of at least 0, got %d", skip);
    if (!cu_selected.empty() || !selected.empty()) {
        BERTHA_CHECK(static_cast<int64_t>(cu_selected.size()) == sequences() + 1, "INVALID_ARG",
                     "expected %lld entries in cu_selected, got %zu", ll(sequences() + 1),
                     cu_selected.size());
        check_offsets(cu_selected, selected.size(), "cu_selected");
        for (int64_t i = 0; i < sequences(); i++)
            for (int32_t at = cu_selected[static_cast<size_t>(i)];
                 at < cu_selected[static_cast<size_t>(i) + 1]; at++)
                BERTHA_CHECK(
                    selected[static_cast<size_t>(at)] >= 0 && selected[static_cast<size_t>(at)] < seq_len(i),
                    "INVALID_ARG", "selected position %d lies outside its sequence of %d tokens",
                    selected[static_cast<size_t>(at)], seq_len(i));
    }
    BERTHA_CHECK(targets.empty() || targets.size() == selected.size() * kTargetsPerRow, "INVALID_ARG",
                 "expected %d targets for each of %zu selected positions, got %zu", kTargetsPerRow,
                 selected.size(), targets.size());
    for (int32_t target : targets)
        BERTHA_CHECK(target >= 0 && target < program.vocab_size, "INVALID_IDS",
                     "expected a target from 0 to %lld, got %d", ll(program.vocab_size - 1), target);
    for (int32_t id : inputs.wanted) {
        BERTHA_CHECK(id >= 0 && static_cast<size_t>(id) < program.values.size(), "INVALID_ARG",
                     "the program has no value %d", id);
        const Value& value = program.values[static_cast<size_t>(id)];
        JobOutput output;
        output.value = id;
        if (value.rows == Rows::kScores) {
            output.scores_begin.push_back(0);
            for (int64_t i = 0; i < sequences(); i++)
                output.scores_begin.push_back(output.scores_begin.back() +
                                              value.width * seq_len(i) * seq_len(i));
        }
        output.floats = output_offset(output, sequences());
        outputs.push_back(std::move(output));
    }
    const std::vector<bool> needed = needed_ops(program, inputs.wanted);
    for (size_t i = 0; i < needed.size(); i++)
        BERTHA_CHECK(!needed[i] || !std::holds_alternative<ops::PickTargets>(program.ops[i]) ||
                         targets.size() == selected.size() * kTargetsPerRow,
                     "INVALID_ARG", "expected targets for the selected positions, got none");
    for (JobOutput& output : outputs) {
        if (allocate) output.data = allocate(output.floats);
        if (output.data != nullptr) continue;
        output.memory = Buffer(static_cast<size_t>(output.floats) * sizeof(float));
        output.data = output.memory.floats();
    }
}

int64_t Job::output_offset(const JobOutput& output, int64_t sequence) const {
    const Value& value = model->program().values[static_cast<size_t>(output.value)];
    const size_t i = static_cast<size_t>(sequence);
    switch (value.rows) {
        case Rows::kTokens: return cu_seqlens[i] * value.width;
        case Rows::kSequences: return sequence * value.width;
        case Rows::kSelected: return cu_selected.empty() ? 0 : cu_selected[i] * value.width;
        case Rows::kScores: return output.scores_begin[i];
    }
    return 0;
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
