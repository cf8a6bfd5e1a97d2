// Whole forwards on the emulated device: how they wait, what they leave behind when they fail, how they find memory, and how
// many kernels they take.   forward_test
#include <algorithm>
#include <map>

#include "cuda-emulator/runtime_emulated.h"
#include "cuda/check.h"
#include "cuda/cuda_backend.h"
#include "cuda/encoder.h"
#include "engine/check.h"

namespace bertha::test {
namespace {

using emulator::Failure;

// A small encoder on the device and a batch for it.
struct Fixture {
    explicit Fixture(const std::vector<int32_t>& lengths, const char* precision = "fp32",
                     std::shared_ptr<const Program> wanted = encoder(1, 32, 2, 50))
        : program(std::move(wanted)) {
        RandomSource source(*program);
        model = cuda::load(program, source, "cuda", precision);
        for (int32_t length : lengths) {
            for (int32_t i = 0; i < length; i++) ids.push_back((i * 7 + length) % static_cast<int32_t>(program->inputs[kIds].limit));
            cu.push_back(static_cast<int32_t>(ids.size()));
        }
        batch = batch_for(*program, {{"inputIds", ids.data()}}, cu);
    }
    std::vector<float> run(Workspace& workspace, Control& control) const {
        const auto value = static_cast<int32_t>(program->values.size() - 1);
        std::vector<float> vectors(static_cast<size_t>(batch.batch_size * program->values.back().width), NAN);
        Solo solo;
        model->run(batch, {{value, vectors.data()}}, workspace, solo, control);
        return vectors;
    }
    // The values of several outputs of one forward.
    std::vector<std::vector<float>> run_for(const std::vector<int32_t>& values) const {
        std::vector<std::vector<float>> results;
        for (int32_t value : values) {
            const Value& shape = program->values[static_cast<size_t>(value)];
            results.emplace_back(static_cast<size_t>(batch.rows(shape.domain).count * shape.width), NAN);
        }
        std::vector<Output> outputs;
        for (size_t i = 0; i < values.size(); i++) outputs.push_back({values[i], results[i].data()});
        const auto workspace = model->make_workspace();
        Solo solo;
        NoControl control;
        model->run(batch, outputs, *workspace, solo, control);
        return results;
    }
    std::string code_of(Workspace& workspace, Control& control) const {
        try {
            run(workspace, control);
            return "";
        } catch (const Error& error) {
            return error.code();
        }
    }

    std::shared_ptr<const Program> program;
    std::unique_ptr<LoadedModel> model;
    std::vector<int32_t> ids, cu{0};
    Batch batch;
};

class Polls final : public Control {
public:
    void at_op_boundary() override {}
    bool cancelled() const override { return false; }
    bool may_poll() const override { return asked_++ < allowed; }

