// Times the kernels and whole encoders on the device that is here; one line of JSON each, microseconds as the median of 20 runs.
//   bench [--quick] [--seconds S]
//     --quick      small shapes, once: shows that everything runs, its times mean nothing
//     --seconds    begins no measurement after S seconds; what matters most comes first
// Of a kernel it is the device's time (stopwatch.h), of a whole encoder the caller's, copies and waiting included.
// Weights and inputs are random (zeros draw less power and run faster). No Node, no PyTorch: scripts/gpu-targets.py times that.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "cuda/kernels/attention_blocks.h"
#include "cuda/check.h"
#include "cuda/cuda_backend.h"
#include "cuda/encoder.h"
#include "cuda/stopwatch.h"

namespace bertha::test {
namespace {

using Clock = std::chrono::steady_clock;

bool quick = false;
double seconds = 1e9;
int left_out = 0;
const Clock::time_point started = Clock::now();

bool is_time_out() {
    if (std::chrono::duration<double>(Clock::now() - started).count() < seconds) return false;
    left_out++;
    return true;
}

double median(std::vector<double> times) {
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
}

// One run takes as many launches as fill 2 ms, so that neither the first one's way to the device nor the clock's grain counts.
double median_us_of_kernel(const std::function<void()>& queue) {
    Stopwatch stopwatch;
    const double once = std::max(0.5, stopwatch.microseconds(queue, 1));
    if (quick) return once;
    const int launches = std::max(1, std::min(1000, static_cast<int>(2000 / std::max(0.5, stopwatch.microseconds(queue, 3) / 3))));
    std::vector<double> times;
    for (int run = 0; run < 20; run++) times.push_back(stopwatch.microseconds(queue, launches) / launches);
    return median(times);
}

double median_us_of_call(const std::function<void()>& call) {
    std::vector<double> times;
    for (int run = 0; run < (quick ? 1 : 23); run++) {
        const auto begin = Clock::now();
        call();
        if (run >= 3 || quick) times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
    }
    return median(times);
}

void print(const std::string& what, const std::string& sizes, double us, double flops) {
    std::printf("{\"what\": \"%s\", %s, \"us\": %.2f, \"tflops\": %.4g}\n", what.c_str(), sizes.c_str(), us, flops / us / 1e6);
    std::fflush(stdout);
}

void bench_linear(int64_t m, int32_t n, int32_t k, Type type, bool gelu) {
    if (is_time_out()) return;
    const DeviceTensor a(drawn_floats(static_cast<size_t>(m * k), 1), m, k, type),
        w(drawn_floats(static_cast<size_t>(n) * k, 2, 0.05f), n, k, type), out(m, n, type);
    const DeviceVector bias(drawn_floats(static_cast<size_t>(n), 3));
    cuda::LinearArgs args;
    args.input = a.tensor();
    args.weight = w.tensor();
    args.bias = bias.floats();
    args.output = out.tensor();
    args.activation = gelu ? Activation::kGelu : Activation::kNone;
    const double us = median_us_of_kernel([&] { cuda::linear(args, nullptr); });
    print(gelu ? "linear_gelu" : "linear",
          std::string("\"type\": \"") + type_name(type) + "\", \"m\": " + std::to_string(m) + ", \"n\": " + std::to_string(n) +
              ", \"k\": " + std::to_string(k),
          us, 2.0 * static_cast<double>(m) * n * k);
}

void bench_attention(int32_t batch_size, int32_t seq_len, int32_t heads, int32_t dim, Type type) {
    if (is_time_out()) return;
    const int32_t tokens = batch_size * seq_len, hidden = heads * dim;
    const DeviceTensor qkv(drawn_floats(static_cast<size_t>(tokens) * 3 * hidden, 4), tokens, 3 * hidden, type),
        context(tokens, hidden, type);
    std::vector<int32_t> cu;
    for (int32_t i = 0; i <= batch_size; i++) cu.push_back(i * seq_len);
    const DeviceInts cu_device(cu), blocks(cuda::attention_blocks(cu.data(), static_cast<int64_t>(cu.size()) - 1));
    cuda::DeviceBatch batch;
    batch.cu_seqlens = cu_device.ints();
    batch.attention_blocks = blocks.ints();
    batch.batch_size = batch_size;
    batch.max_seq_len = seq_len;
    cuda::AttentionArgs args;
    args.query = {qkv.tensor(), 0};
    args.key = {qkv.tensor(), hidden};
    args.value = {qkv.tensor(), 2 * hidden};
    args.context = context.tensor();
    args.num_heads = heads;
    args.head_dim = dim;
    args.softmax_scale = 1.0f / std::sqrt(static_cast<float>(dim));
    const double us = median_us_of_kernel([&] { cuda::attention(args, batch, nullptr); });
    print("attention",
          std::string("\"type\": \"") + type_name(type) + "\", \"batch_size\": " + std::to_string(batch_size) +
              ", \"seq_len\": " + std::to_string(seq_len) + ", \"heads\": " + std::to_string(heads) + ", \"dim\": " + std::to_string(dim),
          us, 4.0 * tokens * seq_len * hidden);
}

// One text is an interactive call, which may poll; many are bulk.
class Caller final : public NoControl {
public:
    explicit Caller(bool may_poll) : may_poll_(may_poll) {}
    bool may_poll() const override { return may_poll_; }

private:
    bool may_poll_;
};

struct Shape {
    const char* name;
    int32_t layers, hidden, heads;
};

// Texts of one length in one batch; the vectors are to have length 1.
void bench_batch(const Shape& shape, const char* precision, const Program& program, const LoadedModel& model, Workspace& workspace,
                 int32_t batch_size, int32_t seq_len) {
    if (is_time_out()) return;
    std::vector<int32_t> ids, cu{0};
    for (int32_t i = 0; i < batch_size; i++) {
        for (int32_t j = 0; j < seq_len; j++) ids.push_back((i * 31 + j * 7) % static_cast<int32_t>(program.inputs[kIds].limit));
        cu.push_back(static_cast<int32_t>(ids.size()));
    }
    const Batch batch = batch_for(program, {{"inputIds", ids.data()}}, cu);
    std::vector<float> vectors(static_cast<size_t>(batch_size) * shape.hidden);
    const std::vector<Output> outputs{{static_cast<int32_t>(program.values.size() - 1), vectors.data()}};
    Solo solo;
    Caller control(batch_size == 1);
    const double us = median_us_of_call([&] { model.run(batch, outputs, workspace, solo, control); });
    for (int32_t i = 0; i < batch_size; i++) {
        double squares = 0.0;
        for (int32_t j = 0; j < shape.hidden; j++) squares += std::pow(vectors[static_cast<size_t>(i) * shape.hidden + j], 2);
        if (!(std::fabs(squares - 1.0) < 1e-3))
            report(false, shape.name, "vector " + std::to_string(i) + " has length " + std::to_string(std::sqrt(squares)));
    }
    const double flops =
        static_cast<double>(batch.tokens()) * shape.layers * (24.0 * shape.hidden * shape.hidden + 4.0 * seq_len * shape.hidden);
    print("model",
          std::string("\"model\": \"") + shape.name + "\", \"type\": \"" + precision + "\", \"batch_size\": " +
              std::to_string(batch_size) + ", \"seq_len\": " + std::to_string(seq_len),
          us, flops);
}

// Loads a model once for all its batches.
void bench_model(const Shape& shape, const char* precision) {
    if (is_time_out()) return;
    const auto program = encoder(shape.layers, shape.hidden, shape.heads, quick ? 100 : 30522);
    RandomSource source(*program);
    const auto model = cuda::load(program, source, "cuda", precision);
    const auto workspace = model->make_workspace();
    for (int32_t seq_len : quick ? std::vector<int32_t>{9} : std::vector<int32_t>{16, 128})
        bench_batch(shape, precision, *program, *model, *workspace, 1, seq_len);
    for (int32_t seq_len : quick ? std::vector<int32_t>{} : std::vector<int32_t>{128, 16, 384, 512})
        bench_batch(shape, precision, *program, *model, *workspace, 8448 / seq_len, seq_len);
}

void bench_kernels(const Shape& shape, Type half) {
    const int32_t h = shape.hidden;
    for (int32_t seq_len : quick ? std::vector<int32_t>{17} : std::vector<int32_t>{16, 64, 128, 512})
        bench_attention(quick ? 2 : 8192 / seq_len, seq_len, shape.heads, h / shape.heads, half);
    for (int64_t m : quick ? std::vector<int64_t>{33} : std::vector<int64_t>{8448, 16, 128, 4224}) {
        bench_linear(m, 3 * h, h, half, false);
        bench_linear(m, h, h, half, false);
        bench_linear(m, 4 * h, h, half, true);
        bench_linear(m, 4 * h, h, half, false);
        bench_linear(m, h, 4 * h, half, false);
    }
}

void bench_all() {
    const std::vector<Shape> shapes = quick ? std::vector<Shape>{{"small", 1, 64, 2}}
                                            : std::vector<Shape>{{"minilm", 6, 384, 12}, {"base", 12, 768, 12}, {"large", 24, 1024, 16}};
    const bool has_bf16 = cuda::device_facts(0).capability >= 80;
    const Type half = has_bf16 ? Type::kBfloat16 : Type::kHalf;
    for (const Shape& shape : shapes) bench_model(shape, type_name(half));
    for (const Shape& shape : shapes) bench_kernels(shape, half);
    for (const Shape& shape : shapes) {
        if (has_bf16) bench_model(shape, "fp16");
        if (shape.hidden < 1024) bench_model(shape, "fp32");
    }
}

}  // namespace
}  // namespace bertha::test

int main(int count, char** arguments) {
    using namespace bertha::test;
    for (int i = 1; i < count; i++) {
        if (std::strcmp(arguments[i], "--quick") == 0) quick = true;
        if (std::strcmp(arguments[i], "--seconds") == 0 && i + 1 < count) seconds = std::atof(arguments[++i]);
    }
    poisons = false;
    run_case("bench", [] {
        bench_all();
        return std::string();
    });
    if (left_out > 0) std::printf("time is out: %d measurements or models were left out\n", left_out);
    if (failures > 0) std::printf("%d failed\n", failures);
    return failures > 0 ? 1 : 0;
}
