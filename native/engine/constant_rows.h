// The part of a program that no batch changes: the ops of constant rows, which every backend runs once at
// load.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/backend.h"
#include "engine/batch.h"
#include "engine/program/program.h"

namespace bertha {

// The program with the ops of constant rows alone, or without them.
inline Program with_constant_ops(Program program, bool constant) {
    std::vector<Op> ops;
    for (Op& op : program.ops)
        if (is_constant(program, output_of(op)) == constant) ops.push_back(std::move(op));
    program.ops = std::move(ops);
    return program;
}

// The constants that ops of other rows read, each once.
inline std::vector<int32_t> kept_constants(const Program& program) {
    std::vector<int32_t> kept;
    for (const Op& op : program.ops) {
        if (is_constant(program, output_of(op))) continue;
        for_each_read(op, [&](int32_t value) {
            const bool known = std::find(kept.begin(), kept.end(), value) != kept.end();
            if (is_constant(program, value) && !known) kept.push_back(value);
        });
    }
    return kept;
}

inline size_t constant_floats(const Program& program, int32_t value) {
    return static_cast<size_t>(program.domain_of(value).max_rows * program.value(value).width);
}

// No sequences, and all constant rows.
inline Batch batch_of_constants(const Program& program) {
    Batch batch;
    batch.inputs.resize(program.inputs.size());
    for (const Domain& domain : program.domains) {
        const int64_t count = domain.kind == DomainKind::kConstant ? domain.max_rows : 0;
        batch.domains.push_back({nullptr, count, count});
    }
    return batch;
}

// Nothing else waits while a model is loaded.
class LoadControl final : public Control {
public:
    void at_op_boundary() override {}
    bool cancelled() const override { return false; }
};

}  // namespace bertha
