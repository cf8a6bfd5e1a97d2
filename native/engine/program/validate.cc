#include "engine/check.h"
#include "engine/program/program.h"
#include "engine/program/shape_checker.h"

namespace bertha {
namespace {

constexpr int64_t kMaxWidth = int64_t{1} << 24;
constexpr size_t kMaxItems = 100000;
constexpr size_t kMaxDomains = 16;
constexpr int64_t kMaxRows = 1 << 20;                 // of one sequence
constexpr int64_t kMaxInputWidth = int64_t{1} << 20;  // numbers a row
constexpr int64_t kMaxLimit = int64_t{1} << 31;

long long ll(int64_t n) { return static_cast<long long>(n); }

// Checks one op's indices: each is there where it must be and in range, read values were written before,
// written ones were not. Marks what the op writes.
class IndexChecker : public FieldVisitor {
public:
    IndexChecker(const Program& program, size_t op, std::vector<bool>& written)
        : program_(program), op_(op), written_(written) {}

    void takes(const char* name, int32_t index, Need need = Need::kRequired) {
        is_index(name, index, program_.inputs.size(), need);
    }
    void reads(const char* name, int32_t index, Need need = Need::kRequired) {
        if (!is_index(name, index, program_.values.size(), need)) return;
        require(written_[static_cast<size_t>(index)], name, "a value that an earlier op wrote");
    }
    void writes(const char* name, int32_t index, Need need = Need::kRequired) {
        if (!is_index(name, index, program_.values.size(), need)) return;
        require(!written_[static_cast<size_t>(index)], name, "a value that no op wrote");
        now_written_.push_back(index);
    }
    void rare_writes(const char* name, int32_t index) { writes(name, index, Need::kOptional); }
    void weight(const char* name, int32_t index, WeightKind kind, Need need = Need::kRequired) {
        if (!is_index(name, index, program_.weights.size(), need)) return;
        static constexpr const char* kKinds[] = {"a matrix", "a table", "a vector"};
        require(program_.weights[static_cast<size_t>(index)].kind == kind, name,
                kKinds[static_cast<size_t>(kind)]);
    }
    void mark_written() {
        for (int32_t value : now_written_) written_[static_cast<size_t>(value)] = true;
    }

private:
    // False for a field that is absent and may be.
    bool is_index(const char* name, int32_t index, size_t count, Need need) const {
        if (index == kNoIndex && need == Need::kOptional) return false;
        require(index >= 0 && static_cast<size_t>(index) < count, name, "an index that the program has");
        return true;
    }
    void require(bool condition, const char* name, const char* what) const {
        BERTHA_CHECK(condition, "INVALID_PROGRAM", "op %zu (%s): expected %s for %s", op_,
                     name_of(program_.ops[op_]), what, name);
    }

