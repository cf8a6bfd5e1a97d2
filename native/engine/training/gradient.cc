#include "engine/training/gradient.h"

#include <algorithm>
#include <type_traits>

#include "engine/check.h"
#include "engine/program/packer.h"
#include "engine/program/split_gates.h"
#include "engine/training/recompute.h"

namespace bertha {
namespace {

class Differentiation {
public:
    Differentiation(const Program& program, const std::vector<bool>& trainable, bool recompute)
        : trainable_(trainable) {
        plan_.program = split_gates(program);
        plan_.passes_gradient.resize(program.weights.size(), false);
        find_losses();
        find_active();
        save_inner_values();
        if (recompute) layers_ = recomputed_layers(program_(), needed_);
        num_ops_ = count_of(program_().ops);
        copies_ = append_copies(plan_.program, needed_, layers_);
        for (const Value& value : program_().values) add_slot(value.domain, value.width);
    }

    TrainingPlan finish() {
        for (int32_t i = 0; i < num_ops_; i++)
            if (needed_[at(i)]) plan_.steps.push_back({StepKind::kForward, i});
        plan_.forward_steps = count_of(plan_.steps);
        grad_.assign(program_().values.size(), kNoIndex);
        waiting_.resize(program_().values.size());
        int32_t end = num_ops_;
        for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) {
            go_back(layer->end, end);
            const int32_t first = count_of(plan_.steps);
            go_back(layer->begin, layer->end);
            compute_again(*layer, first);
            end = layer->begin;
        }
        go_back(0, end);
        note_lifetimes();
        place();
        return std::move(plan_);
    }

private:
    static size_t at(int32_t i) { return static_cast<size_t>(i); }
    template <typename List>
    static int32_t count_of(const List& list) {
        return static_cast<int32_t>(list.size());
    }
    const Program& program_() const { return plan_.program; }
    bool learns(int32_t weight) const { return weight != kNoIndex && trainable_[at(weight)]; }
    bool is_active(int32_t value) const { return value != kNoIndex && active_[at(value)]; }

    void find_losses() {
        std::vector<int32_t> wanted;
        for (int32_t i = 0; i < count_of(program_().ops); i++) {
            std::visit(
                [&](const auto& op) {
                    if constexpr (ops::is_loss<std::decay_t<decltype(op)>>) {
                        plan_.losses.push_back(i);
                        wanted.push_back(op.output);
                    }
                },
                program_().ops[at(i)]);
        }
        BERTHA_CHECK(!wanted.empty(), "INVALID_PROGRAM", "expected a program with a loss, got none");
        needed_ = needed_ops(program_(), wanted);
    }

    // The values that depend on something that learns.
    void find_active() {
        active_.assign(program_().values.size(), false);
        bool any = false;
        for (int32_t i = 0; i < count_of(program_().ops); i++) {
            const Op& op = program_().ops[at(i)];
            if (!needed_[at(i)]) continue;
            bool active = false;
            for_each_weight(op, [&](int32_t weight) { active = active || learns(weight); });
            for_each_read(op, [&](int32_t value) { active = active || is_active(value); });
            active_[at(output_of(op))] = active;
            any = any || active;
        }
        BERTHA_CHECK(any, "INVALID_PROGRAM", "expected a weight that learns on the way to a loss, got none");
    }

    // What is activated, and the logarithms of attention's sums.
    void save_inner_values() {
        Program& program = plan_.program;
        const auto add_value = [&](int32_t domain, int64_t width) {
            program.values.push_back({domain, width});
            active_.push_back(false);
            return count_of(program.values) - 1;
        };
        for (size_t i = 0; i < program.ops.size(); i++) {
            if (!needed_[i]) continue;
            if (auto* linear = std::get_if<ops::Linear>(&program.ops[i])) {
                if (linear->activation == Activation::kNone || !is_active(linear->output)) continue;
                if (linear->pre_activation != kNoIndex) continue;
                const Value output = program.value(linear->output);
                linear->pre_activation = add_value(output.domain, output.width);
            } else if (auto* attention = std::get_if<ops::Attention>(&program.ops[i])) {
                BERTHA_CHECK(attention->key_counts == kNoIndex, "INVALID_PROGRAM",
                             "op %zu: expected an attention to all rows of a text, for learning", i);
                if (attention->row_lse != kNoIndex) continue;
                const int32_t domain = program.value(attention->output).domain;
                attention->row_lse = add_value(domain, attention->num_heads);
            }
        }
    }

