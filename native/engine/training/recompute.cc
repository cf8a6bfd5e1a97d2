#include "engine/training/recompute.h"

#include <numeric>
#include <utility>

namespace bertha {
namespace {

size_t at(int32_t i) { return static_cast<size_t>(i); }

bool is_loss(const Op& op) {
    return std::visit([](const auto& each) { return ops::is_loss<std::decay_t<decltype(each)>>; }, op);
}

// By op: the value through which all that is computed up to it goes on, kNoIndex where there are more.
std::vector<int32_t> only_values(const Program& program, const std::vector<bool>& needed) {
    const auto ops = static_cast<int32_t>(program.ops.size());
    std::vector<int32_t> last_reader(program.values.size(), kNoIndex);
    for (int32_t i = 0; i < ops; i++)
        if (needed[at(i)])
            for_each_read(program.ops[at(i)], [&](int32_t value) { last_reader[at(value)] = i; });
    std::vector<int32_t> only(at(ops), kNoIndex);
    std::vector<int32_t> alive;
    for (int32_t i = 0; i < ops; i++) {
        if (!needed[at(i)]) continue;
        if (!is_constant(program, output_of(program.ops[at(i)])))
            alive.push_back(output_of(program.ops[at(i)]));
        std::vector<int32_t> still;
        for (const int32_t value : alive)
            if (last_reader[at(value)] > i) still.push_back(value);
        alive = std::move(still);
        if (alive.size() == 1) only[at(i)] = alive.front();
    }
    return only;
}

// Gives an op the values of a copy.
class CopyVisitor : public FieldVisitor {
public:
    CopyVisitor(Program& program, const std::vector<int32_t>& copies,
                std::vector<std::pair<int32_t, int32_t>>& made)
        : program_(program), copies_(copies), made_(made) {}
    void reads(const char*, int32_t& value, Need = Need::kRequired) const {
        if (value != kNoIndex) value = copies_[at(value)];
    }
    void writes(const char*, int32_t& value, Need = Need::kRequired) const { write(value); }
    void rare_writes(const char*, int32_t& value) const { write(value); }

private:
    void write(int32_t& value) const {
        if (value == kNoIndex) return;
        program_.values.push_back(Value(program_.value(value)));
        made_.emplace_back(value, static_cast<int32_t>(program_.values.size()) - 1);
        value = made_.back().second;
    }
    Program& program_;
    const std::vector<int32_t>& copies_;
    std::vector<std::pair<int32_t, int32_t>>& made_;
};

}  // namespace

std::vector<RecomputedOps> recomputed_layers(const Program& program, const std::vector<bool>& needed) {
    const std::vector<int32_t> only = only_values(program, needed);
    std::vector<RecomputedOps> layers;
    int32_t begin = 0, end = 0;  // the last place to cut is before op `end`
    for (int32_t i = 0; i < static_cast<int32_t>(program.ops.size()); i++) {
        if (needed[at(i)] && std::holds_alternative<ops::Attention>(program.ops[at(i)]) && end > begin) {
            layers.push_back({begin, end, only[at(end - 1)]});
            begin = end;
        }
        if (only[at(i)] != kNoIndex) end = i + 1;
    }
    return layers;
}

Copies append_copies(Program& program, const std::vector<bool>& needed,
                     const std::vector<RecomputedOps>& layers) {
    Copies copies;
    copies.op.resize(program.ops.size());
    copies.value.resize(program.values.size());
    std::iota(copies.op.begin(), copies.op.end(), 0);
    std::iota(copies.value.begin(), copies.value.end(), 0);
    for (const RecomputedOps& layer : layers)
        for (int32_t i = layer.begin; i < layer.end; i++) {
            if (!needed[at(i)] || is_loss(program.ops[at(i)])) continue;
            if (is_constant(program, output_of(program.ops[at(i)]))) continue;
            Op op = program.ops[at(i)];
            std::vector<std::pair<int32_t, int32_t>> made;
            CopyVisitor visitor(program, copies.value, made);
            visit_fields(op, visitor);
            // Who reads the kept output reads the one of the forward.
            for (const auto& [value, copy] : made)
                if (value != layer.output) copies.value[at(value)] = copy;
            copies.op[at(i)] = static_cast<int32_t>(program.ops.size());
            program.ops.push_back(std::move(op));
        }
    return copies;
}

}  // namespace bertha