    const Program& program_;
    const size_t op_;
    std::vector<bool>& written_;
    std::vector<int32_t> now_written_;
};

// Whether a batch may bring numbers for such rows.
bool has_inputs(DomainKind kind) { return kind == DomainKind::kPacked || kind == DomainKind::kSequences; }

bool is_packed_domain(const Program& program, int32_t domain) {
    return domain >= 0 && static_cast<size_t>(domain) < program.domains.size() &&
           program.domains[static_cast<size_t>(domain)].kind == DomainKind::kPacked;
}

// What an op asks for that only the processor computes; null when nothing.
const char* for_processors_alone(const Program& program, const Op& op) {
    if (const auto* linear = std::get_if<ops::Linear>(&op))
        return linear->scale != 1.0f ? "a scale" : nullptr;
    if (const auto* embed = std::get_if<ops::Embed>(&op)) {
        if (embed->scale != 1.0f) return "a scale";
        return embed->sinusoidal ? "a computed position table" : nullptr;
    }
    const auto* attention = std::get_if<ops::Attention>(&op);
    if (attention == nullptr) return nullptr;
    if (attention->causal) return "causal";
    const bool is_cross = attention->key != kNoIndex &&
                          program.value(attention->key).domain != program.value(attention->query).domain;
    return is_cross ? "a key of other rows" : nullptr;
}

void check_domains(const Program& program) {
    BERTHA_CHECK(!program.domains.empty() && program.domains.size() <= kMaxDomains &&
                     program.domains[kTokenDomain].kind == DomainKind::kPacked &&
                     program.domains[kTokenDomain].min_rows >= 1,
                 "INVALID_PROGRAM", "expected 1 to %zu domains, the first packed and never empty",
                 kMaxDomains);
    for (const Domain& domain : program.domains) {
        const bool is_packed = domain.kind == DomainKind::kPacked;
        const bool is_pairs = domain.kind == DomainKind::kPairs;
        BERTHA_CHECK(!is_packed || (!domain.offsets.empty() && domain.min_rows >= 0 &&
                                    domain.min_rows <= domain.max_rows && domain.max_rows <= kMaxRows),
                     "INVALID_PROGRAM",
                     "domain %s: expected named offsets and at most %lld rows a sequence, got %lld to %lld",
                     domain.name.c_str(), ll(kMaxRows), ll(domain.min_rows), ll(domain.max_rows));
        const bool is_constant = domain.kind == DomainKind::kConstant;
        BERTHA_CHECK(!is_constant || (domain.max_rows >= 1 && domain.max_rows <= kMaxRows), "INVALID_PROGRAM",
                     "domain %s: expected 1 to %lld rows, got %lld", domain.name.c_str(), ll(kMaxRows),
                     ll(domain.max_rows));
        BERTHA_CHECK(is_pairs ? is_packed_domain(program, queries_of(domain)) &&
                                    is_packed_domain(program, keys_of(domain))
                              : domain.pairs_of == kNoIndex && domain.pairs_with == kNoIndex,
                     "INVALID_PROGRAM", "domain %s: expected pairs of packed domains", domain.name.c_str());
    }
}

void check_inputs(const Program& program) {
    for (const Input& input : program.inputs) {
        const bool has_domain = input.domain >= 0 &&
                                static_cast<size_t>(input.domain) < program.domains.size() &&
                                has_inputs(program.domains[static_cast<size_t>(input.domain)].kind);
        BERTHA_CHECK(has_domain && input.width >= 1 && input.width <= kMaxInputWidth && input.limit >= 0 &&
                         input.limit <= kMaxLimit &&
                         (input.points_into == kNoIndex || is_packed_domain(program, input.points_into)),
                     "INVALID_PROGRAM",
                     "input %s: expected rows of a domain, 1 to %lld columns and a limit of at most %lld",
                     input.name.c_str(), ll(kMaxInputWidth), ll(kMaxLimit));
        BERTHA_CHECK(input.minimum >= -kMaxLimit && input.minimum <= 0 &&
                         (input.minimum == 0 || input.points_into == kNoIndex) &&
                         (!input.is_float ||
                          (input.limit == 0 && input.minimum == 0 && input.points_into == kNoIndex)),
                     "INVALID_PROGRAM",
                     "input %s: expected a minimum of at most 0, and floats that have no bounds",
                     input.name.c_str());
    }
}

}  // namespace

void validate(const Program& program) {
    check_domains(program);
    BERTHA_CHECK(!program.values.empty() && !program.ops.empty(), "INVALID_PROGRAM",
                 "expected at least one value and one op");
    BERTHA_CHECK(program.values.size() <= kMaxItems && program.weights.size() <= kMaxItems &&
                     program.ops.size() <= kMaxItems && program.inputs.size() <= kMaxItems,
                 "INVALID_PROGRAM", "expected at most %zu inputs, values, weights and ops", kMaxItems);
    check_inputs(program);
    for (const Value& value : program.values)
        BERTHA_CHECK(value.width > 0 && value.width <= kMaxWidth && value.domain >= 0 &&
                         static_cast<size_t>(value.domain) < program.domains.size(),
                     "INVALID_PROGRAM", "expected values of a domain and 1 to %lld columns, got %lld",
                     ll(kMaxWidth), ll(value.width));
    for (const Weight& weight : program.weights)
        BERTHA_CHECK(weight.rows > 0 && weight.cols > 0 && weight.cols <= kMaxWidth &&
                         weight.rows <= (int64_t{1} << 40) / weight.cols,
                     "INVALID_PROGRAM", "weight %s: shape [%lld, %lld] is out of range", weight.name.c_str(),
                     ll(weight.rows), ll(weight.cols));
    std::vector<bool> written(program.values.size(), false);
    for (size_t i = 0; i < program.ops.size(); i++) {
        IndexChecker indices(program, i, written);
        visit_fields(program.ops[i], indices);
        std::visit(ShapeChecker(program, i), program.ops[i]);
        indices.mark_written();
    }
}

void require_kernels(const Program& program, const std::string& device) {
    for (size_t i = 0; i < program.ops.size(); i++) {
        const Op& op = program.ops[i];
        BERTHA_CHECK(!is_for_training(op), "INVALID_PROGRAM", "op %zu (%s) is for training alone", i,
                     name_of(op));
        const char* lacking = device == "cpu" ? nullptr : for_processors_alone(program, op);
        BERTHA_CHECK(lacking == nullptr, "DEVICE", "op %zu (%s): %s has no kernel yet on %s", i, name_of(op),
                     lacking, device.c_str());
        const auto* linear = std::get_if<ops::Linear>(&op);
        const auto* attention = std::get_if<ops::Attention>(&program.ops[i]);
        const bool drops = (linear != nullptr && linear->dropout > 0) ||
                           (attention != nullptr && attention->dropout > 0);
        BERTHA_CHECK(!drops, "INVALID_PROGRAM", "op %zu (%s): dropout is for training alone", i, name_of(op));
        BERTHA_CHECK(attention == nullptr || attention->num_key_heads == 0 ||
                         attention->num_key_heads == attention->num_heads,
                     "INVALID_PROGRAM", "op %zu (attention): fewer heads of the key has no kernel yet on %s",
                     i, device.c_str());
    }
}

}  // namespace bertha
