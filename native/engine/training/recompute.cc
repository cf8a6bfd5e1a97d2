#include "engine/training/recompute.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace bertha {
namespace {

size_t at(int32_t i) { return static_cast<size_t>(i); }

bool is_loss(const Op& op) {
    return std::visit([](const auto& each) { return ops::is_loss<std::decay_t<decltype(each)>>; }, op);
}

// Walks the ops with the values that are computed by then and read later.
class AliveValues {
public:
    AliveValues(const Program& program, const std::vector<bool>& needed)
        : program_(program), last_reader_(program.values.size(), kNoIndex) {
        for (int32_t i = 0; i < static_cast<int32_t>(program.ops.size()); i++)
            if (needed[at(i)])
                for_each_read(program.ops[at(i)], [&](int32_t value) { last_reader_[at(value)] = i; });
    }

    // Op i, a needed one, is computed.
    void pass(int32_t i) {
        const int32_t output = output_of(program_.ops[at(i)]);
        if (!is_constant(program_, output)) alive_.push_back(output);
        std::vector<int32_t> still;
        for (const int32_t value : alive_)
            if (last_reader_[at(value)] > i) still.push_back(value);
        alive_ = std::move(still);
    }
    // The only one that is not kept anyway; kNoIndex where there are more, or none.
    int32_t only_one(const std::vector<int32_t>& kept) const {
        int32_t only = kNoIndex;
        for (const int32_t value : alive_) {
            if (std::find(kept.begin(), kept.end(), value) != kept.end()) continue;
            if (only != kNoIndex) return kNoIndex;
            only = value;
        }
        return only;
    }

private:
    const Program& program_;
    std::vector<int32_t> last_reader_;  // by value
    std::vector<int32_t> alive_;
};

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
    AliveValues alive(program, needed);
    std::vector<int32_t> kept;  // outputs of layers: what an encoder gives to all layers of a decoder is one
    std::vector<RecomputedOps> layers;
    RecomputedOps layer;  // up to the last place to cut
    for (int32_t i = 0; i < static_cast<int32_t>(program.ops.size()); i++) {
        if (!needed[at(i)]) continue;
        if (std::holds_alternative<ops::Attention>(program.ops[at(i)]) && layer.end > layer.begin) {
            layers.push_back(layer);
            kept.push_back(layer.output);
            layer.begin = layer.end;
        }
        alive.pass(i);
        const int32_t only = alive.only_one(kept);
        if (only == kNoIndex) continue;
        layer.end = i + 1;
        layer.output = only;
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
