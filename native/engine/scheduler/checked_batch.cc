#include "engine/scheduler/checked_batch.h"

#include <algorithm>

#include "engine/check.h"

namespace bertha {
namespace {

long long ll(int64_t n) { return static_cast<long long>(n); }

}  // namespace

CheckedBatch::CheckedBatch(const Program& program, const JobInputs& given) : program_(program) {
    BERTHA_CHECK(
        given.inputs.size() == program.inputs.size() && given.offsets.size() == program.domains.size(),
        "INVALID_ARG", "expected %zu inputs and %zu domains, got %zu and %zu", program.inputs.size(),
        program.domains.size(), given.inputs.size(), given.offsets.size());
    const Numbers& tokens = given.offsets[kTokenDomain];
    BERTHA_CHECK(tokens.count > 0, "INVALID_ARG", "expected %s",
                 program.domains[kTokenDomain].offsets.c_str());
    batch_.batch_size = static_cast<int64_t>(tokens.count) - 1;
    kept_.reserve(program.domains.size() + program.inputs.size());
    batch_.domains.resize(program.domains.size());
    for (size_t i = 0; i < program.domains.size(); i++)
        add_offsets(static_cast<int32_t>(i), given.offsets[i]);
    for (size_t i = 0; i < program.inputs.size(); i++) add_input(static_cast<int32_t>(i), given.inputs[i]);
}

// The rows of one domain; those of pairs are counted where they are wanted.
void CheckedBatch::add_offsets(int32_t id, const Numbers& given) {
    const Domain& domain = program_.domains[static_cast<size_t>(id)];
    Batch::Rows& rows = batch_.domains[static_cast<size_t>(id)];
    if (domain.kind == DomainKind::kSequences) rows.count = batch_.batch_size;
    if (domain.kind == DomainKind::kConstant) rows.count = rows.longest = domain.max_rows;
    if (domain.kind != DomainKind::kPacked || given.count == 0) return;
    BERTHA_CHECK(static_cast<int64_t>(given.count) == batch_.batch_size + 1, "INVALID_ARG",
                 "expected %lld numbers for %s, got %zu", ll(batch_.batch_size + 1), domain.offsets.c_str(),
                 given.count);
    // Copied before it is checked: other threads may write to shared memory of JavaScript.
    const std::vector<int32_t>& offsets = kept_.emplace_back(given.data, given.data + given.count);
    BERTHA_CHECK(offsets.front() == 0 && std::is_sorted(offsets.begin(), offsets.end()), "INVALID_ARG",
                 "%s must rise from 0", domain.offsets.c_str());
    for (int64_t i = 0; i < batch_.batch_size; i++) {
        const int64_t length = offsets[static_cast<size_t>(i) + 1] - offsets[static_cast<size_t>(i)];
        BERTHA_CHECK(length >= domain.min_rows && length <= domain.max_rows, "INVALID_ARG",
                     "sequence %lld: expected %lld to %lld %s, got %lld", ll(i), ll(domain.min_rows),
                     ll(domain.max_rows), domain.name.c_str(), ll(length));
        rows.longest = std::max(rows.longest, length);
    }
    rows.count = offsets.back();
    rows.offsets = offsets.data();
}

void CheckedBatch::add_input(int32_t id, const Numbers& given) {
    const Input& input = program_.inputs[static_cast<size_t>(id)];
    const Batch::Rows& rows = batch_.rows(input.domain);
    batch_.inputs.push_back(nullptr);
    if (given.count == 0) return;
    BERTHA_CHECK(static_cast<int64_t>(given.count) == rows.count * input.width, "INVALID_ARG",
                 "expected %lld numbers for %s, got %zu", ll(rows.count * input.width), input.name.c_str(),
                 given.count);
    const auto is_zero = [](int32_t number) { return number == 0; };
    if (!input.is_required && std::all_of(given.data, given.data + given.count, is_zero)) return;
    std::vector<int32_t>& kept = kept_.emplace_back(given.data, given.data + given.count);
    const int64_t limit = input.limit == 0 ? int64_t{1} << 31 : input.limit;
    for (size_t i = 0; i < kept.size() && !input.is_float; i++)
        BERTHA_CHECK(kept[i] >= input.minimum && kept[i] < limit,
                     input.limit == 0 ? "INVALID_ARG" : "INVALID_IDS",
                     "%s %zu: expected %lld to %lld, got %d", input.name.c_str(), i, ll(input.minimum),
                     ll(limit - 1), kept[i]);
    batch_.inputs.back() = kept.data();
    if (input.points_into == kNoIndex) return;
    const int32_t* into = batch_.rows(input.points_into).offsets;
    for (int64_t i = 0; i < batch_.batch_size; i++) {
        const int32_t first = into != nullptr ? into[i] : 0,
                      length = into != nullptr ? into[i + 1] - first : 0;
        const bool is_packed = rows.offsets != nullptr;
        const int64_t begin = (is_packed ? rows.offsets[i] : i) * input.width;
        const int64_t end = (is_packed ? rows.offsets[i + 1] : i + 1) * input.width;
        for (auto at = kept.begin() + begin; at != kept.begin() + end; at++) {
            BERTHA_CHECK(*at < length, "INVALID_ARG", "%s: position %d lies outside its sequence of %d %s",
                         input.name.c_str(), *at, length,
                         program_.domains[static_cast<size_t>(input.points_into)].name.c_str());
            *at += first;
        }
    }
}

// What the ops that run take must be there.
void CheckedBatch::check_taken(const std::vector<int32_t>& wanted) const {
    const std::vector<bool> needed = needed_ops(program_, wanted);
    for (size_t i = 0; i < needed.size(); i++) {
        if (!needed[i]) continue;
        for_each_taken(program_.ops[i], [&](int32_t id) {
            const Input& input = program_.inputs[static_cast<size_t>(id)];
            BERTHA_CHECK(
                !input.is_required || batch_.input(id) != nullptr || batch_.rows(input.domain).count == 0,
                "INVALID_ARG", "expected %s, got none", input.name.c_str());
        });
    }
}

}  // namespace bertha
