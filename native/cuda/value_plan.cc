#include "cuda/value_plan.h"

#include <algorithm>

#include "engine/check.h"
#include "engine/program/packer.h"

namespace bertha::cuda {
namespace {

// Bytes: rows are read 16 at a time, and a stride of 8 elements is a multiple of it.
constexpr int64_t kRowAlignment = 16;

// Ops that take fp32 rows only, and do not count as readers of what may stay fp32.
bool takes_only_floats(const Op& op) {
    return std::holds_alternative<ops::TopK>(op) || std::holds_alternative<ops::PickTargets>(op);
}

bool is_read(const Program& program, int32_t value) {
    return std::any_of(program.ops.begin(), program.ops.end(),
                       [&](const Op& op) { return !takes_only_floats(op) && reads(op, value); });
}

// The type of an op's output, given those of what it reads.
struct TypeOfOutput {
    const Program& program;
    const ValuePlan& plan;
    Type type;  // of token rows

    Type planned(int32_t value) const { return plan.values[static_cast<size_t>(value)].type; }

    Type operator()(const ops::Embed&) const { return type; }
    Type operator()(const ops::Linear& op) const {
        if (planned(op.input) == Type::kFloat || op.gated) return planned(op.input);
        if (op.residual != kNoIndex) return planned(op.residual);
        return is_read(program, op.output) ? planned(op.input) : Type::kFloat;
    }
    Type operator()(const ops::Attention& op) const { return planned(op.query); }
    Type operator()(const ops::LayerNorm& op) const { return planned(op.input); }
    Type operator()(const ops::ActivationOp& op) const { return planned(op.input); }
    Type operator()(const ops::Slice& op) const { return planned(op.input); }
    Type operator()(const ops::Unfold& op) const { return planned(op.input); }
    template <typename OnSingleRows>
    Type operator()(const OnSingleRows&) const {
        return Type::kFloat;
    }
};

void check_op(const ValuePlan& plan, const Op& op, size_t index) {
    const auto is_float = [&](int32_t value) {
        return plan.values[static_cast<size_t>(value)].type == Type::kFloat;
    };
    const auto* linear = std::get_if<ops::Linear>(&op);
    const auto* activated = std::get_if<ops::ActivationOp>(&op);
    const int32_t residual = linear != nullptr      ? linear->residual
                             : activated != nullptr ? activated->residual
                                                    : kNoIndex;
    if (residual != kNoIndex)
        BERTHA_CHECK(is_float(residual) == is_float(output_of(op)), "INVALID_PROGRAM",
                     "op %zu (%s): expected a residual of the output's precision", index, name_of(op));
    const auto* attention = std::get_if<ops::Attention>(&op);
    if (attention != nullptr)
        for (int32_t value : {attention->key, attention->value})
            BERTHA_CHECK(value == kNoIndex || plan.values[static_cast<size_t>(value)].type ==
                                                  plan.values[static_cast<size_t>(attention->query)].type,
                         "INVALID_PROGRAM",
                         "op %zu (attention): expected query, key and value of one precision", index);
    if (takes_only_floats(op))
        for_each_read(op, [&](int32_t value) {
            BERTHA_CHECK(is_float(value), "INVALID_PROGRAM", "op %zu (%s): expected fp32 rows", index,
                         name_of(op));
        });
}

struct Columns {
    int64_t width = 0;
    int32_t domain = 0;
    Type type = Type::kFloat;
};
// What an op works in beside its output, whose type is `type`.
Columns scratch_of(const Program& program, const Op& op, Type type) {
    if (const auto* pooled = std::get_if<ops::PoolLinear>(&op)) {
        const int64_t width = program.value(pooled->output).width;
        return {std::min<int64_t>(width, kPoolLinearColumns), program.value(pooled->input).domain,
                Type::kFloat};
    }
    const auto* attention = std::get_if<ops::Attention>(&op);
    if (attention == nullptr || attention->inverse_frequencies.empty()) return {};
    const Value& output = program.value(attention->output);
    return {2 * output.width, output.domain, type};
}

bool fits_next(const Program& program, size_t index) {
    if (index + 1 == program.ops.size()) return false;
    const Op &op = program.ops[index], &next = program.ops[index + 1];
    const int32_t output = output_of(op);
    const auto readers = std::count_if(program.ops.begin(), program.ops.end(),
                                       [&](const Op& reader) { return reads(reader, output); });
    if (!reads(next, output) || readers != 1) return false;
    const int64_t width = program.values[static_cast<size_t>(output)].width;
    if (std::holds_alternative<ops::Embed>(op))
        return std::holds_alternative<ops::LayerNorm>(next) && width <= kMaxEmbedNormWidth;
    return std::holds_alternative<ops::Pool>(op) && std::holds_alternative<ops::Normalize>(next) &&
           width <= kMaxPoolNormalizeWidth;
}

}  // namespace

ValuePlan plan_values(const Program& program, Type type) {
    ValuePlan plan;
    plan.values.resize(program.values.size());
    const std::vector<int32_t> death = last_ops(program);
    std::vector<Packer> parts(program.domains.size(), Packer(kRowAlignment));
    for (size_t i = 0; i < program.ops.size(); i++) {
        const Op& op = program.ops[i];
        const auto output = static_cast<size_t>(output_of(op));
        PlannedValue& planned = plan.values[output];
        planned.type = std::visit(TypeOfOutput{program, plan, type}, op);
        check_op(plan, op, i);
        plan.fits_next.push_back(fits_next(program, i));
        const auto place = [&](PlannedValue& rows, int64_t width, int32_t domain, int32_t last) {
            rows.stride = static_cast<int32_t>((width + 7) / 8 * 8);
            const int64_t bytes = rows.stride * bytes_of(rows.type);
            rows.offset = parts[static_cast<size_t>(domain)].place(bytes, static_cast<int32_t>(i), last);
        };
        place(planned, program.values[output].width, program.values[output].domain, death[output]);
        const Columns columns = scratch_of(program, op, planned.type);
        PlannedScratch& scratch = plan.scratch.emplace_back();
        scratch.rows.type = columns.type;
        scratch.domain = columns.domain;
        if (columns.width > 0) place(scratch.rows, columns.width, columns.domain, static_cast<int32_t>(i));
    }
    for (const Packer& part : parts) plan.row_bytes.push_back(part.width());
    return plan;
}

}  // namespace bertha::cuda