    int32_t add_slot(int32_t domain, int64_t width) {
        plan_.slots.push_back({domain, width});
        return count_of(plan_.slots) - 1;
    }
    int32_t slot_like(int32_t slot) {
        const Slot other = plan_.slots[at(slot)];
        return add_slot(other.domain, other.width);
    }
    // `op` and a value for `saved` are those of the forward.
    void step(StepKind kind, int32_t op, int32_t grad, int32_t out = kNoIndex, int32_t add = kNoIndex,
              int32_t saved = kNoIndex) {
        if (saved != kNoIndex && at(saved) < copies_.value.size()) saved = copies_.value[at(saved)];
        plan_.steps.push_back({kind, copies_.op[at(op)], grad, out, add, saved});
    }

    // The backward of ops begin .. end.
    void go_back(int32_t begin, int32_t end) {
        for (int32_t i = end - 1; i >= begin; i--)
            if (needed_[at(i)]) std::visit([&](const auto& op) { visit(i, op); }, program_().ops[at(i)]);
    }

    // Puts in front of the steps from `first` on, a layer's backward, what computes the values that they
    // read.
    void compute_again(const RecomputedOps& layer, int32_t first) {
        std::vector<bool> is_read(plan_.slots.size(), false);
        const auto read = [&](int32_t slot) { is_read[at(slot)] = true; };
        for (int32_t i = first; i < count_of(plan_.steps); i++) for_each_used(plan_.steps[at(i)], read);
        std::vector<Step> again;
        for (int32_t i = layer.end - 1; i >= layer.begin; i--) {
            const int32_t copy = copies_.op[at(i)];
            if (copy == i) continue;
            bool wanted = false;
            for_each_computed(program_().ops[at(copy)],
                              [&](int32_t slot) { wanted = wanted || is_read[at(slot)]; });
            if (!wanted) continue;
            again.push_back({StepKind::kForward, copy});
            for_each_read(program_().ops[at(copy)], read);
        }
        plan_.steps.insert(plan_.steps.begin() + first, again.rbegin(), again.rend());
    }

    // `slot` holds one reader's part of a value's gradient.
    void contribute(int32_t op, int32_t value, int32_t slot) {
        if (!is_active(value)) return;
        int32_t& grad = grad_[at(value)];
        if (grad != kNoIndex) {
            const int32_t sum = slot_like(slot);
            step(StepKind::kAdd, op, grad, sum, slot);
            slot = sum;
        }
        grad = slot;
    }
    // A step that writes the gradient of an op's input, and adds what others gave to it.
    int32_t pass_on(StepKind kind, int32_t op, int32_t grad, int32_t input, int32_t saved = kNoIndex) {
        const int32_t out = slot_like(input);
        step(kind, op, grad, out, grad_[at(input)], saved);
        if (is_active(input)) grad_[at(input)] = out;
        return out;
    }

    // The activation of a linear that feeds other linears alone is computed again, beside its derivative.
    bool is_recomputed(int32_t value) const {
        const ops::Linear* writer = nullptr;
        for (size_t i = 0; i < needed_.size(); i++) {
            if (!needed_[i]) continue;
            const Op& op = program_().ops[i];
            if (output_of(op) == value) writer = std::get_if<ops::Linear>(&op);
            const auto* reader = std::get_if<ops::Linear>(&op);
            if (reads(op, value) && (reader == nullptr || reader->residual == value)) return false;
        }
        return writer != nullptr && writer->pre_activation != kNoIndex && writer->dropout == 0.0f &&
               writer->residual == kNoIndex;
    }

    template <typename T>
    void visit(int32_t i, const T& op) {
        if constexpr (ops::is_loss<T>) {
            contribute(i, reads_of_loss(program_().ops[at(i)]), op.output);
        } else {
            const int32_t grad = grad_[at(op.output)];
            if (grad != kNoIndex) backward(i, op, grad);
        }
    }
    static int32_t reads_of_loss(const Op& op) {
        int32_t value = kNoIndex;
        for_each_read(op, [&](int32_t each) { value = each; });
        return value;
    }

