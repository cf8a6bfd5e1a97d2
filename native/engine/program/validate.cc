#include <cmath>

#include "engine/check.h"
#include "engine/program/program.h"

namespace bertha {
namespace {

constexpr int64_t kMaxWidth = int64_t{1} << 24;
constexpr size_t kMaxItems = 100000;
constexpr size_t kMaxDomains = 16;
constexpr int64_t kMaxRows = 1 << 20;        // of one sequence
constexpr int64_t kMaxInputWidth = 1 << 10;  // numbers a row
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

// Checks the shapes and options of one op, whose indices are right.
class ShapeChecker {
public:
    ShapeChecker(const Program& program, size_t index) : program_(program), index_(index) {}

    void operator()(const ops::Embed& op) const {
        const Value& out = value(op.output);
        const Input& ids = input(op.ids);
        require(is_packed(out) && ids.domain == out.domain && ids.width == 1 && ids.is_required,
                "a required id for each row of a packed output");
        weight(op.word, ids.limit, out.width, "a word table");
        require(ids.limit > 0, "ids with a limit");
        require(op.padding_id < ids.limit, "a padding id of the vocabulary");
        if (op.position != kNoIndex) {
            require(op.position_offset >= (op.padding_id < 0 ? 0 : 1),
                    "a position offset of at least 0, of 1 with a padding id");
            weight(op.position, kAnyRows, out.width, "a position table");
            require(rows_of_weight(op.position) >= domain(out).max_rows + op.position_offset,
                    "a position for every token of the longest sequence");
        }
        int64_t types = 1;
        if (op.type_ids != kNoIndex) {
            const Input& type_ids = input(op.type_ids);
            require(type_ids.domain == out.domain && type_ids.width == 1 && type_ids.limit > 0,
                    "a type id for each row");
            types = type_ids.limit;
        }
        if (op.type != kNoIndex) weight(op.type, types, out.width, "a token type table");
    }

    void operator()(const ops::Linear& op) const {
        const Value &in = value(op.input), &out = value(op.output);
        require(in.domain == out.domain && has_rows(in), "input and output with the same rows");
        weight(op.matrix, out.width, in.width, "a matrix");
        if (op.bias != kNoIndex) weight(op.bias, 1, out.width, "a bias");
        if (op.input_scale != kNoIndex) weight(op.input_scale, 1, in.width, "an input scale");
        if (op.residual != kNoIndex)
            require(is_same_shape(value(op.residual), out), "a residual of the output's shape");
    }

    void operator()(const ops::Attention& op) const {
        const Value &query = value(op.query), &out = value(op.output);
        require(is_packed(query) && query.domain == out.domain, "packed rows, one each of query and output");
        require(op.num_heads > 0 && out.width % op.num_heads == 0, "num_heads that divides the width");
        require((op.key == kNoIndex) == (op.value == kNoIndex), "key and value, or neither");
        const int64_t head_dim = out.width / op.num_heads;
        const int64_t num_key_heads = op.num_key_heads == 0 ? op.num_heads : op.num_key_heads;
        require(num_key_heads > 0 && op.num_heads % num_key_heads == 0,
                "num_key_heads that divides num_heads");
        if (op.key == kNoIndex) {
            require(query.width == 3 * out.width && num_key_heads == op.num_heads,
                    "a query of three times the output's width, which holds key and value as well");
        } else {
            const Value &key = value(op.key), &values = value(op.value);
            require(query.width == out.width && is_same_shape(key, values) && is_packed(key) &&
                        key.width == num_key_heads * head_dim,
                    "a query of the output's width, key and value of num_key_heads heads");
        }
        require(std::isfinite(op.softmax_scale) && op.softmax_scale > 0, "a positive softmax scale");
        if (op.relative_bias != kNoIndex) {
            weight(op.relative_bias, kAnyRows, op.num_heads, "a relative bias table");
            const int64_t buckets = rows_of_weight(op.relative_bias);
            require(buckets >= 4 && buckets % 2 == 0 && buckets <= 65536,
                    "an even number of relative buckets, at least 4");
        }
        if (op.slopes != kNoIndex) weight(op.slopes, 1, op.num_heads, "a slope for each head");
        const bool by_distance = op.causal || op.window != 0 || op.relative_bias != kNoIndex ||
                                 op.slopes != kNoIndex;
        require(!by_distance || op.key == kNoIndex || value(op.key).domain == query.domain,
                "query and key of one domain where their distance counts");
        require(op.window >= 0, "a window of at least 0 tokens");
        require(op.rotary_dims >= 0 && op.rotary_dims % 2 == 0 && op.rotary_dims <= head_dim,
                "an even number of rotary dims, at most head_dim");
        require(op.rotary_dims == 0 || (std::isfinite(op.rotary_base) && op.rotary_base >= 1),
                "a rotary base of at least 1");
        if (op.scores != kNoIndex) {
            const Value& scores = value(op.scores);
            const Domain& pairs = domain(scores);
            require(pairs.kind == DomainKind::kPairs && pairs.pairs_of == query.domain &&
                        (op.key == kNoIndex || value(op.key).domain == query.domain) &&
                        scores.width == op.num_heads,
                    "scores of num_heads columns for each pair of rows");
        }
    }

