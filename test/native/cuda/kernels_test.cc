// Every op of the CUDA backend at odd sizes against float64. Built with the emulator, or with nvcc for a GPU.
//   kernels_test [NAME...] [--sample N/M] [--seed S] [--repeat R] [--bare] [--list | --launches] [--tensor-core NAME]
// A NAME is a case's, or the first words of several ("linear", "attention fp16"), or a part of some; without any, all cases run.
//   --sample     every M-th case from N on           --repeat     R times, all with the same bits
//   --seed       how the emulator runs it            --bare       leaves fresh memory as it is
//   --list       prints the names and runs nothing   --launches   prints "NAME: KERNEL" for each kernel a case launched (emulator)
//   --tensor-core plain, ampere or hopper: how the emulator's mma rounds
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "cuda/check.h"
#include "cuda/check_attention.h"
#include "cuda/check_columns.h"
#include "cuda/check_rows.h"

namespace bertha::test {

namespace {

// As HF's modules define them.
double activate(Activation activation, double x) {
    switch (activation) {
        case Activation::kNone: return x;
        case Activation::kGelu: return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
        case Activation::kGeluTanh: return 0.5 * x * (1.0 + std::tanh(std::sqrt(2.0 / M_PI) * (x + 0.044715 * x * x * x)));
        case Activation::kRelu: return std::max(x, 0.0);
        case Activation::kSilu: return x / (1.0 + std::exp(-x));
        case Activation::kTanh: return std::tanh(x);
        case Activation::kSigmoid: return 1.0 / (1.0 + std::exp(-x));
        case Activation::kQuickGelu: return x / (1.0 + std::exp(-1.702 * x));
        case Activation::kRelu6: return std::min(std::max(x, 0.0), 6.0);
        case Activation::kReluSquared: return x < 0.0 ? 0.0 : x * x;
        case Activation::kLeakyRelu: return x < 0.0 ? 0.01 * x : x;
        case Activation::kMish: return x * std::tanh(std::log1p(std::exp(x)));
    }
    return x;
}
constexpr const char* kActivationNames[] = {"none", "gelu", "gelu_tanh", "relu", "silu", "tanh", "sigmoid", "quick_gelu", "relu6",
                                            "relu_squared", "leaky_relu", "mish"};

struct LinearCase {
    int64_t m;
    int32_t n, k;
    Type type, out;
    bool bias, residual;
    Activation activation;
    bool gated = false;  // n columns of the output, twice as many of the product
};

// Rows [2n, width] of a gated product in LinearArgs' order: of a, of what it multiplies, by turns; zeros beyond the last.
std::vector<float> in_gate_order(const std::vector<float>& rows, int32_t n, int32_t width) {
    constexpr int32_t kGroup = cuda::kGateColumns;
    std::vector<float> ordered(static_cast<size_t>((n + kGroup - 1) / kGroup * 2 * kGroup) * width, 0.0f);
    for (int32_t row = 0; row < 2 * n; row++) {
        const int32_t column = row % n, to = column / kGroup * 2 * kGroup + row / n * kGroup + column % kGroup;
        std::copy(rows.begin() + int64_t{row} * width, rows.begin() + (int64_t{row} + 1) * width, ordered.begin() + int64_t{to} * width);
    }
    return ordered;
}

std::string check_linear(const LinearCase& c, std::vector<float>* bits = nullptr) {
    const int32_t columns = c.gated ? 2 * c.n : c.n;
    const auto input = rounded(c.type, random_floats(static_cast<size_t>(c.m * c.k), 1));
    const auto weight = rounded(c.type, random_floats(static_cast<size_t>(columns) * c.k, 2, 1.0f / std::sqrt(c.k)));
    const auto bias = random_floats(static_cast<size_t>(columns), 3);
    const auto residual = rounded(c.out, random_floats(static_cast<size_t>(c.m * c.n), 4));
    const auto rows = c.gated ? in_gate_order(weight, c.n, c.k) : weight;
    const DeviceTensor a(input, c.m, c.k, c.type), w(rows, static_cast<int64_t>(rows.size()) / c.k, c.k, c.type), r(residual, c.m, c.n, c.out),
        out(c.m, c.n, c.out);
    const DeviceVector b(c.gated ? in_gate_order(bias, c.n, 1) : bias);
    cuda::LinearArgs args;
    args.input = a.tensor();
    args.weight = w.tensor();
    if (c.bias) args.bias = b.floats();
    if (c.residual) args.residual = r.tensor();
    args.output = out.tensor();
    args.activation = c.activation;
    args.gated = c.gated;
    cuda::linear(args, nullptr);
    const std::vector<float> actual = out.read();
    if (bits != nullptr) *bits = actual;
    // A column of the product, and the sum of its terms' sizes.
    const auto product = [&](int64_t row, int32_t column) {
        double sum = c.bias ? bias[static_cast<size_t>(column)] : 0.0, size = std::fabs(sum);
        for (int32_t i = 0; i < c.k; i++) {
            const double term = static_cast<double>(input[static_cast<size_t>(row * c.k + i)]) * weight[static_cast<size_t>(column) * c.k + i];
            sum += term;
            size += std::fabs(term);
        }
        return std::pair(sum, size);
    };
    std::vector<double> expected, tolerances;
    for (int64_t row = 0; row < c.m; row++)
        for (int32_t column = 0; column < c.n; column++) {
            auto [sum, size] = product(row, column);
            // An activation multiplies errors by its slope: up to 1.13, relu_squared's 2 |x|.
            double value = activate(c.activation, sum);
            if (c.activation == Activation::kReluSquared) size *= 2 * std::fabs(sum) + 1;
            double gelu_error = c.activation == Activation::kGelu && c.out != Type::kFloat ? std::fabs(value) * 0x1p-13 : 0.0;
            if (c.gated) {
                const auto [factor, size_of_factor] = product(row, c.n + column);
                size = size * std::fabs(factor) + size_of_factor * std::fabs(value);
                value *= factor;
                gelu_error *= std::fabs(factor);
            }
            if (c.residual) value += residual[static_cast<size_t>(row * c.n + column)];
            expected.push_back(value);
            tolerances.push_back(size * (8 + c.k) * 0x1p-24 / 2 + (std::fabs(value) + 1e-6) * 1.01 * unit_roundoff(c.out) + gelu_error + 1e-6);
        }
    return compare(actual, expected, [&](size_t i) { return tolerances[i]; });
}

std::string check_layer_norm(int64_t rows, int32_t width, Type type, float mean, bool has_bias) {
    const auto x = rounded(type, random_floats(static_cast<size_t>(rows * width), 6, mean == 0.0f ? 1.0f : 0.02f, mean));
    const auto weight = random_floats(static_cast<size_t>(width), 7, 0.3f, 1.0f), bias = random_floats(static_cast<size_t>(width), 8);
    const DeviceTensor input(x, rows, width, type), output(rows, width, type);
    const DeviceVector w(weight), b(bias);
    cuda::layer_norm(input.tensor(), w.floats(), has_bias ? b.floats() : cuda::Floats{}, 1e-12f, output.tensor(), nullptr);
    std::vector<double> expected;
    for (int64_t row = 0; row < rows; row++) {
        double sum = 0.0, squares = 0.0;
        const float* r = x.data() + row * width;
        for (int32_t i = 0; i < width; i++) sum += r[i];
        for (int32_t i = 0; i < width; i++) squares += (r[i] - sum / width) * (r[i] - sum / width);
        for (int32_t i = 0; i < width; i++)
            expected.push_back((r[i] - sum / width) / std::sqrt(squares / width + 1e-12) * weight[static_cast<size_t>(i)] +
                               (has_bias ? bias[static_cast<size_t>(i)] : 0.0f));
    }
    return compare(output.read(), expected, [&](size_t i) {
        return (std::fabs(expected[i]) + 1) * (1.01 * unit_roundoff(type) + 1e-5);
    });
}

struct Named {
    std::string name;
    std::function<std::string()> body;
};

std::vector<Named> all_cases() {
    std::vector<Named> cases;
    const auto number = [](int64_t x) { return std::to_string(x); };
    for (Type type : {Type::kFloat, Type::kHalf, Type::kBfloat16}) {
        if (type == Type::kBfloat16 && cuda::device_facts(0).capability < 80) continue;
        const std::string t = std::string(" ") + type_name(type);
        for (const auto& [m, n, k] : std::vector<std::tuple<int64_t, int32_t, int32_t>>{
                 {1, 1, 1}, {1, 64, 32}, {15, 25, 27}, {16, 75, 25}, {17, 34, 136}, {63, 65, 31}, {64, 128, 64}, {65, 129, 33},
                 {127, 100, 100}, {128, 2, 768}, {129, 130, 96}, {513, 137, 72}, {600, 40, 40}}) {
            const int64_t seed = m + n + k;
            for (int variant = 0; variant < 2; variant++) {
                const LinearCase c{m, n, k, type, variant == 1 && seed % 2 == 0 ? Type::kFloat : type, variant == 1,
                                   variant == 1, variant == 1 ? Activation::kGelu : Activation::kNone};
                cases.push_back({"linear" + t + " m=" + number(m) + " n=" + number(n) + " k=" + number(k) +
                                     (variant == 1 ? " bias_gelu_residual" : ""),
                                 [c] { return check_linear(c); }});
            }
        }
        for (int64_t m : {1, 9, 33, 129})
            cases.push_back({"linear in parts" + t + " m=" + number(m), [=] {
                                 return check_linear({m, 70, 2080, type, type, true, true, Activation::kNone});
                             }});
        // More than the four that a block makes at a time.
        cases.push_back({"linear in six parts" + t, [=] {
                             std::vector<float> many;
                             for (int64_t m : {129, 33, 17, 9, 2}) {
                                 std::vector<float> few;
                                 const std::string problem = check_linear({m, 21, 6180, type, type, true, true, Activation::kNone}, &few);
                                 if (!problem.empty()) return problem;
                                 if (many.empty()) many = few;
                                 if (std::memcmp(few.data(), many.data(), few.size() * sizeof(float)) != 0)
                                     return "other bits at m=" + std::to_string(m);
                             }
                             return std::string();
                         }});
        for (int i = 0; i < static_cast<int>(std::size(kActivationNames)); i++)
            cases.push_back({"linear " + std::string(kActivationNames[i]) + t, [=] {
                                 std::string problem;
                                 for (const auto& [m, k] : {std::pair{3, 40}, std::pair{66, 40}, std::pair{66, 2080}, std::pair{130, 2080}})
                                     problem += check_linear({m, 34, k, type, type, true, true, static_cast<Activation>(i)});
                                 return problem;
                             }});
        cases.push_back({"linear gives a row the same bits in every tile" + t, [=] {
                             // The first rows of every m are the same.
                             // 5, 16 and 32 are linear_small's tiles, the others linear_mma's but for long k up to 128.
                             for (Activation activation : {Activation::kGelu, Activation::kSilu})
                                 for (int32_t k : {64, 2080}) {
                                     std::vector<float> many;
                                     for (int64_t m : {520, 70, 32, 16, 5}) {
                                         std::vector<float> few;
                                         const std::string problem = check_linear({m, 40, k, type, type, true, true, activation}, &few);
                                         if (!problem.empty()) return problem;
                                         if (many.empty()) many = few;
                                         if (std::memcmp(few.data(), many.data(), few.size() * sizeof(float)) != 0)
                                             return "other bits at m=" + std::to_string(m) + " k=" + std::to_string(k);
                                     }
                                 }
                             return std::string();
                         }});
        // Columns that fill a group of gates and that do not; every tile.
        for (const auto& [m, n, k] : std::vector<std::tuple<int64_t, int32_t, int32_t>>{
                 {1, 1, 1}, {7, 5, 27}, {16, 75, 25}, {33, 34, 40}, {65, 37, 72}, {130, 66, 33}, {520, 70, 40}, {9, 18, 2080}, {140, 18, 2080}})
            for (int variant = 0; variant < 2; variant++)
                cases.push_back({"linear gated" + t + " m=" + number(m) + " n=" + number(n) + " k=" + number(k) + (variant == 1 ? " bias_silu" : " gelu"), [=] {
                                     return check_linear({m, n, k, type, type, variant == 1, false, variant == 1 ? Activation::kSilu : Activation::kGelu, true});
                                 }});
        for (int i = 0; i < static_cast<int>(std::size(kActivationNames)); i++)
            cases.push_back({"linear gated " + std::string(kActivationNames[i]) + t, [=] {
                                 return check_linear({3, 34, 40, type, type, true, false, static_cast<Activation>(i), true}) +
                                        check_linear({66, 34, 40, type, type, true, false, static_cast<Activation>(i), true});
                             }});
        cases.push_back({"linear gated gives a row the same bits in every tile" + t, [=] {
                             std::vector<float> many;
                             for (int64_t m : {520, 70, 32, 16, 5}) {
                                 std::vector<float> few;
                                 const std::string problem = check_linear({m, 37, 64, type, type, true, false, Activation::kGelu, true}, &few);
                                 if (!problem.empty()) return problem;
                                 if (many.empty()) many = few;
                                 if (std::memcmp(few.data(), many.data(), few.size() * sizeof(float)) != 0) return "other bits at m=" + std::to_string(m);
                             }
                             return std::string();
                         }});
        for (int32_t dim : {4, 5, 8, 12, 16, 25, 26, 32, 36, 48, 64, 80, 128})
            cases.push_back({"attention" + t + " head_dim=" + number(dim), [=] {
                                 return check_attention({{1, 15, 16, 17, 65}, 2, dim, type, dim % 2 == 0, true});
                             }});
        for (int32_t length : {1, 2, 31, 33, 63, 64, 65, 127, 128, 129, 257, 513})
            cases.push_back({"attention" + t + " seq_len=" + number(length), [=] {
                                 return check_attention({{length, 3}, 1, 32, type, length % 2 == 0, length < 130});
                             }});
        // Texts that share blocks: 1 to 4 warps each, in an order that leaves gaps, and long ones among them.
        for (int32_t dim : {12, 32, 64, 128})
            cases.push_back({"attention of many texts" + t + " head_dim=" + number(dim), [=] {
                                 return check_attention({{3, 48, 16, 17, 33, 64, 1, 90, 32, 20, 49, 5, 130, 16, 16}, 1, dim, type, dim == 32, false});
                             }});
        // Key blocks on both sides of the window that no query of a block sees, warps that see none of a step, a window of one key, and of all.
        for (const auto& [length, window, dim] : {std::tuple{1, 3, 20}, std::tuple{64, 1, 64}, std::tuple{65, 5, 128}, std::tuple{200, 16, 64},
                                                  std::tuple{200, 16, 128}, std::tuple{333, 33, 20}, std::tuple{130, 500, 32}}) {
            AttentionCase c{{length, 3, 17}, 2, dim, type, window == 16, length < 130};
            c.window = window;
            cases.push_back({"attention with a window" + t + " seq_len=" + number(length) + " window=" + number(window) + " head_dim=" + number(dim),
                             [c] { return check_attention(c); }});
        }
        for (const auto& shape : {std::pair{5, 33}, std::pair{12, 70}, std::pair{64, 70}, std::pair{80, 33}}) {
            const int32_t dim = shape.first, length = shape.second;
            const auto with = [&](const std::string& what, auto&& change) {
                AttentionCase c{{length, 3, 40}, 2, dim, type, false, true};
                change(c);
                cases.push_back({"attention with " + what + t + " seq_len=" + number(length) + " head_dim=" + number(dim), [=] { return check_attention(c); }});
            };
            with("slopes", [](AttentionCase& c) { c.slopes = true; });
            with("rows apart", [](AttentionCase& c) { c.apart = true; });
            with("content to position", [](AttentionCase& c) { c.content = true; });
            with("position to content, one row for all heads", [](AttentionCase& c) {
                c.position = true;
                c.by_head = false;
            });
            with("disentangled scores", [](AttentionCase& c) { c.content = c.position = c.apart = true; });
            with("first keys", [](AttentionCase& c) { c.first_keys = true; });
            with("turned heads", [&](AttentionCase& c) { c.pairs = dim / 2; });
            with("heads turned in part", [&](AttentionCase& c) { c.pairs = dim / 4; });
            with("turned heads, rows apart and a window", [&](AttentionCase& c) {
                c.pairs = dim / 2;
                c.apart = true;
                c.window = 9;
            });
        }
        cases.push_back({"attention gives a sequence the same bits in every batch, by distance" + t, [=] {
                             for (int32_t length : {37, 150}) {
                                 std::vector<float> alone, among;
                                 AttentionCase c{{length}, 2, 32, type, false, false};
                                 c.window = 20;
                                 c.pairs = 16;
                                 c.slopes = true;
                                 std::string problem = check_attention(c, &alone);
                                 c.lengths = {5, length, 16};
                                 problem += check_attention(c, &among);
                                 if (!problem.empty()) return problem;
                                 if (!std::equal(alone.begin(), alone.end(), among.begin() + 5 * 2 * 32)) return "other bits: " + std::to_string(length);
                             }
                             return std::string();
                         }});
        cases.push_back({"attention" + t + " huge logits", [=] {
                             return check_attention({{40, 70}, 1, 32, type, false, true, 6.0f});
                         }});
        cases.push_back({"attention gives a sequence the same bits in every batch" + t, [=] {
                             // After texts that leave it the block's second and third warps, alone in one, and walking over keys.
                             for (const auto& [length, before] : {std::pair{37, 5}, std::pair{37, 129}, std::pair{16, 33}, std::pair{50, 64}, std::pair{70, 3}})
                                 for (int32_t dim : {32, 128}) {
                                     std::vector<float> alone, among;
                                     const std::string problem = check_attention({{length}, 2, dim, type, true, false}, &alone) +
                                                                 check_attention({{before, length, 5}, 2, dim, type, true, false}, &among);
                                     if (!problem.empty()) return problem;
                                     if (!std::equal(alone.begin(), alone.end(), among.begin() + before * 2 * dim))
                                         return "other bits: " + std::to_string(length) + " after " + std::to_string(before);
                                 }
                             return std::string();
                         }});
        for (int32_t width : {1, 7, 25, 34, 129, 256, 384, 500, 768, 1024, 1031})
            for (float mean : {0.0f, 1e4f}) {
                if (mean != 0.0f && type != Type::kFloat) continue;
                cases.push_back({"layer_norm" + t + " width=" + number(width) + " mean=" + number(static_cast<int>(mean)),
                                 [=] {
                                     const std::string problem = check_layer_norm(7, width, type, mean, true);
                                     return problem.empty() ? check_layer_norm(7, width, type, mean, false) : problem;
                                 }});
            }
        for (int32_t width : {1, 25, 64}) cases.push_back({"columns" + t + " width=" + number(width), [=] { return check_columns(type, width); }});
        for (int32_t n : {1, 70, 2100})
            for (int32_t logs : {1, 2})
                cases.push_back({"pool_linear" + t + " n=" + number(n) + " logs=" + number(logs), [=] {
                                     return check_pool_linear(type, n, 21, false, logs) + (n < 100 ? check_pool_linear(type, n, 21, true, logs) : "");
                                 }});
        for (int32_t width : {1, 25, 34, 130, 384, 600, 1000})
            cases.push_back({"rows" + t + " width=" + number(width), [=] { return check_rows(type, width); }});
    }
    cases.push_back({"attention deals texts out to blocks", [] {
                         std::vector<int32_t> mixed;
                         for (int32_t i = 0; i < 500; i++) mixed.push_back(1 + i * i * 7 % 200);
                         return check_attention_blocks({}, 0) + check_attention_blocks({16, 16, 16, 16, 1}, 2) +
                                check_attention_blocks({17, 17, 32, 32}, 2) + check_attention_blocks({48, 33, 16, 5}, 2) +
                                check_attention_blocks({64, 65, 128, 129}, 8) + check_attention_blocks({40, 20, 40, 20, 10, 10}, 3) +
                                check_attention_blocks(mixed, 1000);
                     }});
    for (int32_t width : {1, 2, 31, 255, 257, 1000})
        for (int64_t rows : {1, 3})
            cases.push_back({"pick_targets rows=" + number(rows) + " width=" + number(width),
                             [=] { return check_pick_targets(rows, width); }});
    for (int32_t width : {1, 2, 17, 255, 257, 1000})
        for (bool ties : {false, true})
            cases.push_back({"top_k width=" + number(width) + (ties ? " ties" : ""),
                             [=] { return check_top_k(width, std::min(width, 9), ties); }});
    return cases;
}

// The cases that `name` means: the one of that name, else those that begin with it, else those that hold it.
void choose(const std::vector<Named>& cases, const std::string& name, std::vector<bool>& chosen) {
    const std::function<bool(const std::string&)> readings[] = {
        [&](const std::string& each) { return each == name; },
        [&](const std::string& each) { return each.compare(0, name.size() + 1, name + " ") == 0; },
        [&](const std::string& each) { return each.find(name) != std::string::npos; },
    };
    for (const auto& matches : readings) {
        bool found = false;
        for (size_t i = 0; i < cases.size(); i++)
            if (matches(cases[i].name)) found = chosen[i] = true;
        if (found) return;
    }
    report(false, name, "no case has this name");
}

}  // namespace
}  // namespace bertha::test