    void backward(int32_t i, const ops::Linear& op, int32_t grad) {
        int32_t branch = grad;
        const auto replace = [&](StepKind kind, int32_t saved = kNoIndex) {
            const int32_t out = slot_like(branch);
            step(kind, i, branch, out, kNoIndex, saved);
            branch = out;
        };
        if (op.dropout > 0.0f) replace(StepKind::kDropoutGrad);
        if (op.activation != Activation::kNone) {
            std::vector<Waiting>& waiting = waiting_[at(op.output)];
            const int32_t again = waiting.empty() ? kNoIndex : slot_like(op.output);
            replace(StepKind::kActivationGrad, again);
            for (const Waiting& each : waiting)
                step(StepKind::kMatrixGrad, each.op, each.grad, kNoIndex, kNoIndex, again);
        }
        if (learns(op.bias)) step(StepKind::kBiasGrad, i, branch);
        if (op.scale != 1.0f && (is_active(op.input) || learns(op.matrix))) replace(StepKind::kScaleGrad);
        if (op.residual != kNoIndex) contribute(i, op.residual, grad);
        if (is_active(op.input)) {
            plan_.passes_gradient[at(op.matrix)] = true;
            pass_on(StepKind::kInputGrad, i, branch, op.input);
        }
        if (!learns(op.matrix)) return;
        if (is_active(op.input) && is_recomputed(op.input))
            waiting_[at(op.input)].push_back({i, branch});
        else
            step(StepKind::kMatrixGrad, i, branch, kNoIndex, kNoIndex, op.input);
    }

    void backward(int32_t i, const ops::Attention& op, int32_t grad) {
        const bool is_separate = op.key != kNoIndex;
        const int32_t out = slot_like(op.query);
        const auto slot_of = [&](int32_t table) { return is_active(table) ? slot_like(table) : kNoIndex; };
        const int32_t content = slot_of(op.content_to_position), position = slot_of(op.position_to_content);
        step(StepKind::kAttentionGrad, i, grad, out, content, position);
        contribute(i, op.query, out);
        if (is_separate) {
            Step& attention = plan_.steps.back();
            const int32_t key = attention.key = slot_like(op.key);
            const int32_t value = attention.value = slot_like(op.value);
            contribute(i, op.key, key);
            contribute(i, op.value, value);
        }
        if (content != kNoIndex) contribute(i, op.content_to_position, content);
        if (position != kNoIndex) contribute(i, op.position_to_content, position);
    }

    void backward(int32_t i, const ops::LayerNorm& op, int32_t grad) {
        const int32_t stats = add_slot(program_().value(op.output).domain, kSavedOfNorm);
        pass_on(StepKind::kLayerNormGrad, i, grad, op.input, stats);
        if (learns(op.weight) || learns(op.bias))
            step(StepKind::kLayerNormWeightGrad, i, grad, kNoIndex, kNoIndex, stats);
    }

    void backward(int32_t i, const ops::Constant& op, int32_t grad) {
        if (learns(op.table)) step(StepKind::kConstantGrad, i, grad);
    }
    void backward(int32_t i, const ops::Embed& op, int32_t grad) {
        if (learns(op.word) || learns(op.position) || learns(op.type)) step(StepKind::kEmbedGrad, i, grad);
    }
    void backward(int32_t i, const ops::ActivationOp& op, int32_t grad) {
        if (op.residual != kNoIndex) contribute(i, op.residual, grad);
        spread(StepKind::kActivationGrad, i, grad, op.input);
    }
    void backward(int32_t i, const ops::Dropout& op, int32_t grad) {
        spread(StepKind::kDropoutGrad, i, grad, op.input);
    }
    void backward(int32_t i, const ops::GatherRows& op, int32_t grad) {
        spread(StepKind::kGatherGrad, i, grad, op.input);
    }
    void backward(int32_t i, const ops::Pool& op, int32_t grad) {
        spread(StepKind::kPoolGrad, i, grad, op.input);
    }
    void backward(int32_t i, const ops::Normalize& op, int32_t grad) {
        spread(StepKind::kNormalizeGrad, i, grad, op.input);
    }
    void backward(int32_t i, const ops::Unfold& op, int32_t grad) {
        spread(StepKind::kUnfoldGrad, i, grad, op.input);
    }
    void backward(int32_t i, const ops::Slice& op, int32_t grad) {
        spread(StepKind::kSliceGrad, i, grad, op.input);
    }
    // A step that writes the gradient of the input and adds nothing.
    void spread(StepKind kind, int32_t i, int32_t grad, int32_t input) {
        const int32_t out = slot_like(input);
        step(kind, i, grad, out);
        contribute(i, input, out);
    }
    template <typename T>
    void backward(int32_t i, const T&, int32_t) {
        fail("INVALID_PROGRAM", "op %d (%s) has no gradient: expected it behind no loss", static_cast<int>(i),
             T::kName);
    }

