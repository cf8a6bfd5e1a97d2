// Times the CPU kernels one by one on the shapes of a BERT layer: what each op of a forward and of a backward
// costs, its GF/s (int8: GOP/s) and its share of the measured peak. Build and run it with: npm run bench:kernels
//   kernels [--precision P,P] [--tokens T,T] [--length L] [--hidden H] [--heads N] [--layers N] [--repeats N]
// L is the length of each text in the batch (default: one text of all tokens). Times are thread CPU time,
// so that other processes disturb them least; best and median of the repeats.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "cpu/isa/isa.h"
#include "cpu/peak.h"
#include "kernels/attention.h"
#include "kernels/backward.h"
#include "kernels/timing.h"

namespace {

using namespace bertha;
using namespace bertha::bench;
using namespace bertha::cpu;

constexpr int64_t kBlockRows = 64;  // as cpu_backend.cc

struct Options {
    std::vector<std::string> precisions;
    std::vector<int64_t> tokens = {16, 128, 192, 512};
    int64_t length = 0, hidden = 384, heads = 12, layers = 6, repeats = 15;
};

// One weight per layer, so that a loop over the layers reads memory as a forward does.
struct Weight {
    int64_t n, k, panel_bytes;
    Memory memory;
    Memory bias;
    Weight(const MatrixFormat& format, int64_t layers, int64_t n, int64_t k)
        : n(n),
          k(k),
          panel_bytes(format.panel_bytes(format.panel_width, k)),
          memory((layers * panels(format, n) + 1) * panel_bytes),
          bias(random_floats(n + 256, 0.1f)) {
        const Memory source = random_floats(n * k, 0.05f);
        for (int64_t layer = 0; layer < layers; layer++)
            for (int64_t panel = 0; panel < panels(format, n); panel++) {
                const int64_t begin = panel * format.panel_width;
                format.pack_panel(source.floats() + begin * k, std::min(format.panel_width, n - begin), k,
                                  nullptr, memory.data + (layer * panels(format, n) + panel) * panel_bytes);
            }
    }
    static int64_t panels(const MatrixFormat& format, int64_t n) {
        return (n + format.panel_width - 1) / format.panel_width;
    }
};

void profile(const KernelTable& table, const MatrixFormat& format, int64_t tokens, const Options& options,
             double peak) {
    const int64_t h = options.hidden, layers = options.layers;
    const int64_t length = options.length > 0 ? std::min(options.length, tokens) : tokens;
    const int64_t blocks = (tokens + kBlockRows - 1) / kBlockRows;
    const auto each_block = [&](const auto& work) {
        for (int64_t layer = 0; layer < layers; layer++)
            for (int64_t b = 0; b < blocks; b++)
                work(layer, tokens * b / blocks, tokens * (b + 1) / blocks);
    };
    std::vector<Row> rows;
    const auto add = [&](const char* op, const std::string& shape, double operations,
                         const std::function<void()>& work) {
        Timing timing = time_of(options.repeats, work);
        timing.best /= static_cast<double>(layers);
        timing.median /= static_cast<double>(layers);
        rows.push_back({op, shape, timing, operations / 1e9});
    };
    const Memory hidden = random_floats(tokens * h, 1.0f), wide = random_floats(tokens * 4 * h, 1.0f);
    Memory output(tokens * 4 * h * 4), prepared(tokens * (4 * h * 4 + 256));
    const auto linear = [&](const char* name, int64_t n, int64_t k, Activation activation, bool residual) {
        const Weight weight(format, layers, n, k);
        const float* input = k == h ? hidden.floats() : wide.floats();
        const int64_t row_bytes = format.row_bytes(k);
        const std::string shape = std::to_string(k) + "x" + std::to_string(n);
        if (row_bytes > 0) {
            add((std::string("prepare ") + name).c_str(), std::to_string(k), 0, [&] {
                each_block([&](int64_t, int64_t begin, int64_t end) {
                    format.prepare_rows(input + begin * k, k, end - begin, k, nullptr,
                                        prepared.data + begin * row_bytes);
                });
            });
        }
        add(name, shape, 2.0 * static_cast<double>(tokens * n * k), [&] {
            each_block([&](int64_t layer, int64_t begin, int64_t end) {
                LinearArgs args;
                args.input = input + begin * k;
                args.input_stride = k;
                args.prepared = prepared.data + begin * row_bytes;
                const int64_t panels = Weight::panels(format, n);
                args.matrix = {weight.memory.data + layer * panels * weight.panel_bytes, weight.panel_bytes,
                               n, k};
                args.bias = weight.bias.floats();
                args.residual = residual ? hidden.floats() + begin * n : nullptr;
                args.output = output.floats() + begin * n;
                args.output_stride = n;
                args.rows = end - begin;
                args.panel_end = panels;
                args.activation = activation;
                format.linear(args);
            });
        });
    };
    linear("qkv", 3 * h, h, Activation::kNone, false);
    const bool bf16 = table.attention_bf16 != nullptr && (&format == &table.bf16 || &format == &table.int8);
    const int64_t head_dim = h / options.heads;
    const Memory qkv = random_floats(tokens * 3 * h, 1.0f);
    double operations = 0;
    for (int64_t begin = 0; begin < tokens; begin += length) {
        const auto keys = static_cast<double>(std::min(length, tokens - begin));
        operations += 4 * keys * keys * static_cast<double>(h);
    }
    const Positions positions(length, head_dim);
    const auto attend = [&](const char* name, bool rounds, double products, const auto& place) {
        AttentionArgs longest = packed_head(qkv, output, output, 0, length, 0, head_dim, h);
        place(longest);
        const Memory scratch(
            (rounds ? table.attention_bf16_scratch : table.attention_scratch)(longest) * 4);
        add(name, std::to_string(length), products, [&] {
            for (int64_t layer = 0; layer < layers; layer++)
                for (int64_t begin = 0; begin < tokens; begin += length)
                    for (int64_t head = 0; head < options.heads; head++) {
                        AttentionArgs args = packed_head(qkv, output, scratch, begin,
                                                         std::min(length, tokens - begin), head, head_dim, h);
                        place(args);
                        (rounds ? table.attention_bf16 : table.attention)(args);
                    }
        });
    };
    attend(bf16 ? "attention (bf16)" : "attention", bf16, operations, [](AttentionArgs&) {});
    // The shares of these are of what plain attention would multiply: a window's grows with the text.
    attend("rotary attention", bf16, operations, [&](AttentionArgs& args) { positions.rotary(args); });
    attend("window of 64", bf16, operations, [&](AttentionArgs& args) { positions.window(args); });
    attend("slopes", bf16, operations, [&](AttentionArgs& args) { positions.slopes(args); });
    attend("disentangled", false, operations, [&](AttentionArgs& args) { positions.disentangled(args); });
    linear("output + residual", h, h, Activation::kNone, true);
    const Memory gain = random_floats(h, 1.0f);
    add("layer norm, twice", std::to_string(h), 0, [&] {
        for (int twice = 0; twice < 2; twice++)
            each_block([&](int64_t, int64_t begin, int64_t end) {
                table.layer_norm(hidden.floats() + begin * h, gain.floats(), gain.floats(),
                                 output.floats() + begin * h, end - begin, h, 1e-12f);
            });
    });
    linear("ffn1 + gelu", 4 * h, h, Activation::kGelu, false);
    linear("ffn2 + residual", h, 4 * h, Activation::kNone, true);
    std::printf("%s, %lld tokens in texts of %lld\n", format.precision, static_cast<long long>(tokens),
                static_cast<long long>(length));
    print(rows, peak);
}

std::vector<std::string> split(const char* list) {
    std::vector<std::string> parts;
    for (const char* c = list; *c != '\0'; c++) {
        if (parts.empty() || *c == ',') parts.emplace_back();
        if (*c != ',') parts.back() += *c;
    }
    return parts;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string name = argv[i];
        if (name == "--precision") {
            options.precisions = split(argv[i + 1]);
        } else if (name == "--tokens") {
            options.tokens.clear();
            for (const std::string& part : split(argv[i + 1])) options.tokens.push_back(std::stoll(part));
        } else if (name == "--length") {
            options.length = std::stoll(argv[i + 1]);
        } else if (name == "--hidden") {
            options.hidden = std::stoll(argv[i + 1]);
        } else if (name == "--heads") {
            options.heads = std::stoll(argv[i + 1]);
        } else if (name == "--layers") {
            options.layers = std::stoll(argv[i + 1]);
        } else if (name == "--repeats") {
            options.repeats = std::stoll(argv[i + 1]);
        } else {
            std::fprintf(stderr, "unknown option %s\n", argv[i]);
            return 2;
        }
    }
    const KernelTable& table = kernels();
    std::printf("%s\n  %-22s %-16s %9s %9s %7s %8s %7s\n", table.isa, "op of one layer", "shape", "best us",
                "median us", "share", "GF/s", "peak");
    for (const Peak& peak : measure_peaks()) {
        const bool wanted = options.precisions.empty() ||
                            std::find(options.precisions.begin(), options.precisions.end(),
                                      peak.precision) != options.precisions.end();
        if (!wanted) continue;
        std::printf("peak of %s: %.0f GF/s\n", peak.precision, peak.giga_ops);
        for (int64_t tokens : options.tokens) {
            profile(table, format_for(table, peak.precision), tokens, options, peak.giga_ops);
            const std::string precision = peak.precision;
            const BackwardShape shape = {tokens,         options.length,  options.hidden,     options.heads,
                                         options.layers, options.repeats, precision == "bf16"};
            if (precision == "fp32" || precision == "bf16") profile_backward(shape, peak.giga_ops);
        }
    }
    return 0;
}
