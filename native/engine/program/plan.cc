#include "engine/program/plan.h"

#include "engine/program/packer.h"

namespace bertha {

Plan make_plan(const Program& program) {
    Plan plan;
    plan.values.resize(program.values.size());
    const int32_t num_ops = static_cast<int32_t>(program.ops.size());
    std::vector<int32_t> segment_of(program.ops.size());
    for (int32_t i = 0; i < num_ops; i++) {
        const Op& op = program.ops[static_cast<size_t>(i)];
        const bool row_wise = is_row_wise(op);
        const int32_t domain = program.value(output_of(op)).domain;
        const bool joins = !plan.segments.empty() && row_wise && plan.segments.back().row_wise &&
                           plan.segments.back().domain == domain;
        if (!joins) plan.segments.push_back({i, i, row_wise, domain, 0});
        plan.segments.back().op_end = i + 1;
        segment_of[static_cast<size_t>(i)] = static_cast<int32_t>(plan.segments.size()) - 1;
    }

    const std::vector<int32_t> death = last_ops(program);
    std::vector<Packer> arena(program.domains.size(), Packer(kCacheLineFloats));
    std::vector<Packer> blocks(plan.segments.size(), Packer(kCacheLineFloats));
    for (int32_t i = 0; i < num_ops; i++) {
        const size_t value = static_cast<size_t>(output_of(program.ops[static_cast<size_t>(i)]));
        const size_t segment = static_cast<size_t>(segment_of[static_cast<size_t>(i)]);
        const size_t last_segment = static_cast<size_t>(segment_of[static_cast<size_t>(death[value])]);
        Placement& placement = plan.values[value];
        placement.internal = plan.segments[segment].row_wise && segment == last_segment;
        if (placement.internal) {
            placement.offset = blocks[segment].place(program.values[value].width, i, death[value]);
            plan.segments[segment].block_width = blocks[segment].width();
        } else {
            // Blocks of a segment interleave, so a value stays until its last reader's whole segment is done.
            placement.offset = arena[static_cast<size_t>(program.values[value].domain)].place(
                program.values[value].width, plan.segments[segment].op_begin,
                plan.segments[last_segment].op_end);
        }
    }
    for (const Packer& part : arena) plan.arena_width.push_back(part.width());
    return plan;
}

}  // namespace bertha
