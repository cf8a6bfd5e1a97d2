// What the tests' programs have in common: the domains and inputs that src/models/program/program.ts declares, and batches of them.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "engine/batch.h"
#include "engine/program/program.h"

namespace bertha::test {

// Domains.
constexpr int32_t kTokens = kTokenDomain, kSequences = 1, kSelected = 2, kScores = 3;
// Inputs.
constexpr int32_t kIds = 0, kTypeIds = 1, kSkip = 2, kPositions = 3, kTargets = 4;

inline Program text_program(int64_t vocab_size, int64_t type_vocab_size, int64_t max_seq_len) {
    Program program;
    program.domains = {{"tokens", DomainKind::kPacked, "cuSeqlens", kNoIndex, 1, max_seq_len},
                       {"sequences", DomainKind::kSequences, "", kNoIndex, 0, 0},
                       {"selected", DomainKind::kPacked, "cuSelected", kNoIndex, 0, 1 << 20},
                       {"scores", DomainKind::kPairs, "", kTokens, 0, 0}};
    program.inputs = {{"inputIds", kTokens, 1, vocab_size, kNoIndex, 0, false, true},
                      {"tokenTypeIds", kTokens, 1, std::max<int64_t>(1, type_vocab_size), kNoIndex, 0, false, false},
                      {"poolSkip", kSequences, 1, 0, kNoIndex, 0, false, false},
                      {"selected", kSelected, 1, 0, kTokens, 0, false, true},
                      {"targets", kSelected, kTargetsPerRow, vocab_size, kNoIndex, 0, false, true}};
    return program;
}

// A batch of sequences whose tokens begin at `offsets`, with the inputs of those names.
inline Batch batch_for(const Program& program, const std::map<std::string, const int32_t*>& inputs, const std::vector<int32_t>& offsets) {
    Batch batch;
    batch.batch_size = static_cast<int64_t>(offsets.size()) - 1;
    batch.domains.resize(program.domains.size());
    Batch::Rows& tokens = batch.domains[kTokens];
    tokens.offsets = offsets.data();
    tokens.count = offsets.back();
    for (size_t i = 0; i < program.domains.size(); i++)
        if (program.domains[i].kind == DomainKind::kSequences) batch.domains[i].count = batch.batch_size;
    for (size_t i = 1; i < offsets.size(); i++) {
        const int64_t length = offsets[i] - offsets[i - 1];
        tokens.longest = std::max(tokens.longest, length);
        batch.domains[kScores].count += length * length;
    }
    for (const Input& input : program.inputs) {
        const auto found = inputs.find(input.name);
        batch.inputs.push_back(found == inputs.end() ? nullptr : found->second);
    }
    return batch;
}

}  // namespace bertha::test
