#include "addon/program_reader.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "addon/args.h"

namespace bertha::addon {
namespace {

constexpr int64_t kMaxIndex = 1000000;

template <typename T, size_t N>
T from_name(const std::string& name, const std::pair<const char*, T> (&table)[N], const char* what) {
    for (const auto& entry : table)
        if (name == entry.first) return entry.second;
    fail("INVALID_PROGRAM", "unknown %s %.64s", what, name.c_str());
}

constexpr std::pair<const char*, DomainKind> kDomainKinds[] = {{"packed", DomainKind::kPacked},
                                                               {"sequences", DomainKind::kSequences},
                                                               {"pairs", DomainKind::kPairs},
                                                               {"constant", DomainKind::kConstant}};
constexpr std::pair<const char*, WeightKind> kKinds[] = {
    {"matrix", WeightKind::kMatrix}, {"table", WeightKind::kTable}, {"vector", WeightKind::kVector}};
constexpr std::pair<const char*, Activation> kActivations[] = {{"none", Activation::kNone},
                                                               {"gelu", Activation::kGelu},
                                                               {"gelu_tanh", Activation::kGeluTanh},
                                                               {"relu", Activation::kRelu},
                                                               {"silu", Activation::kSilu},
                                                               {"tanh", Activation::kTanh},
                                                               {"sigmoid", Activation::kSigmoid},
                                                               {"quick_gelu", Activation::kQuickGelu},
                                                               {"relu6", Activation::kRelu6},
                                                               {"relu_squared", Activation::kReluSquared},
                                                               {"leaky_relu", Activation::kLeakyRelu},
                                                               {"mish", Activation::kMish}};
constexpr std::pair<const char*, PoolMode> kPoolModes[] = {{"cls", PoolMode::kCls},
                                                           {"mean", PoolMode::kMean},
                                                           {"max", PoolMode::kMax},
                                                           {"mean_sqrt_len", PoolMode::kMeanSqrtLen},
                                                           {"weightedmean", PoolMode::kWeightedMean},
                                                           {"lasttoken", PoolMode::kLastToken}};
constexpr std::pair<const char*, FileDtype> kDtypes[] = {{"F32", FileDtype::kF32},
                                                         {"F16", FileDtype::kF16},
                                                         {"BF16", FileDtype::kBF16},
                                                         {"F64", FileDtype::kF64},
                                                         {"I8", FileDtype::kI8}};

// Reads an op's fields from the properties of those names. An absent one keeps its default.
class OpReader : public FieldVisitor {
public:
    explicit OpReader(const Napi::Object& object) : object_(object) {}

    void takes(const char* name, int32_t& index, Need = Need::kRequired) { option(name, index); }
    void reads(const char* name, int32_t& index, Need = Need::kRequired) { option(name, index); }
    void writes(const char* name, int32_t& index, Need = Need::kRequired) { option(name, index); }
    void weight(const char* name, int32_t& index, WeightKind, Need = Need::kRequired) { option(name, index); }
    void option(const char* name, int32_t& number) {
        if (is_given(name)) number = static_cast<int32_t>(to_int(get(object_, name), name, 0, kMaxIndex));
    }
    void option(const char* name, float& number) {
        if (is_given(name)) number = static_cast<float>(to_double(get(object_, name), name));
    }
    void option(const char* name, bool& is_on) {
        if (is_given(name)) is_on = get(object_, name).ToBoolean();
    }
    void option(const char* name, Activation& activation) {
        if (is_given(name)) activation = activation_from(to_string(get(object_, name), name));
    }
    void option(const char* name, std::vector<PoolMode>& modes) {
        if (!is_given(name)) return;
        const Napi::Array list = to_array(get(object_, name), name);
        for (uint32_t i = 0; i < list.Length(); i++)
            modes.push_back(pool_mode_from(to_string(list.Get(i), "a pooling mode")));
    }

    void option(const char* name, std::vector<int32_t>& numbers) {
        if (!is_given(name)) return;
        const Napi::Array list = to_array(get(object_, name), name);
        for (uint32_t i = 0; i < list.Length(); i++)
            numbers.push_back(static_cast<int32_t>(to_int(list.Get(i), name, 0, kMaxIndex)));
    }
    void option(const char* name, std::vector<float>& numbers) {
        if (!is_given(name)) return;
        const Napi::Array list = to_array(get(object_, name), name);
        for (uint32_t i = 0; i < list.Length(); i++)
            numbers.push_back(static_cast<float>(to_double(list.Get(i), name)));
    }
    template <typename Option, typename Unset>
    void rare_option(const char* name, Option& given, Unset) {
        option(name, given);
    }

