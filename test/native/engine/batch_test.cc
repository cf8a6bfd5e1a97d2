// Batches made of parts of jobs: every declared input and domain, copied or not.
#include <algorithm>

#include "fake_model.h"
#include "tests.h"

namespace bertha::test {
namespace {

// A job's inputs, sequence by sequence.
struct Sequence {
    std::vector<int32_t> ids, types, positions, targets;
    int32_t skip = 0;
};

Sequence random_sequence(Random& random, bool has_types, bool selects) {
    Sequence sequence;
    for (int32_t left = 1 + random.below(6); left > 0; left--) {
        sequence.ids.push_back(random.below(kVocab));
        sequence.types.push_back(has_types ? random.below(2) : 0);
    }
    for (int32_t left = selects ? random.below(3) : 0; left > 0; left--) {
        sequence.positions.push_back(random.below(static_cast<int32_t>(sequence.ids.size())));
        for (int32_t i = 0; i < kTargetsPerRow; i++) sequence.targets.push_back(random.below(kVocab));
    }
    sequence.skip = random.below(2);
    return sequence;
}

Numbers numbers(const std::vector<int32_t>& list) { return {list.data(), list.size()}; }

void append(std::vector<int32_t>& list, const std::vector<int32_t>& more) { list.insert(list.end(), more.begin(), more.end()); }

std::shared_ptr<const Model> fake_model_with_types() {
    Program program = *encoder();
    program.inputs[kTypeIds].limit = 2;
    return std::make_shared<const Model>(std::make_shared<const Program>(std::move(program)), std::make_shared<FakeModel>(), 1);
}

JobPtr job_of(const std::shared_ptr<const Model>& model, const std::vector<Sequence>& sequences, bool selects) {
    std::vector<int32_t> ids, types, skip, positions, targets, tokens{0}, selected{0};
    for (const Sequence& sequence : sequences) {
        append(ids, sequence.ids);
        append(types, sequence.types);
        append(positions, sequence.positions);
        append(targets, sequence.targets);
        skip.push_back(sequence.skip);
        tokens.push_back(static_cast<int32_t>(ids.size()));
        selected.push_back(static_cast<int32_t>(positions.size()));
    }
    JobInputs inputs;
    inputs.inputs = {numbers(ids), numbers(types), numbers(skip), numbers(positions), numbers(targets)};
    inputs.offsets.resize(model->program().domains.size());
    inputs.offsets[kTokens] = numbers(tokens);
    if (selects) inputs.offsets[kSelected] = numbers(selected);
    inputs.wanted = {kVectors};
    return std::make_shared<Job>(model, inputs);
}

// Whether an input holds these numbers; absent is all zeros.
bool holds(const Batch& batch, int32_t input, const std::vector<int32_t>& expected) {
    const int32_t* numbers = batch.input(input);
    for (size_t i = 0; i < expected.size(); i++)
        if ((numbers != nullptr ? numbers[i] : 0) != expected[i]) return false;
    return true;
}

void check_batch(const Batch& batch, const std::vector<Sequence>& sequences) {
    std::vector<int32_t> ids, types, skip, positions, targets;
    size_t longest = 0, pairs = 0, i = 0;
    for (const Sequence& sequence : sequences) {
        const auto first = static_cast<int32_t>(ids.size());
        EXPECT(batch.rows(kTokens).offsets[i] == first);
        if (batch.rows(kSelected).offsets != nullptr)
            EXPECT(batch.rows(kSelected).offsets[i] == static_cast<int32_t>(positions.size()));
        append(ids, sequence.ids);
        append(types, sequence.types);
        for (int32_t position : sequence.positions) positions.push_back(first + position);
        append(targets, sequence.targets);
        skip.push_back(sequence.skip);
        longest = std::max(longest, sequence.ids.size());
        pairs += sequence.ids.size() * sequence.ids.size();
        i++;
    }
    EXPECT(batch.batch_size == static_cast<int64_t>(sequences.size()) && batch.rows(kSequences).count == batch.batch_size);
    EXPECT(batch.tokens() == static_cast<int64_t>(ids.size()) && batch.rows(kTokens).offsets[i] == static_cast<int32_t>(ids.size()));
    EXPECT(batch.rows(kTokens).longest == static_cast<int64_t>(longest));
    EXPECT(batch.rows(kSelected).count == static_cast<int64_t>(positions.size()));
    EXPECT(batch.rows(kScores).count == static_cast<int64_t>(pairs));
    EXPECT(holds(batch, kIds, ids) && holds(batch, kTypeIds, types) && holds(batch, kSkip, skip));
    EXPECT(holds(batch, kPositions, positions) && holds(batch, kTargets, targets));
}

void parts_of_jobs_join_to_the_batch_of_their_sequences() {
    const auto model = fake_model_with_types();
    for (uint64_t seed = 1; seed <= 500; seed++) {
        Random random(seed);
        std::vector<JobPtr> jobs;
        std::vector<BatchPart> parts;
        std::vector<Sequence> expected;
        for (int32_t left = 1 + random.below(3); left > 0; left--) {
            const bool has_types = random.below(2) == 0, selects = random.below(2) == 0;
            std::vector<Sequence> sequences;
            for (int32_t i = 1 + random.below(5); i > 0; i--) sequences.push_back(random_sequence(random, has_types, selects));
            jobs.push_back(job_of(model, sequences, selects));
            const int32_t begin = random.below(static_cast<int32_t>(sequences.size()));
            const int32_t end = begin + 1 + random.below(static_cast<int32_t>(sequences.size()) - begin);
            parts.push_back({&jobs.back()->batch, begin, end});
            expected.insert(expected.end(), sequences.begin() + begin, sequences.begin() + end);
        }
        const JoinedBatch joined(model->program(), parts);
        check_batch(joined.view(), expected);
        // Parts of what was joined, as a device that is short of memory takes them.
        const auto middle = static_cast<int64_t>(expected.size()) / 2;
        if (middle == 0) continue;
        const JoinedBatch first(model->program(), {{&joined.view(), 0, middle}});
        check_batch(first.view(), {expected.begin(), expected.begin() + middle});
        const JoinedBatch rest(model->program(), {{&joined.view(), middle, joined.view().batch_size}});
        check_batch(rest.view(), {expected.begin() + middle, expected.end()});
    }
}

void a_batch_of_one_job_copies_nothing_of_it() {
    const auto model = fake_model_with_types();
    Random random(7);
    std::vector<Sequence> sequences;
    for (int i = 0; i < 4; i++) sequences.push_back(random_sequence(random, true, true));
    sequences[0].skip = 1;
    const JobPtr job = job_of(model, sequences, true);
    const JoinedBatch whole(model->program(), {{&job->batch, 0, 4}});
    EXPECT(whole.view().inputs == job->batch.inputs);
    EXPECT(whole.view().rows(kTokens).offsets == job->batch.rows(kTokens).offsets);
    const JoinedBatch part(model->program(), {{&job->batch, 1, 3}});
    EXPECT(part.view().input(kIds) == job->batch.input(kIds) + sequences[0].ids.size());
}

void zeros_do_not_travel() {
    const auto model = fake_model_with_types();
    Random random(8);
    Sequence sequence = random_sequence(random, false, false);
    sequence.skip = 0;
    sequence.ids.assign(sequence.ids.size(), 0);
    const JobPtr job = job_of(model, {sequence}, false);
    EXPECT(job->batch.input(kTypeIds) == nullptr && job->batch.input(kSkip) == nullptr);
    EXPECT(job->batch.input(kIds) != nullptr);
}

void numbers_that_do_not_fit_are_refused() {
    const auto model = fake_model_with_types();
    Random random(9);
    const auto code_of = [&](const std::function<void(Sequence&)>& change) -> std::string {
        Sequence sequence;
        do sequence = random_sequence(random, true, true);
        while (sequence.positions.empty());
        change(sequence);
        try {
            job_of(model, {random_sequence(random, true, true), sequence}, true);
            return "";
        } catch (const Error& error) {
            return error.code();
        }
    };
    EXPECT(code_of([](Sequence&) {}).empty());
    EXPECT(code_of([](Sequence& sequence) { sequence.ids[0] = kVocab; }) == "INVALID_IDS");
    EXPECT(code_of([](Sequence& sequence) { sequence.ids[0] = -1; }) == "INVALID_IDS");
    EXPECT(code_of([](Sequence& sequence) { sequence.types[0] = 2; }) == "INVALID_IDS");
    EXPECT(code_of([](Sequence& sequence) { sequence.types.push_back(1); }) == "INVALID_ARG");
    EXPECT(code_of([](Sequence& sequence) { sequence.skip = -1; }) == "INVALID_ARG");
    EXPECT(code_of([](Sequence& sequence) { sequence.positions[0] = static_cast<int32_t>(sequence.ids.size()); }) == "INVALID_ARG");
    EXPECT(code_of([](Sequence& sequence) { sequence.positions[0] = -1; }) == "INVALID_ARG");
    EXPECT(code_of([](Sequence& sequence) { sequence.targets[0] = kVocab; }) == "INVALID_IDS");
    EXPECT(code_of([](Sequence& sequence) { sequence.targets.pop_back(); }) == "INVALID_ARG");
    EXPECT(code_of([](Sequence& sequence) { sequence.ids.clear(); }) == "INVALID_ARG");
}

}  // namespace

std::vector<Test> batch_tests() {
    return {
        {"parts of jobs join to the batch of their sequences", parts_of_jobs_join_to_the_batch_of_their_sequences},
        {"a batch of one job copies nothing of it", a_batch_of_one_job_copies_nothing_of_it},
        {"zeros do not travel", zeros_do_not_travel},
        {"numbers that do not fit are refused", numbers_that_do_not_fit_are_refused},
    };
}

}  // namespace bertha::test