    // What an op computes in its forward.
    template <typename Use>
    static void for_each_computed(const Op& op, Use&& use) {
        use(output_of(op));
        if (const auto* linear = std::get_if<ops::Linear>(&op); linear && linear->pre_activation != kNoIndex)
            use(linear->pre_activation);
        if (const auto* attention = std::get_if<ops::Attention>(&op);
            attention && attention->row_lse != kNoIndex)
            use(attention->row_lse);
    }
    // The slots that a step reads and writes.
    template <typename Use>
    void for_each_used(const Step& step, Use&& use) const {
        for (const int32_t slot : {step.grad, step.out, step.add, step.saved, step.key, step.value})
            if (slot != kNoIndex) use(slot);
        const Op& op = program_().ops[at(step.op)];
        switch (step.kind) {
            case StepKind::kForward:
                for_each_read(op, use);
                for_each_computed(op, use);
                break;
            case StepKind::kActivationGrad: use(activated_by(op).first); break;
            case StepKind::kAttentionGrad: {
                const auto& attention = std::get<ops::Attention>(op);
                for (const int32_t value :
                     {attention.query, attention.key, attention.value, attention.output, attention.row_lse,
                      attention.content_to_position, attention.position_to_content})
                    if (value != kNoIndex) use(value);
                break;
            }
            case StepKind::kLayerNormGrad:
            case StepKind::kLayerNormWeightGrad:
            case StepKind::kPoolGrad:
            case StepKind::kNormalizeGrad: for_each_read(op, use); break;
            default: break;
        }
    }

    void note_lifetimes() {
        for (int32_t i = 0; i < count_of(plan_.steps); i++)
            for_each_used(plan_.steps[at(i)], [&](int32_t slot) {
                Slot& used = plan_.slots[at(slot)];
                if (used.birth == kNoIndex) used.birth = i;
                used.death = i;
            });
    }

    // Logits of a vocabulary are most of what a chunk computes: their gradient takes their place where
    // nothing else reads them any more. By slot: whose place it takes.
    std::vector<int32_t> share_places() {
        std::vector<int32_t> places(plan_.slots.size(), kNoIndex);
        for (const int32_t loss : plan_.losses) {
            const auto* entropy = std::get_if<ops::CrossEntropy>(&program_().ops[at(loss)]);
            if (entropy == nullptr) continue;
            Slot &logits = plan_.slots[at(entropy->logits)], &gradient = plan_.slots[at(entropy->output)];
            if (logits.death != gradient.birth) continue;
            logits.death = gradient.death;
            places[at(entropy->output)] = entropy->logits;
        }
        return places;
    }

    void place() {
        const std::vector<int32_t> places = share_places();
        std::vector<Slot*> slots;
        for (size_t i = 0; i < places.size(); i++)
            if (plan_.slots[i].birth != kNoIndex && places[i] == kNoIndex) slots.push_back(&plan_.slots[i]);
        std::stable_sort(slots.begin(), slots.end(),
                         [](const Slot* a, const Slot* b) { return a->birth < b->birth; });
        std::vector<Packer> arena(program_().domains.size(), Packer(kCacheLineFloats));
        for (Slot* slot : slots)
            slot->offset = arena[at(slot->domain)].place(slot->width, slot->birth, slot->death);
        for (size_t i = 0; i < places.size(); i++)
            if (places[i] != kNoIndex) plan_.slots[i].offset = plan_.slots[at(places[i])].offset;
        for (const Packer& part : arena) plan_.arena_width.push_back(part.width());
    }

    struct Waiting {  // a matrix's gradient that needs an activation which is computed again later
        int32_t op;
        int32_t grad;
    };
    const std::vector<bool>& trainable_;
    TrainingPlan plan_;
    std::vector<bool> needed_;                   // ops of the forward
    std::vector<bool> active_;                   // values
    std::vector<int32_t> grad_;                  // slots, by value
    std::vector<std::vector<Waiting>> waiting_;  // by value
    int32_t num_ops_ = 0;                        // of the forward
    std::vector<RecomputedOps> layers_;          // that are computed again
    Copies copies_;
};

}  // namespace

std::pair<int32_t, Activation> activated_by(const Op& op) {
    if (const auto* linear = std::get_if<ops::Linear>(&op))
        return {linear->pre_activation, linear->activation};
    const auto& activation = std::get<ops::ActivationOp>(op);
    return {activation.input, activation.activation};
}

TrainingPlan differentiate(const Program& program, const std::vector<bool>& trainable, bool recompute) {
    return Differentiation(program, trainable, recompute).finish();
}

}  // namespace bertha
