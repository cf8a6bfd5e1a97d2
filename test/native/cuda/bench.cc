// Times the kernels and whole encoders on the device that is here; one line of JSON each, microseconds as the median of 20 runs.
//   bench [--quick]      small shapes, once: shows that everything runs, its times mean nothing
// Weights and inputs are random (zeros draw less power and run faster). No Node, no PyTorch: bench_torch.py times those.
#include <algorithm>
#include <chrono>
#include <cstring>

#include "cuda/check.h"
#include "cuda/cuda_backend.h"
#include "cuda/encoder.h"

namespace bertha::test {
namespace {

bool quick = false;

double median_us(const std::function<void()>& queue, int launches) {
    std::vector<double> times;
    for (int run = 0; run < (quick ? 1 : 23); run++) {
        cuda::wait_for(nullptr);
        const auto begin = std::chrono::steady_clock::now();
        for (int i = 0; i < launches; i++) queue();
        cuda::wait_for(nullptr);
        const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - begin;
        if (run >= 3 || quick) times.push_back(time.count() / launches);  // the first ones warm up
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
}

void print(const std::string& what, const std::string& sizes, double us, double flops) {
    std::printf("{\"what\": \"%s\", %s, \"us\": %.2f, \"tflops\": %.4g}\n", what.c_str(), sizes.c_str(), us, flops / us / 1e6);
    std::fflush(stdout);
}

void bench_linear(int64_t m, int32_t n, int32_t k, Type type, bool gelu) {
    const DeviceTensor a(random_floats(static_cast<size_t>(m * k), 1), m, k, type),
        w(random_floats(static_cast<size_t>(n) * k, 2, 0.05f), n, k, type), out(m, n, type);
    const DeviceVector bias(random_floats(static_cast<size_t>(n), 3));
    const DeviceBlock partial(static_cast<size_t>(cuda::linear_scratch_floats(m, n, k)) * 4);
    cuda::LinearArgs args;
    args.input = a.tensor();
    args.weight = w.tensor();
    args.bias = bias.floats();
    args.output = out.tensor();
    args.activation = gelu ? Activation::kGelu : Activation::kNone;
    args.partial = static_cast<float*>(partial.data());
    const double us = median_us([&] { cuda::linear(args, nullptr); }, quick ? 1 : 20);
    print(gelu ? "linear_gelu" : "linear",
          std::string("\"type\": \"") + type_name(type) + "\", \"m\": " + std::to_string(m) + ", \"n\": " + std::to_string(n) +
              ", \"k\": " + std::to_string(k),
          us, 2.0 * static_cast<double>(m) * n * k);
}

void bench_attention(int32_t batch_size, int32_t seq_len, int32_t heads, int32_t dim, Type type) {
    const int32_t tokens = batch_size * seq_len, hidden = heads * dim;
    const DeviceTensor qkv(random_floats(static_cast<size_t>(tokens) * 3 * hidden, 4), tokens, 3 * hidden, type),
        context(tokens, hidden, type);
    std::vector<int32_t> cu;
    for (int32_t i = 0; i <= batch_size; i++) cu.push_back(i * seq_len);
    const DeviceInts cu_device(cu);
    cuda::DeviceBatch batch;
    batch.cu_seqlens = cu_device.ints();
    batch.batch_size = batch_size;
    batch.max_seq_len = seq_len;
    cuda::AttentionArgs args;
    args.qkv = qkv.tensor();
    args.context = context.tensor();
    args.num_heads = heads;
    args.head_dim = dim;
    args.softmax_scale = 1.0f / std::sqrt(static_cast<float>(dim));
    const double us = median_us([&] { cuda::attention(args, batch, nullptr); }, quick ? 1 : 20);
    print("attention",
          std::string("\"type\": \"") + type_name(type) + "\", \"batch_size\": " + std::to_string(batch_size) +
              ", \"seq_len\": " + std::to_string(seq_len) + ", \"heads\": " + std::to_string(heads) + ", \"dim\": " + std::to_string(dim),
          us, 4.0 * tokens * seq_len * hidden);
}

void bench_model(const char* name, int32_t layers, int32_t hidden, int32_t heads, const char* precision, int32_t batch_size,
                 int32_t seq_len) {
    const auto program = encoder(layers, hidden, heads, quick ? 100 : 30522);
    RandomSource source(*program);
    const auto model = cuda::load(program, source, "cuda", precision);
    const auto workspace = model->make_workspace();
    std::vector<int32_t> ids, types, cu{0};
    for (int32_t i = 0; i < batch_size; i++) {
        for (int32_t j = 0; j < seq_len; j++) ids.push_back((i * 31 + j * 7) % static_cast<int32_t>(program->vocab_size));
        cu.push_back(static_cast<int32_t>(ids.size()));
    }
    types.assign(ids.size(), 0);
    Batch batch;
    batch.input_ids = ids.data();
    batch.token_type_ids = types.data();
    batch.cu_seqlens = cu.data();
    batch.tokens = static_cast<int64_t>(ids.size());
    batch.batch_size = batch_size;
    batch.max_seq_len = seq_len;
    std::vector<float> vectors(static_cast<size_t>(batch_size) * hidden);
    const std::vector<Output> outputs{{static_cast<int32_t>(program->values.size() - 1), vectors.data()}};
    Solo solo;
    NoControl control;
    const double us = median_us([&] { model->run(batch, outputs, *workspace, solo, control); }, 1);
    for (int32_t i = 0; i < batch_size; i++) {
        double squares = 0.0;
        for (int32_t j = 0; j < hidden; j++) squares += std::pow(vectors[static_cast<size_t>(i) * hidden + j], 2);
        if (!(std::fabs(squares - 1.0) < 1e-3)) report(false, name, "vector " + std::to_string(i) + " has length " + std::to_string(std::sqrt(squares)));
    }
    const double flops = static_cast<double>(batch.tokens) * layers * (24.0 * hidden * hidden + 4.0 * seq_len * hidden);
    print("model",
          std::string("\"model\": \"") + name + "\", \"type\": \"" + precision + "\", \"batch_size\": " + std::to_string(batch_size) +
              ", \"seq_len\": " + std::to_string(seq_len),
          us, flops);
}

void bench_all() {
    struct Shape {
        const char* name;
        int32_t layers, hidden, heads;
    };
    const std::vector<Shape> shapes = quick ? std::vector<Shape>{{"small", 1, 64, 2}}
                                            : std::vector<Shape>{{"minilm", 6, 384, 12}, {"base", 12, 768, 12}, {"large", 24, 1024, 16}};
    const std::vector<const char*> precisions =
        cuda::device_facts(0).capability >= 80 ? std::vector<const char*>{"bf16", "fp16", "fp32"} : std::vector<const char*>{"fp16", "fp32"};
    const Type half = cuda::device_facts(0).capability >= 80 ? Type::kBfloat16 : Type::kHalf;
    for (const Shape& shape : shapes) {
        const int32_t h = shape.hidden;
        for (int64_t m : quick ? std::vector<int64_t>{33} : std::vector<int64_t>{16, 128, 4224, 8448}) {
            bench_linear(m, 3 * h, h, half, false);
            bench_linear(m, h, h, half, false);
            bench_linear(m, 4 * h, h, half, true);
            bench_linear(m, 4 * h, h, half, false);
            bench_linear(m, h, 4 * h, half, false);
        }
        for (int32_t seq_len : quick ? std::vector<int32_t>{17} : std::vector<int32_t>{16, 64, 128, 512})
            bench_attention(quick ? 2 : 8192 / seq_len, seq_len, shape.heads, h / shape.heads, half);
        for (const char* precision : precisions) {
            bench_model(shape.name, shape.layers, h, shape.heads, precision, 1, quick ? 9 : 128);
            if (!quick)
                for (int32_t seq_len : {128, 384, 512}) bench_model(shape.name, shape.layers, h, shape.heads, precision, 8448 / seq_len, seq_len);
        }
    }
}

}  // namespace
}  // namespace bertha::test

int main(int count, char** arguments) {
    using namespace bertha::test;
    quick = count > 1 && std::strcmp(arguments[1], "--quick") == 0;
    poisons = false;
    run_case("bench", [] {
        bench_all();
        return std::string();
    });
    if (failures > 0) std::printf("%d failed\n", failures);
    return failures > 0 ? 1 : 0;
}
