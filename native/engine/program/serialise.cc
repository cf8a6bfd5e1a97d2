#include <cstring>

#include "engine/program/program.h"

namespace bertha {
namespace {

// Numbers end in a space, lists and names begin with their length, floats are written by their bits: no two
// programs read the same.
class Text : public FieldVisitor {
public:
    void add(int64_t number) {
        text_ += std::to_string(number);
        text_ += ' ';
    }
    void add(const std::string& name) {
        add(static_cast<int64_t>(name.size()));
        text_ += name;
    }

    void takes(const char* name, int32_t index, Need = Need::kRequired) { field(name, index); }
    void reads(const char* name, int32_t index, Need = Need::kRequired) { field(name, index); }
    void writes(const char* name, int32_t index, Need = Need::kRequired) { field(name, index); }
    void weight(const char* name, int32_t index, WeightKind, Need = Need::kRequired) { field(name, index); }
    void option(const char* name, int32_t number) { field(name, number); }
    void option(const char* name, bool is_on) { field(name, is_on ? 1 : 0); }
    void option(const char* name, Activation activation) { field(name, static_cast<int64_t>(activation)); }
    void option(const char* name, float number) {
        uint32_t bits;
        std::memcpy(&bits, &number, sizeof bits);
        field(name, bits);
    }
    void option(const char* name, const std::vector<PoolMode>& modes) {
        field(name, static_cast<int64_t>(modes.size()));
        for (PoolMode mode : modes) add(static_cast<int64_t>(mode));
    }

    void option(const char* name, const std::vector<int32_t>& numbers) {
        field(name, static_cast<int64_t>(numbers.size()));
        for (int32_t number : numbers) add(number);
    }
    void option(const char* name, const std::vector<float>& numbers) {
        field(name, static_cast<int64_t>(numbers.size()));
        for (float number : numbers) option("", number);
    }
    void rare_writes(const char* name, int32_t index) {
        if (index != kNoIndex) field(name, index);
    }
    template <typename Option>
    void rare_option(const char* name, const Option& given, Option unset) {
        if (given != unset) option(name, given);
    }

    std::string text() && { return std::move(text_); }

private:
    void field(const char* name, int64_t number) {
        text_ += name;
        text_ += ' ';
        add(number);
    }
    std::string text_;
};

}  // namespace

std::string serialise(const Program& program) {
    Text text;
    text.add(static_cast<int64_t>(program.domains.size()));
    for (const Domain& domain : program.domains) {
        for (const std::string* name : {&domain.name, &domain.offsets}) text.add(*name);
        for (int64_t number :
             {static_cast<int64_t>(domain.kind), int64_t{domain.pairs_of}, domain.min_rows, domain.max_rows})
            text.add(number);
        if (domain.pairs_with != kNoIndex) text.add(std::string("with ") + std::to_string(domain.pairs_with));
    }
    text.add(static_cast<int64_t>(program.inputs.size()));
    for (const Input& input : program.inputs) {
        text.add(input.name);
        for (int64_t number : {int64_t{input.domain}, int64_t{input.width}, input.limit,
                               int64_t{input.points_into}, int64_t{input.is_required}})
            text.add(number);
        if (input.is_float) text.add(std::string("float32"));
        if (input.minimum != 0) text.add(std::string("minimum ") + std::to_string(input.minimum));
    }
    text.add(static_cast<int64_t>(program.values.size()));
    for (const Value& value : program.values) {
        text.add(value.domain);
        text.add(value.width);
    }
    text.add(static_cast<int64_t>(program.weights.size()));
    for (const Weight& weight : program.weights) {
        text.add(weight.name);
        text.add(static_cast<int64_t>(weight.kind));
        text.add(weight.rows);
        text.add(weight.cols);
    }
    text.add(static_cast<int64_t>(program.ops.size()));
    for (const Op& op : program.ops) {
        text.add(std::string(name_of(op)));
        visit_fields(op, text);
    }
    return std::move(text).text();
}

}  // namespace bertha