    int allowed = 1 << 30;

private:
    mutable int asked_ = 0;
};

// Cancelled at the n-th op, as by another thread.
class Cancels final : public Control {
public:
    explicit Cancels(int n) : left_(n) {}
    void at_op_boundary() override { left_--; }
    bool cancelled() const override { return left_ <= 0; }

private:
    int left_;
};

std::string an_interactive_call_of_few_tokens_polls() {
    const Fixture few({5});
    const auto workspace = few.model->make_workspace();
    Polls polls;
    NoControl sleeps;
    few.run(*workspace, sleeps);
    emulator::take_waiting();
    emulator::hold_streams(3);
    few.run(*workspace, polls);
    emulator::Waiting waiting = emulator::take_waiting();
    if (waiting.questions != 3 || waiting.waits != 0) return "done while it polls";
    few.run(*workspace, sleeps);
    waiting = emulator::take_waiting();
    if (waiting.questions != 0 || waiting.waits != 1) return "nobody allows polling";
    Polls interrupted;
    interrupted.allowed = 2;
    emulator::hold_streams(1000);
    few.run(*workspace, interrupted);
    waiting = emulator::take_waiting();
    if (waiting.questions != 2 || waiting.waits != 1) return "work comes while it polls";
    emulator::hold_streams(int64_t{1} << 40);
    few.run(*workspace, polls);
    waiting = emulator::take_waiting();
    emulator::hold_streams(0);
    if (waiting.questions == 0 || waiting.waits != 1) return "it polls without end";
    return "";
}

std::string a_call_of_many_tokens_sleeps() {
    const Fixture many({500, 13});
    const auto workspace = many.model->make_workspace();
    Polls polls;
    emulator::take_waiting();
    many.run(*workspace, polls);
    const emulator::Waiting waiting = emulator::take_waiting();
    return waiting.questions == 0 && waiting.waits == 1 ? "" : "513 tokens";
}

std::string nothing_is_under_way_after_a_failure() {
    const Fixture fixture({5, 3});
    const auto workspace = fixture.model->make_workspace();
    NoControl control;
    const std::vector<float> expected = fixture.run(*workspace, control);
    for (Failure kind : {Failure::kLost, Failure::kOther, Failure::kOutOfMemory})
        for (int call = 1; call < 200; call++) {
            emulator::fail_call(call, kind);
            const std::string code = fixture.code_of(*workspace, control);
            const int64_t made = emulator::fail_call(0, kind);
            emulator::revive_devices();
            if (emulator::queued_work() != 0) return "call " + std::to_string(call) + " left work behind: " + code;
            if (code.empty() && made < call) break;
            if (kind != Failure::kOutOfMemory && code != (kind == Failure::kLost ? "DEVICE_LOST" : "DEVICE"))
                return "call " + std::to_string(call) + " gives " + code;
        }
    if (fixture.run(*workspace, control) != expected) return "other values afterwards";
    for (int op = 1;; op++) {
        Cancels cancels(op);
        const int64_t before = emulator::device_bytes();
        const std::string code = fixture.code_of(*workspace, cancels);
        if (code.empty() && op > 8) break;
        if (code != "ABORTED") return "op " + std::to_string(op) + " gives " + code;
        if (emulator::queued_work() != 0) return "aborted with work under way";
        if (emulator::device_bytes() != before) return "an aborted forward frees its workspace";
        if (fixture.run(*workspace, control) != expected) return "other values after an aborted call";
    }
    return "";
}

std::string short_memory_takes_what_idle_workspaces_hold() {
    const Fixture one({40}), two({20, 20});
    for (const Fixture* fixture : {&one, &two}) {
        NoControl control;
        const auto idle = fixture->model->make_workspace(), workspace = fixture->model->make_workspace();
        const std::vector<float> expected = fixture->run(*idle, control);
        const int64_t held = idle->bytes();
        if (held == 0) return "an idle workspace holds nothing";
        // The second call of a forward is its first allocation.
        emulator::fail_call(2, Failure::kOutOfMemory);
        const std::vector<float> got = fixture->run(*workspace, control);
        emulator::fail_call(0, Failure::kOutOfMemory);
        if (idle->bytes() != 0) return "an idle workspace keeps its memory";
        if (got != expected) return "other values";
        if (fixture->run(*idle, control) != expected) return "other values from the workspace that was emptied";
    }
    // With nothing to take and nothing to split the call fails.
    NoControl control;
    const auto alone = one.model->make_workspace();
    emulator::fail_call(2, Failure::kOutOfMemory);
    const std::string code = one.code_of(*alone, control);
    emulator::fail_call(0, Failure::kOutOfMemory);
    return code == "DEVICE_OOM" ? "" : "alone: " + code;
}

// Kernels of one forward, by name.
std::map<std::string, int> kernels_of(const Fixture& fixture) {
    const auto workspace = fixture.model->make_workspace();
    NoControl control;
    emulator::take_launch_names();
    fixture.run(*workspace, control);
    std::map<std::string, int> counts;
    for (const std::string& name : emulator::take_launch_names()) counts[name]++;
    return counts;
}

std::string a_text_takes_as_few_kernels_as_it_should() {
    struct Expected {
        int32_t layers, hidden, heads;
        int kernels;
    };
    // A kernel for the embeddings, seven a layer, one for the vector: all-MiniLM-L6-v2, and a layer of BERT-base and of BERT-large.
    for (const auto& [layers, hidden, heads, kernels] : {Expected{6, 384, 12, 44}, Expected{1, 768, 12, 9}, Expected{1, 1024, 16, 9}}) {
        const Fixture fixture({4}, "bf16", encoder(layers, hidden, heads, 50));
        int launched = 0;
        std::string names;
        for (const auto& [name, count] : kernels_of(fixture)) {
            launched += count;
            names += " " + std::to_string(count) + " " + name;
        }
        if (launched != kernels) return std::to_string(hidden) + " columns: " + std::to_string(launched) + " kernels:" + names;
    }
    return "";
}

std::string what_runs_as_one_kernel_has_the_bits_of_two() {
    for (const char* precision : {"fp32", "fp16", "bf16"})
        for (int32_t hidden : {32, 36}) {  // rows without and with padding
            const Fixture fixture({5, 1, 9}, precision, encoder(1, hidden, 2, 50));
            const auto last = static_cast<int32_t>(fixture.program->values.size() - 1);
            const auto alone = fixture.run_for({last});
            const auto several = fixture.run_for({0, last, last - 1, 1, last});
            for (size_t i : {1, 4})
                if (several[i] != alone[0]) return std::string(precision) + ": another vector when the values before it are wanted";
            if (several[3] != fixture.run_for({1})[0]) return std::string(precision) + ": other rows when the embeddings are wanted";
            for (int64_t i = 0; i < fixture.batch.batch_size; i++) {
                double squares = 0.0;
                for (int32_t j = 0; j < hidden; j++) squares += std::pow(alone[0][static_cast<size_t>(i * hidden + j)], 2);
                if (!(std::fabs(squares - 1.0) < 1e-3)) return "a vector of length " + std::to_string(std::sqrt(squares));
            }
        }
    return "";
}

}  // namespace
}  // namespace bertha::test

int main() {
    using namespace bertha::test;
    run_case("an interactive call of few tokens polls", an_interactive_call_of_few_tokens_polls);
    run_case("a call of many tokens sleeps", a_call_of_many_tokens_sleeps);
    run_case("nothing is under way after a failure", nothing_is_under_way_after_a_failure);
    run_case("short memory takes what idle workspaces hold", short_memory_takes_what_idle_workspaces_hold);
    run_case("a text takes as few kernels as it should", a_text_takes_as_few_kernels_as_it_should);
    run_case("what runs as one kernel has the bits of two", what_runs_as_one_kernel_has_the_bits_of_two);
    std::printf("%d passed, %d failed\n", passes, failures);
    return failures > 0 || passes == 0 ? 1 : 0;
}