    void operator()(const ops::LayerNorm& op) const {
        const Value& out = value(op.output);
        same_shape(value(op.input), out);
        require(std::isfinite(op.eps) && op.eps >= 0, "a layer_norm_eps of at least 0");
        weight(op.weight, 1, out.width, "a LayerNorm weight");
        if (op.bias != kNoIndex) weight(op.bias, 1, out.width, "a LayerNorm bias");
    }

    void operator()(const ops::GatherRows& op) const {
        const Value &in = value(op.input), &out = value(op.output);
        require(is_packed(in) && in.width == out.width, "packed rows of the output's width");
        if (op.positions == kNoIndex) {
            require(domain(out).kind == DomainKind::kSequences && domain(in).min_rows >= 1,
                    "a row for each sequence, none of which is empty");
        } else {
            const Input& positions = input(op.positions);
            require(positions.domain == out.domain && positions.width == 1 && positions.is_required &&
                        positions.points_into == in.domain,
                    "required positions in the input's rows, one for each row of the output");
        }
    }

    void operator()(const ops::Pool& op) const {
        const Value &in = value(op.input), &out = value(op.output);
        require(is_packed(in) && domain(out).kind == DomainKind::kSequences,
                "packed rows in, sequence rows out");
        require(domain(in).min_rows >= 1, "at least one row in each sequence");
        require(!op.modes.empty() && op.modes.size() <= 6, "one to six pooling modes");
        require(out.width == in.width * static_cast<int64_t>(op.modes.size()),
                "the input's width for each pooling mode");
        if (op.skip != kNoIndex)
            require(input(op.skip).domain == out.domain && input(op.skip).width == 1,
                    "a number of skipped rows for each sequence");
    }

    void operator()(const ops::Normalize& op) const { same_shape(value(op.input), value(op.output)); }

    void operator()(const ops::TopK& op) const {
        const Value &in = value(op.input), &out = value(op.output);
        require(in.domain == out.domain && has_rows(in), "input and output with the same rows");
        require(op.k > 0 && op.k <= in.width && in.width <= (1 << 24) && out.width == 1 + 2 * int64_t{op.k},
                "0 < k <= columns");
    }

    void operator()(const ops::PickTargets& op) const {
        const Value &in = value(op.input), &out = value(op.output);
        const Input& targets = input(op.targets);
        require(in.domain == out.domain && has_rows(in), "input and output with the same rows");
        require(out.width == 1 + kTargetsPerRow && targets.domain == in.domain && targets.is_required &&
                    targets.width == kTargetsPerRow && targets.points_into == kNoIndex && targets.limit > 0 &&
                    targets.limit <= in.width,
                "the targets' columns out, required targets that name columns of the input");
    }

private:
    static constexpr int64_t kAnyRows = -1;