    // Throws INVALID_PROGRAM for a property that no field has read.
    void refuse_others(const char* op) const {
        const Napi::Array names = object_.GetPropertyNames();
        for (uint32_t i = 0; i < names.Length(); i++) {
            const std::string name = to_string(names.Get(i), "a name");
            BERTHA_CHECK(name == "op" || names_.count(name) > 0 || !has(object_, name.c_str()),
                         "INVALID_PROGRAM", "%s has no field %.64s", op, name.c_str());
        }
    }

private:
    bool is_given(const char* name) {
        names_.insert(name);
        return has(object_, name);
    }
    const Napi::Object& object_;
    std::set<std::string> names_;
};

// The op of that name, as it is before its fields are read.
template <size_t kIndex = 0>
Op op_of(const std::string& name) {
    if constexpr (kIndex < std::variant_size_v<Op>) {
        using T = std::variant_alternative_t<kIndex, Op>;
        return name == T::kName ? Op(T{}) : op_of<kIndex + 1>(name);
    } else {
        fail("INVALID_PROGRAM", "unknown op %.64s", name.c_str());
    }
}

// The index of the domain of that name.
int32_t domain_at(const Program& program, const Napi::Object& object, const char* key) {
    if (!has(object, key)) return kNoIndex;
    const std::string name = to_string(get(object, key), key);
    for (size_t i = 0; i < program.domains.size(); i++)
        if (program.domains[i].name == name) return static_cast<int32_t>(i);
    fail("INVALID_PROGRAM", "unknown domain %.64s", name.c_str());
}

int64_t int_or(const Napi::Object& object, const char* key, int64_t otherwise) {
    return has(object, key) ? to_int(get(object, key), key) : otherwise;
}

void read_domains(const Napi::Object& spec, Program& program) {
    const Napi::Array domains = to_array(get(spec, "domains"), "domains");
    for (uint32_t i = 0; i < domains.Length(); i++) {
        const Napi::Object object = to_object(domains.Get(i), "a domain");
        Domain domain;
        domain.name = to_string(get(object, "name"), "name");
        domain.kind = from_name(to_string(get(object, "kind"), "kind"), kDomainKinds, "kind of domain");
        if (has(object, "offsets")) domain.offsets = to_string(get(object, "offsets"), "offsets");
        domain.pairs_of = domain_at(program, object, "pairsOf");
        domain.pairs_with = domain_at(program, object, "pairsWith");
        domain.min_rows = int_or(object, "minRows", 0);
        domain.max_rows = int_or(object, "maxRows", 0);
        program.domains.push_back(std::move(domain));
    }
}

void read_inputs(const Napi::Object& spec, Program& program) {
    const Napi::Array inputs = to_array(get(spec, "inputs"), "inputs");
    for (uint32_t i = 0; i < inputs.Length(); i++) {
        const Napi::Object object = to_object(inputs.Get(i), "an input");
        Input input;
        input.name = to_string(get(object, "name"), "name");
        input.domain = domain_at(program, object, "rows");
        input.width = static_cast<int32_t>(std::min<int64_t>(int_or(object, "width", 1), kMaxIndex));
        input.limit = int_or(object, "limit", 0);
        input.points_into = domain_at(program, object, "pointsInto");
        input.minimum = int_or(object, "minimum", 0);
        if (has(object, "dtype")) {
            const std::string dtype = to_string(get(object, "dtype"), "dtype");
            input.is_float = dtype == "float32";
            BERTHA_CHECK(input.is_float || dtype == "int32", "INVALID_PROGRAM", "unknown dtype %.64s",
                         dtype.c_str());
        }
        input.is_required = has(object, "required") && get(object, "required").ToBoolean();
        program.inputs.push_back(std::move(input));
    }
}

// files: those that are open already, by JavaScript's descriptor.
FilePart read_part(const Napi::Object& object, std::map<int, std::shared_ptr<const WeightFile>>& files) {
    FilePart part;
    const int fd = static_cast<int>(to_int(get(object, "fd"), "fd", 0, INT32_MAX));
    std::shared_ptr<const WeightFile>& file = files[fd];
    if (!file) file = std::make_shared<const WeightFile>(fd);
    part.file = file;
    part.offset = to_int(get(object, "offset"), "offset", 0, INT64_MAX / 2);
    part.dtype = from_name(to_string(get(object, "dtype"), "dtype"), kDtypes, "dtype");
    part.row_begin = to_int(get(object, "rowBegin"), "rowBegin", 0, INT64_MAX / 2);
    part.rows = to_int(get(object, "rows"), "rows", 1, INT64_MAX / 2);
    part.name = to_string(get(object, "name"), "name");
    if (has(object, "cols")) {
        part.col_begin = to_int(get(object, "colBegin"), "colBegin", 0, kMaxIndex);
        part.cols = to_int(get(object, "cols"), "cols", 1, kMaxIndex);
    }
    if (has(object, "scale")) part.scale = to_double(get(object, "scale"), "scale");
    if (has(object, "rowScales"))
        part.row_scales = to_int(get(object, "rowScales"), "rowScales", 0, INT64_MAX / 2);
    if (has(object, "inputScales"))
        part.input_scales = to_int(get(object, "inputScales"), "inputScales", 0, INT64_MAX / 2);
    return part;
}

}  // namespace

Activation activation_from(const std::string& name) { return from_name(name, kActivations, "activation"); }

PoolMode pool_mode_from(const std::string& name) { return from_name(name, kPoolModes, "pooling mode"); }

Op read_op(const Napi::Object& object) {
    Op op = op_of(to_string(get(object, "op"), "op"));
    OpReader reader(object);
    visit_fields(op, reader);
    reader.refuse_others(name_of(op));
    return op;
}

Program read_program(const Napi::Object& spec) {
    Program program;
    read_domains(spec, program);
    read_inputs(spec, program);
    const Napi::Array values = to_array(get(spec, "values"), "values");
    for (uint32_t i = 0; i < values.Length(); i++) {
        const Napi::Object object = to_object(values.Get(i), "a value");
        program.values.push_back({domain_at(program, object, "rows"), to_int(get(object, "width"), "width")});
    }
    const Napi::Array weights = to_array(get(spec, "weights"), "weights");
    for (uint32_t i = 0; i < weights.Length(); i++) {
        const Napi::Object object = to_object(weights.Get(i), "a weight");
        program.weights.push_back({to_string(get(object, "name"), "name"),
                                   from_name(to_string(get(object, "kind"), "kind"), kKinds, "weight kind"),
                                   to_int(get(object, "rows"), "rows"), to_int(get(object, "cols"), "cols")});
    }
    const Napi::Array ops = to_array(get(spec, "ops"), "ops");
    for (uint32_t i = 0; i < ops.Length(); i++)
        program.ops.push_back(read_op(to_object(ops.Get(i), "an op")));
    validate(program);
    return program;
}

std::vector<WeightParts> read_parts(const Napi::Object& spec) {
    std::vector<WeightParts> all;
    std::map<int, std::shared_ptr<const WeightFile>> files;  // by JavaScript's descriptor
    const Napi::Array weights = to_array(get(spec, "weights"), "weights");
    for (uint32_t i = 0; i < weights.Length(); i++) {
        const Napi::Object weight = to_object(weights.Get(i), "a weight");
        WeightParts parts;
        const Napi::Array rows = to_array(get(weight, "parts"), "parts");
        for (uint32_t j = 0; j < rows.Length(); j++)
            parts.rows.push_back(read_part(to_object(rows.Get(j), "a part"), files));
        if (has(weight, "added")) {
            const Napi::Array added = to_array(get(weight, "added"), "added");
            for (uint32_t j = 0; j < added.Length(); j++) {
                const Napi::Object object = to_object(added.Get(j), "a product");
                LowRankPart part;
                part.up = read_part(to_object(get(object, "up"), "up"), files);
                part.down = read_part(to_object(get(object, "down"), "down"), files);
                part.scale = to_double(get(object, "scale"), "scale");
                part.row_begin = part.up.row_begin;
                parts.added.push_back(std::move(part));
            }
        }
        all.push_back(std::move(parts));
    }
    return all;
}

}  // namespace bertha::addon
