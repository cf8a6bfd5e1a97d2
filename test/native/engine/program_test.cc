// Programs as data: which field decides what, and what is refused.
#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "check.h"
#include "devices.h"
#include "tests.h"

namespace bertha::test {
namespace {

// Every op with every field it has, so that each can be changed.
std::vector<Op> all_ops() {
    ops::Pool pool;
    pool.modes = {PoolMode::kMean};
    return {ops::Embed{}, ops::Constant{}, ops::Linear{}, ops::Attention{}, ops::LayerNorm{}, ops::GatherRows{}, pool, ops::Unfold{}, ops::PoolLinear{},
            ops::Normalize{}, ops::TopK{}, ops::PickTargets{}, ops::Dropout{}, ops::ActivationOp{}, ops::Slice{}, ops::CrossEntropy{},
            ops::ChoiceCrossEntropy{}, ops::SpanCrossEntropy{}, ops::BinaryCrossEntropy{}, ops::MeanSquaredError{}, ops::Distill{},
            ops::InBatchSoftmax{}, ops::CosineSimilarity{}, ops::Cosent{}, ops::Triplet{}, ops::Given{}};
}

// Changes one field of an op, the one whose turn it is, and counts them.
class Changer : public FieldVisitor {
public:
    explicit Changer(int field) : field_(field) {}
    void takes(const char*, int32_t& index, Need = Need::kRequired) { change(index); }
    void reads(const char*, int32_t& index, Need = Need::kRequired) { change(index); }
    void writes(const char*, int32_t& index, Need = Need::kRequired) { change(index); }
    void weight(const char*, int32_t& index, WeightKind, Need = Need::kRequired) { change(index); }
    void option(const char*, int32_t& number) { change(number); }
    void option(const char*, float& number) { change(number); }
    void option(const char*, bool& is_on) {
        if (next_++ == field_) is_on = !is_on;
    }
    void option(const char*, Activation& activation) {
        if (next_++ == field_) activation = Activation::kMish;
    }
    void option(const char*, std::vector<PoolMode>& modes) {
        if (next_++ == field_) modes.push_back(PoolMode::kMax);
    }
    void option(const char*, std::vector<int32_t>& numbers) {
        if (next_++ == field_) numbers.push_back(1);
    }
    void option(const char*, std::vector<float>& numbers) {
        if (next_++ == field_) numbers.push_back(1.0f);
    }
    void rare_writes(const char*, int32_t& index) { change(index); }
    template <typename Number>
    void rare_option(const char*, Number& number, Number) {
        change(number);
    }
    int count() const { return next_; }

private:
    template <typename Number>
    void change(Number& number) {
        if (next_++ == field_) number += 1;
    }
    const int field_;
    int next_ = 0;
};

int count_fields(Op op) {
    Changer changer(-1);
    visit_fields(op, changer);
    return changer.count();
}

// How many values an aggregate takes in braces: its members.
struct Anything {
    template <typename T>
    operator T() const;
};
template <typename T, typename... Args>
constexpr auto takes(int) -> decltype(T{std::declval<Args>()...}, true) {
    return true;
}
template <typename T, typename... Args>
constexpr bool takes(...) {
    return false;
}
template <typename T, typename... Args>
constexpr int count_members() {
    if constexpr (takes<T, Args..., Anything>(0))
        return count_members<T, Args..., Anything>();
    else
        return sizeof...(Args);
}

// The members of an op, those of its base as well: in braces a base counts as one.
template <typename T>
constexpr int count_all_members() {
    if constexpr (std::is_base_of_v<ops::Loss, T> && !std::is_same_v<ops::Loss, T>)
        return count_members<T>() - 1 + count_all_members<ops::Loss>();
    else if constexpr (std::is_base_of_v<ops::TrainingOp, T> && !std::is_same_v<ops::TrainingOp, T>)
        return count_members<T>() - 1 + count_members<ops::TrainingOp>();
    else
        return count_members<T>();
}

void every_member_of_an_op_is_a_field() {
    for (const Op& op : all_ops()) {
        const int members = std::visit([](const auto& each) { return count_all_members<std::decay_t<decltype(each)>>(); }, op);
        EXPECT(count_fields(op) == members);
    }
    // What every_field_of_a_program_is_in_its_key changes one by one.
    EXPECT(count_members<Domain>() == 6 && count_members<Input>() == 8 && count_members<Value>() == 2 && count_members<Weight>() == 4 &&
           count_members<Program>() == 5);
}

void every_field_of_a_program_is_in_its_key() {
    Program program = *encoder();
    program.ops = all_ops();
    std::set<std::string> keys{serialise(program)};
    size_t changes = 0;
    const auto expect_another = [&](const std::function<void(Program&)>& change) {
        Program changed = program;
        change(changed);
        keys.insert(serialise(changed));
        changes++;
        EXPECT(keys.size() == changes + 1);
    };
    for (size_t i = 0; i < program.ops.size(); i++) {
        for (int field = 0; field < count_fields(program.ops[i]); field++)
            expect_another([&](Program& changed) {
                Changer changer(field);
                visit_fields(changed.ops[i], changer);
            });
    }
    for (size_t i = 0; i < program.domains.size(); i++) {
        const auto change_domain = [&](const std::function<void(Domain&)>& change) {
            expect_another([&](Program& changed) { change(changed.domains[i]); });
        };
        change_domain([](Domain& domain) { domain.name += "x"; });
        change_domain([](Domain& domain) { domain.offsets += "x"; });
        change_domain([](Domain& domain) { domain.kind = domain.kind == DomainKind::kPairs ? DomainKind::kPacked : DomainKind::kPairs; });
        change_domain([](Domain& domain) { domain.pairs_of++; });
        change_domain([](Domain& domain) { domain.min_rows++; });
        change_domain([](Domain& domain) { domain.max_rows++; });
    }
    for (size_t i = 0; i < program.inputs.size(); i++) {
        const auto change_input = [&](const std::function<void(Input&)>& change) {
            expect_another([&](Program& changed) { change(changed.inputs[i]); });
        };
        change_input([](Input& input) { input.name += "x"; });
        change_input([](Input& input) { input.domain++; });
        change_input([](Input& input) { input.width++; });
        change_input([](Input& input) { input.limit++; });
        change_input([](Input& input) { input.points_into++; });
        change_input([](Input& input) { input.minimum--; });
        change_input([](Input& input) { input.is_float = !input.is_float; });
        change_input([](Input& input) { input.is_required = !input.is_required; });
    }
    for (size_t i = 0; i < program.values.size(); i++) {
        expect_another([&](Program& changed) { changed.values[i].width++; });
        expect_another([&](Program& changed) { changed.values[i].domain = kSelected; });
    }
    for (size_t i = 0; i < program.weights.size(); i++) {
        expect_another([&](Program& changed) { changed.weights[i].name += " "; });
        expect_another([&](Program& changed) { changed.weights[i].rows++; });
        expect_another([&](Program& changed) { changed.weights[i].cols++; });
        expect_another([&](Program& changed) {
            WeightKind& kind = changed.weights[i].kind;
            kind = kind == WeightKind::kTable ? WeightKind::kVector : WeightKind::kTable;
        });
    }
    expect_another([](Program& changed) { std::swap(changed.ops[6], changed.ops[7]); });
    EXPECT(changes > 120);
}

std::string message_of(const std::function<void()>& call, const std::string& code = "INVALID_PROGRAM") {
    try {
        call();
        return "";
    } catch (const Error& error) {
        EXPECT(error.code() == code);
        return error.what();
    }
}

// encoder() with its attention changed.
Program with_attention(const std::function<void(Program&, ops::Attention&)>& change) {
    Program program = *encoder();
    change(program, std::get<ops::Attention>(program.ops[2]));
    return program;
}

// Splits the packed query, key and value: three linears in the place of one. Returns the attention, which lies elsewhere then.
ops::Attention& separate(Program& program, ops::Attention& attention) {
    program.weights[1].rows = kHidden;
    program.values[1].width = kHidden;
    const ops::Linear query = std::get<ops::Linear>(program.ops[1]);
    for (int32_t* value : {&attention.key, &attention.value}) {
        *value = static_cast<int32_t>(program.values.size());
        program.values.push_back({kTokens, kHidden});
    }
    const ops::Attention whole = attention;
    for (int32_t value : {whole.key, whole.value}) {
        ops::Linear linear = query;
        linear.output = value;
        program.ops.insert(program.ops.begin() + 1, linear);
    }
    return std::get<ops::Attention>(program.ops[4]);
}

void an_attention_may_ask_for_what_no_kernel_computes_yet() {
    const struct {
        const char* name;
        const char* device;
        std::function<void(Program&, ops::Attention&)> change;
    } options[] = {
        {"causal", "cuda:0", [](Program&, ops::Attention& op) { op.causal = true; }},
        {"fewer heads of the key", "cpu",
         [](Program& program, ops::Attention& packed) {
             ops::Attention& op = separate(program, packed);
             op.num_key_heads = kHeads / 2;
             for (int32_t value : {op.key, op.value}) program.values[static_cast<size_t>(value)].width = kHidden / 2;
             for (size_t i : {1, 2}) {
                 auto& linear = std::get<ops::Linear>(program.ops[i]);
                 linear.bias = kNoIndex;
                 linear.matrix = static_cast<int32_t>(program.weights.size());
                 program.weights.push_back({"half", WeightKind::kMatrix, kHidden / 2, kHidden});
             }
         }},
    };
    for (const auto& option : options) {
        const Program program = with_attention(option.change);
        validate(program);
        const std::string message = message_of([&] { require_kernels(program, option.device); },
                                               std::string(option.device) == "cpu" ? "INVALID_PROGRAM" : "DEVICE");
        EXPECT(message.find("(attention): " + std::string(option.name) + " has no kernel yet on " + option.device) != std::string::npos);
    }
}

void an_attention_whose_options_do_not_fit_is_refused() {
    using Change = std::function<void(Program&, ops::Attention&)>;
    for (const Change& change : std::vector<Change>{
             [](Program&, ops::Attention& op) { op.num_heads = 5; },
             [](Program&, ops::Attention& op) { op.num_heads = 0; },
             [](Program&, ops::Attention& op) { op.num_key_heads = 3; },
             [](Program&, ops::Attention& op) { op.num_key_heads = 2; },
             [](Program&, ops::Attention& op) { op.window = -1; },
             [](Program&, ops::Attention& op) { op.inverse_frequencies.assign(kHidden, 1.0f); },
             [](Program&, ops::Attention& op) { op.inverse_frequencies = {-1.0f}; },
             [](Program&, ops::Attention& op) { op.inverse_frequencies = {NAN}; },
             [](Program&, ops::Attention& op) { op.slopes.assign(kHeads + 1, 0.5f); },
             [](Program&, ops::Attention& op) { op.slopes.assign(kHeads, INFINITY); },
             [](Program&, ops::Attention& op) { op.key = 0; },
             [](Program&, ops::Attention& op) { op.key = op.value = 0; },
             [](Program&, ops::Attention& op) { op.key = 100; },
             [](Program&, ops::Attention& op) { op.relative_bias = 0; },
             [](Program&, ops::Attention& op) { op.softmax_scale = -1.0f; },
             [](Program&, ops::Attention& op) { op.query = kNoIndex; },
             [](Program&, ops::Attention& op) { op.query = op.output; },
             [](Program&, ops::Attention& op) { op.output = 1; },
             [](Program& program, ops::Attention& op) { op.scores = static_cast<int32_t>(program.values.size()) - 1; },
         })
        EXPECT(message_of([&] { validate(with_attention(change)); }).find("op 2 (attention): expected ") == 0);
}

}  // namespace

std::vector<Test> program_tests() {
    return {
        {"every member of an op is a field", every_member_of_an_op_is_a_field},
        {"every field of a program is in its key", every_field_of_a_program_is_in_its_key},
        {"an attention may ask for what no kernel computes yet", an_attention_may_ask_for_what_no_kernel_computes_yet},
        {"an attention whose options do not fit is refused", an_attention_whose_options_do_not_fit_is_refused},
    };
}

}  // namespace bertha::test