    void require(bool condition, const char* what) const {
        BERTHA_CHECK(condition, "INVALID_PROGRAM", "op %zu (%s): expected %s", index_,
                     name_of(program_.ops[index_]), what);
    }
    const Value& value(int32_t id) const { return program_.value(id); }
    const Input& input(int32_t id) const { return program_.inputs[static_cast<size_t>(id)]; }
    const Domain& domain(const Value& value) const {
        return program_.domains[static_cast<size_t>(value.domain)];
    }
    bool is_packed(const Value& value) const { return domain(value).kind == DomainKind::kPacked; }
    bool has_rows(const Value& value) const { return domain(value).kind != DomainKind::kPairs; }
    int64_t rows_of_weight(int32_t id) const { return program_.weights[static_cast<size_t>(id)].rows; }
    static bool is_same_shape(const Value& a, const Value& b) {
        return a.domain == b.domain && a.width == b.width;
    }
    void same_shape(const Value& in, const Value& out) const {
        require(is_same_shape(in, out) && has_rows(in), "input and output of one shape");
    }
    void weight(int32_t id, int64_t rows, int64_t cols, const char* what) const {
        const Weight& weight = program_.weights[static_cast<size_t>(id)];
        BERTHA_CHECK((rows == kAnyRows || weight.rows == rows) && weight.cols == cols, "INVALID_PROGRAM",
                     "op %zu (%s): expected %s of shape [%lld, %lld], got [%lld, %lld] (%s)", index_,
                     name_of(program_.ops[index_]), what, ll(rows), ll(cols), ll(weight.rows),
                     ll(weight.cols), weight.name.c_str());
    }

    const Program& program_;
    const size_t index_;
};

bool is_packed_domain(const Program& program, int32_t domain) {
    return domain >= 0 && static_cast<size_t>(domain) < program.domains.size() &&
           program.domains[static_cast<size_t>(domain)].kind == DomainKind::kPacked;
}

// What an attention asks for that no kernel computes; null when all is there.
const char* option_without_kernel(const ops::Attention& op) {
    if (op.key != kNoIndex) return "a separate key and value";
    if (op.slopes != kNoIndex) return "slopes";
    if (op.causal) return "causal";
    if (op.window > 0) return "a window";
    return op.rotary_dims > 0 ? "a rotary embedding" : nullptr;
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
        BERTHA_CHECK(is_pairs ? is_packed_domain(program, domain.pairs_of) : domain.pairs_of == kNoIndex,
                     "INVALID_PROGRAM", "domain %s: expected pairs of a packed domain", domain.name.c_str());
    }
}

void check_inputs(const Program& program) {
    for (const Input& input : program.inputs) {
        const bool has_domain = input.domain >= 0 &&
                                static_cast<size_t>(input.domain) < program.domains.size() &&
                                program.domains[static_cast<size_t>(input.domain)].kind != DomainKind::kPairs;
        BERTHA_CHECK(has_domain && input.width >= 1 && input.width <= kMaxInputWidth && input.limit >= 0 &&
                         input.limit <= kMaxLimit &&
                         (input.points_into == kNoIndex || is_packed_domain(program, input.points_into)),
                     "INVALID_PROGRAM",
                     "input %s: expected rows of a domain, 1 to %lld columns and a limit of at most %lld",
                     input.name.c_str(), ll(kMaxInputWidth), ll(kMaxLimit));
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
        const auto* attention = std::get_if<ops::Attention>(&program.ops[i]);
        const char* option = attention != nullptr ? option_without_kernel(*attention) : nullptr;
        BERTHA_CHECK(option == nullptr, "INVALID_PROGRAM", "op %zu (attention): %s has no kernel yet on %s",
                     i, option, device.c_str());
    }
}

}  // namespace bertha