int main(int count, char** arguments) {
    using namespace bertha::test;
    int first = 0, every = 1, seed = 0;
    bool lists = false, shows_launches = false;
    const std::vector<Named> cases = all_cases();
    std::vector<bool> chosen(cases.size());
    bool names_given = false;
    for (int i = 1; i < count; i++) {
        if (std::strcmp(arguments[i], "--sample") == 0 && i + 1 < count) std::sscanf(arguments[++i], "%d/%d", &first, &every);
        else if (std::strcmp(arguments[i], "--seed") == 0 && i + 1 < count) seed = std::atoi(arguments[++i]);
        else if (std::strcmp(arguments[i], "--repeat") == 0 && i + 1 < count) repeats = std::atoi(arguments[++i]);
        else if (std::strcmp(arguments[i], "--tensor-core") == 0 && i + 1 < count) choose_tensor_core(arguments[++i]);
        else if (std::strcmp(arguments[i], "--bare") == 0) poisons = false;
        else if (std::strcmp(arguments[i], "--list") == 0) lists = true;
        else if (std::strcmp(arguments[i], "--launches") == 0) shows_launches = true;
        else {
            choose(cases, arguments[i], chosen);
            names_given = true;
        }
    }
    if (!names_given) chosen.assign(cases.size(), true);
    int index = 0;
    for (size_t i = 0; i < cases.size(); i++) {
        const Named& each = cases[i];
        if (!chosen[i] || index++ % every != first % every) continue;
        if (lists) {
            std::printf("%s\n", each.name.c_str());
            continue;
        }
#ifdef BERTHA_CUDA_EMULATED
        // Every case meets a mode; the seed decides which one.
        auto& options = bertha::emulator::options();
        options.async = static_cast<bertha::emulator::Async>((index + seed) % 3);
        options.order = static_cast<bertha::emulator::Order>(((index + seed) / 3) % 3);
        options.seed = static_cast<uint32_t>(index + 1009 * seed);
#endif
        run_case(each.name, each.body);
#ifdef BERTHA_CUDA_EMULATED
        for (const std::string& kernel : bertha::emulator::take_launches())
            if (shows_launches) std::printf("%s: %s\n", each.name.c_str(), kernel.c_str());
#else
        if (shows_launches) report(false, "--launches", "the device keeps no record of launches");
#endif
    }
    if (lists) return failures > 0 ? 1 : 0;
    std::printf("%d passed, %d failed\n", passes, failures);
    return failures > 0 || passes == 0 ? 1 : 0;
}
