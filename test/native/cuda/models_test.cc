// Golden models against their float64 values, without Node. scripts/cuda-models.ts writes the files.
//   models_test DIRECTORY [--tensor-core NAME]      plain, ampere or hopper: how the emulator's mma rounds
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "cuda/check.h"
#include "cuda/cuda_backend.h"
#include "text_program.h"

namespace bertha::test {
namespace {

class Words {
public:
    explicit Words(const std::string& path) {
        std::ifstream file(path, std::ios::binary);
        bytes_.assign(std::istreambuf_iterator<char>(file), {});
    }
    int32_t integer() { return next<int32_t>(); }
    float number() { return next<float>(); }
    std::vector<int32_t> integers(int64_t count) {
        std::vector<int32_t> values;
        for (int64_t i = 0; i < count; i++) values.push_back(integer());
        return values;
    }
    std::vector<float> numbers(int64_t count) {
        std::vector<float> values;
        for (int64_t i = 0; i < count; i++) values.push_back(number());
        return values;
    }
    std::string name() {
        std::string text;
        for (int32_t character : integers(integer())) text += static_cast<char>(character);
        return text;
    }
    bool at_end() const { return place_ == bytes_.size(); }

private:
    template <typename T>
    T next() {
        if (place_ + sizeof(T) > bytes_.size()) throw std::runtime_error("the file ends early");
        T value;
        std::memcpy(&value, bytes_.data() + place_, sizeof value);
        place_ += sizeof value;
        return value;
    }
    std::vector<char> bytes_;
    size_t place_ = 0;
};

struct Expected {
    int32_t value;
    std::vector<float> rows;
};

struct Golden {
    std::shared_ptr<Program> program = std::make_shared<Program>();
    std::vector<int32_t> lengths, ids, type_ids;
    std::vector<Expected> expected;
    std::vector<std::vector<float>> weights;
};

// An op's fields by name, as scripts/cuda-models.ts writes them: all as floats, which hold their numbers exactly.
class GoldenFields : public FieldVisitor {
public:
    explicit GoldenFields(Words& words) {
        for (int32_t left = words.integer(); left > 0; left--) {
            const std::string name = words.name();
            const int32_t count = words.integer();
            fields_[name] = words.numbers(count);
        }
    }
    void takes(const char* name, int32_t& index, Need = Need::kRequired) { option(name, index); }
    void reads(const char* name, int32_t& index, Need = Need::kRequired) { option(name, index); }
    void writes(const char* name, int32_t& index, Need = Need::kRequired) { option(name, index); }
    void weight(const char* name, int32_t& index, WeightKind, Need = Need::kRequired) { option(name, index); }
    template <typename Number>
    void option(const char* name, Number& number) {
        const auto found = fields_.find(name);
        if (found == fields_.end()) return;
        number = static_cast<Number>(found->second.at(0));
        used_++;
    }
    template <typename Number>
    void option(const char* name, std::vector<Number>& numbers) {
        const auto found = fields_.find(name);
        if (found == fields_.end()) return;
        for (float number : found->second) numbers.push_back(static_cast<Number>(number));
        used_++;
    }
    template <typename Number>
    void rare_option(const char* name, Number& number, Number) {
        option(name, number);
    }
    bool are_all_used() const { return used_ == fields_.size(); }

private:
    std::map<std::string, std::vector<float>> fields_;
    size_t used_ = 0;
};

template <size_t kIndex = 0>
Op op_of_name(const std::string& name) {
    if constexpr (kIndex < std::variant_size_v<Op>) {
        using Each = std::variant_alternative_t<kIndex, Op>;
        return name == Each::kName ? Op(Each{}) : op_of_name<kIndex + 1>(name);
    } else {
        throw std::runtime_error("an op that does not exist: " + name);
    }
}

Op read_op(Words& words) {
    Op op = op_of_name(words.name());
    GoldenFields fields(words);
    visit_fields(op, fields);
    if (!fields.are_all_used()) throw std::runtime_error("a field that the op does not have");
    return op;
}

Golden read_golden(const std::string& path) {
    Words words(path);
    Golden golden;
    Program& program = *golden.program;
    program.domains.resize(static_cast<size_t>(words.integer()));
    for (Domain& domain : program.domains) {
        domain.name = words.name();
        domain.offsets = words.name();
        domain.kind = static_cast<DomainKind>(words.integer());
        domain.pairs_of = words.integer();
        domain.min_rows = words.integer();
        domain.max_rows = words.integer();
    }
    program.inputs.resize(static_cast<size_t>(words.integer()));
    for (Input& input : program.inputs) {
        input.name = words.name();
        input.domain = words.integer();
        input.width = words.integer();
        input.limit = words.integer();
        input.points_into = words.integer();
        input.is_required = words.integer() != 0;
    }
    program.values.resize(static_cast<size_t>(words.integer()));
    for (Value& value : program.values) {
        value.domain = words.integer();
        value.width = words.integer();
    }
    program.weights.resize(static_cast<size_t>(words.integer()));
    for (Weight& weight : program.weights) {
        weight.kind = static_cast<WeightKind>(words.integer());
        weight.rows = words.integer();
        weight.cols = words.integer();
    }
    for (int32_t left = words.integer(); left > 0; left--) program.ops.push_back(read_op(words));
    validate(program);
    golden.lengths = words.integers(words.integer());
    int64_t tokens = 0;
    for (int32_t length : golden.lengths) tokens += length;
    golden.ids = words.integers(tokens);
    golden.type_ids = words.integers(tokens);
    golden.expected.resize(static_cast<size_t>(words.integer()));
    for (Expected& expected : golden.expected) {
        expected.value = words.integer();
        expected.rows = words.numbers(words.integer());
    }
    for (const Weight& weight : program.weights) golden.weights.push_back(words.numbers(weight.rows * weight.cols));
    if (!words.at_end()) throw std::runtime_error("the file goes on after its end");
    return golden;
}

class GoldenSource final : public WeightSource {
public:
    explicit GoldenSource(const Golden& golden) : golden_(golden) {}
    void read(int32_t weight, int64_t row_begin, int64_t row_end, float* dst) override {
        const int64_t cols = golden_.program->weights[static_cast<size_t>(weight)].cols;
        const float* values = golden_.weights[static_cast<size_t>(weight)].data();
        std::copy(values + row_begin * cols, values + row_end * cols, dst);
    }

private:
    const Golden& golden_;
};

class NoControl final : public Control {
public:
    void at_op_boundary() override {}
    bool cancelled() const override { return false; }
};

std::string check_model(const std::string& path, const char* precision) {
    const Golden golden = read_golden(path);
    GoldenSource source(golden);
    const auto model = cuda::load(golden.program, source, "cuda", precision);
    const auto workspace = model->make_workspace();
    std::vector<int32_t> cu{0};
    for (int32_t length : golden.lengths) cu.push_back(cu.back() + length);
    const Batch batch = batch_for(*golden.program, {{"inputIds", golden.ids.data()}, {"tokenTypeIds", golden.type_ids.data()}}, cu);
    std::vector<std::vector<float>> results;
    std::vector<Output> outputs;
    for (const Expected& expected : golden.expected) results.emplace_back(expected.rows.size(), NAN);
    for (size_t i = 0; i < results.size(); i++) outputs.push_back({golden.expected[i].value, results[i].data()});
    Solo solo;
    NoControl control;
    model->run(batch, outputs, *workspace, solo, control);
    for (size_t i = 0; i < results.size(); i++) {
        const std::vector<float>& rows = golden.expected[i].rows;
        if (std::strcmp(precision, "fp32") == 0) {
            const std::vector<double> exact(rows.begin(), rows.end());
            const std::string problem = compare(results[i], exact, [&](size_t j) { return 1e-5 * std::max(1.0, std::fabs(exact[j])); });
            if (!problem.empty()) return problem;
            continue;
        }
        double difference = 0.0, norm = 0.0;
        for (size_t j = 0; j < rows.size(); j++) {
            difference += std::pow(static_cast<double>(results[i][j]) - rows[j], 2);
            norm += std::pow(static_cast<double>(rows[j]), 2);
        }
        const double relative = std::sqrt(difference / norm);
        // Models of 25 to 36 columns: bf16 has 8 times the rounding of fp16.
        const double limit = std::strcmp(precision, "fp16") == 0 ? 3e-3 : 2.4e-2;
        if (!(relative < limit)) return "relative error " + std::to_string(relative) + ", expected less than " + std::to_string(limit);
    }
    return "";
}

}  // namespace
}  // namespace bertha::test

int main(int count, char** arguments) {
    using namespace bertha::test;
    if (count > 3 && std::strcmp(arguments[2], "--tensor-core") == 0) choose_tensor_core(arguments[3]);
    for (const auto& entry : std::filesystem::directory_iterator(count > 1 ? arguments[1] : "."))
        for (const char* precision : {"fp32", "fp16", "bf16"}) {
            if (entry.path().extension() != ".bin") continue;
            if (std::strcmp(precision, "bf16") == 0 && bertha::cuda::device_facts(0).capability < 80) continue;
            run_case(entry.path().stem().string() + " " + precision, [&] { return check_model(entry.path().string(), precision); });
        }
    std::printf("%d passed, %d failed\n", passes, failures);
    return failures > 0 || passes == 0 ? 1 : 0;
}
