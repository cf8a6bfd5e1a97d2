#include "cuda/forward.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "cuda/kernels/attention_blocks.h"
#include "cuda/kernels/kernels.h"
#include "engine/check.h"

namespace bertha::cuda {
namespace {

constexpr int64_t kAlignment = 256;
constexpr int64_t kFewTokens = 512;
constexpr auto kPollFor = std::chrono::microseconds(200);

int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

class Forward {
public:
    Forward(const ProgramOnDevice& model, const Batch& batch, const std::vector<Output>& outputs,
            CudaWorkspace& workspace, Control& control)
        : model_(model),
          program_(model.program),
          batch_(batch),
          outputs_(outputs),
          workspace_(workspace),
          control_(control),
          stream_(workspace.stream.get()),
          rows_{batch.tokens, batch.batch_size, batch.num_selected},
          attention_blocks_(attention_blocks(batch.cu_seqlens, batch.batch_size)) {
        std::vector<int32_t> wanted;
        for (const Output& output : outputs) wanted.push_back(output.value);
        needed_ = needed_ops(program_, wanted);
    }

    void run() {
        reserve();
        send_inputs();
        for (size_t i = 0; i < program_.ops.size(); i++) {
            if (!needed_[i]) continue;
            control_.at_op_boundary();
            BERTHA_CHECK(!control_.cancelled(), "ABORTED", "the call was aborted");
            const bool with_next = model_.plan.fits_next[i] && needed_[i + 1] &&
                                   !is_wanted(output_of(program_.ops[i]));
            with_next ? run_pair(i, i + 1) : run_op(i);
            if (with_next) i++;
        }
        fetch_outputs();
        BERTHA_CHECK(!control_.cancelled(), "ABORTED", "the call was aborted");
    }

private:
    const Value& value(int32_t id) const { return program_.values[static_cast<size_t>(id)]; }
    int64_t rows(int32_t id) const { return rows_[static_cast<size_t>(value(id).rows)]; }

    bool is_wanted(int32_t id) const {
        return std::any_of(outputs_.begin(), outputs_.end(),
                           [id](const Output& output) { return output.value == id; });
    }

    // Floats of an output as the caller gets it.
    int64_t output_floats(int32_t id) const {
        if (value(id).rows != Rows::kScores) return rows(id) * value(id).width;
        int64_t floats = 0;
        for (int64_t i = 0; i < batch_.batch_size; i++) {
            const int64_t seq_len = batch_.cu_seqlens[i + 1] - batch_.cu_seqlens[i];
            floats += value(id).width * seq_len * seq_len;
        }
        return floats;
    }

    void reserve() {
        int64_t bytes = 0;
        for (int i = 0; i < 3; i++) {
            part_[i] = bytes;
            bytes += round_up(model_.plan.row_bytes[i] * rows_[i], kAlignment);
        }
        workspace_.arena.reserve(static_cast<size_t>(std::max(bytes, kAlignment)));

        for (const Output& output : outputs_) {
            output_offset_.push_back(output_bytes_);
            output_bytes_ += round_up(output_floats(output.value) * 4, kAlignment);
        }
        workspace_.outputs.reserve(static_cast<size_t>(std::max(output_bytes_, kAlignment)));
        workspace_.pinned_outputs.reserve(static_cast<size_t>(std::max(output_bytes_, kAlignment)));
        const int64_t inputs = 4 * (3 * batch_.tokens + 2 * batch_.batch_size + 1 +
                                    (1 + kTargetsPerRow) * batch_.num_selected +
                                    static_cast<int64_t>(attention_blocks_.size())) +
                               8 * num_score_ops() * batch_.batch_size + 16 * kAlignment +
                               num_score_ops() * kAlignment;
        workspace_.inputs.reserve(static_cast<size_t>(inputs));
        workspace_.pinned_inputs.reserve(static_cast<size_t>(inputs));
    }

    int64_t num_score_ops() const {
        return std::count_if(program_.ops.begin(), program_.ops.end(), [](const Op& op) {
            const auto* attention = std::get_if<ops::Attention>(&op);
            return attention != nullptr && attention->scores != kNoIndex;
        });
    }

    // Places `count` elements in the block that is sent; returns their place on the device.
    template <typename T>
    const T* stage(const T* values, int64_t count) {
        std::memcpy(workspace_.pinned_inputs.as<uint8_t>() + staged_, values,
                    static_cast<size_t>(count) * sizeof(T));
        const auto* device = reinterpret_cast<const T*>(workspace_.inputs.as<uint8_t>() + staged_);
        staged_ = round_up(staged_ + count * static_cast<int64_t>(sizeof(T)), kAlignment);
        return device;
    }
    Ints stage_ints(const int32_t* values, int64_t count) {
        if (values == nullptr || count == 0) return {};
        return {stage(values, count), count};
    }

    void send_inputs() {
        std::vector<int32_t> positions(static_cast<size_t>(batch_.tokens));
        count_positions(batch_, program_.padding_id, positions.data());
        device_batch_.input_ids = stage_ints(batch_.input_ids, batch_.tokens);
        device_batch_.token_type_ids = stage_ints(batch_.token_type_ids, batch_.tokens);
        device_batch_.positions = stage_ints(positions.data(), batch_.tokens);
        device_batch_.cu_seqlens = stage_ints(batch_.cu_seqlens, batch_.batch_size + 1);
        device_batch_.attention_blocks = stage_ints(attention_blocks_.data(),
                                                    static_cast<int64_t>(attention_blocks_.size()));
        device_batch_.pool_skip = stage_ints(batch_.pool_skip, batch_.batch_size);
        device_batch_.selected = stage_ints(batch_.selected, batch_.num_selected);
        device_batch_.targets = stage_ints(batch_.targets, batch_.num_selected * kTargetsPerRow);
        device_batch_.batch_size = static_cast<int32_t>(batch_.batch_size);
        device_batch_.max_seq_len = batch_.max_seq_len;
        for (const Op& op : program_.ops) {
            const auto* attention = std::get_if<ops::Attention>(&op);
            const bool has_scores = attention != nullptr && attention->scores != kNoIndex;
            std::vector<int64_t> offsets;
            int64_t offset = 0;
            for (int64_t i = 0; has_scores && i < batch_.batch_size; i++) {
                const int64_t seq_len = batch_.cu_seqlens[i + 1] - batch_.cu_seqlens[i];
                offsets.push_back(offset);
                offset += attention->num_heads * seq_len * seq_len;
            }
            scores_offsets_.push_back(
                offsets.empty() ? nullptr : stage(offsets.data(), static_cast<int64_t>(offsets.size())));
        }
        copy_to_device(workspace_.inputs.as<void>(), workspace_.pinned_inputs.as<void>(),
                       static_cast<size_t>(staged_), stream_);
    }

    Type type(int32_t id) const { return model_.plan.values[static_cast<size_t>(id)].type; }
    Tensor tensor(int32_t id) const {
        if (id == kNoIndex) return {};
        const PlannedValue& planned = model_.plan.values[static_cast<size_t>(id)];
        const auto domain = static_cast<size_t>(value(id).rows);
        const size_t direct = direct_output(id);
        void* place = direct < outputs_.size()
                          ? static_cast<void*>(output_memory(direct))
                          : workspace_.arena.as<uint8_t>() + part_[domain] + planned.offset * rows_[domain];
        return {place, rows(id), static_cast<int32_t>(value(id).width), planned.stride, planned.type};
    }
    // The output that a value is computed in the place of: one that has the caller's form already. Else the
    // number of outputs.
    size_t direct_output(int32_t id) const {
        const PlannedValue& planned = model_.plan.values[static_cast<size_t>(id)];
        size_t i = 0;
        while (i < outputs_.size() && outputs_[i].value != id) i++;
        return planned.type == Type::kFloat && planned.stride == value(id).width ? i : outputs_.size();
    }
    float* output_memory(size_t index) const {
        return reinterpret_cast<float*>(workspace_.outputs.as<uint8_t>() + output_offset_[index]);
    }

    void run_op(size_t index) {
        const Op& op = program_.ops[index];
        const Tensor output = tensor(output_of(op));
        if (output.rows == 0) return;
        std::visit([&](const auto& each) { run(each, index, output); }, op);
        copy_out(output_of(op), output);
    }

    void run(const ops::Embed& op, size_t, const Tensor& output) {
        embed(embed_args(op, output), device_batch_, output, stream_);
    }
    void run(const ops::Linear& op, size_t, const Tensor& output) {
        LinearArgs args;
        args.input = tensor(op.input);
        args.weight = model_.weights.matrix(op.matrix, args.input.type);
        args.bias = model_.weights.vector(op.bias);
        args.residual = tensor(op.residual);
        args.output = output;
        args.activation = op.activation;
        linear(args, stream_);
    }
    void run(const ops::LayerNorm& op, size_t, const Tensor& output) {
        layer_norm(tensor(op.input), model_.weights.vector(op.weight), model_.weights.vector(op.bias), op.eps,
                   output, stream_);
    }
    void run(const ops::GatherRows& op, size_t, const Tensor& output) {
        gather_rows(tensor(op.input), op.first_token, device_batch_, output, stream_);
    }
    void run(const ops::Pool& op, size_t, const Tensor& output) { run_pool(op, false, output); }
    void run(const ops::Normalize& op, size_t, const Tensor& output) {
        normalize(tensor(op.input), output, stream_);
    }
    void run(const ops::TopK& op, size_t, const Tensor& output) {
        top_k(tensor(op.input), op.k, output, stream_);
    }
    void run(const ops::PickTargets& op, size_t, const Tensor& output) {
        pick_targets(tensor(op.input), device_batch_, output, stream_);
    }

    // Two ops in one kernel: see ValuePlan::fits_next.
    void run_pair(size_t first, size_t second) {
        const Op& next = program_.ops[second];
        const Tensor output = tensor(output_of(next));
        if (output.rows == 0) return;
        if (const auto* embed = std::get_if<ops::Embed>(&program_.ops[first])) {
            const auto& norm = std::get<ops::LayerNorm>(next);
            embed_layer_norm(embed_args(*embed, output), model_.weights.vector(norm.weight),
                             model_.weights.vector(norm.bias), norm.eps, device_batch_, output, stream_);
        } else {
            run_pool(std::get<ops::Pool>(program_.ops[first]), true, output);
        }
        copy_out(output_of(next), output);
    }

    EmbedArgs embed_args(const ops::Embed& op, const Tensor& output) const {
        return {model_.weights.matrix(op.word, output.type), model_.weights.matrix(op.position, output.type),
                model_.weights.matrix(op.type, output.type), op.position_offset};
    }
    void run_pool(const ops::Pool& op, bool normalizes, const Tensor& output) {
        pool(tensor(op.input), op.modes.data(), static_cast<int32_t>(op.modes.size()), normalizes,
             device_batch_, output, stream_);
    }

    // Copies a value that the caller wants, unless it lies there.
    void copy_out(int32_t id, const Tensor& output) {
        for (size_t i = 0; i < outputs_.size(); i++)
            if (outputs_[i].value == id && i != direct_output(id)) compact(output, output_memory(i), stream_);
    }

    void run(const ops::Attention& op, size_t index, const Tensor& output) {
        AttentionArgs args;
        args.qkv = tensor(op.query);
        args.context = output;
        args.relative_bias = model_.weights.relative_bias(op.relative_bias);
        args.num_heads = op.num_heads;
        args.head_dim = output.width / op.num_heads;
        args.softmax_scale = op.softmax_scale;
        attention(args, device_batch_, stream_);
        for (size_t i = 0; i < outputs_.size(); i++) {
            if (op.scores == kNoIndex || outputs_[i].value != op.scores) continue;
            args.scores = output_memory(i);
            args.scores_count = output_floats(op.scores);
            args.scores_offset = scores_offsets_[index];
            attention_scores(args, device_batch_, stream_);
        }
    }

    void fetch_outputs() {
        if (output_bytes_ > 0)
            copy_to_host(workspace_.pinned_outputs.as<void>(), workspace_.outputs.as<void>(),
                         static_cast<size_t>(output_bytes_), stream_);
        wait();
        for (size_t i = 0; i < outputs_.size(); i++)
            if (const int64_t floats = output_floats(outputs_[i].value); floats > 0)
                std::memcpy(outputs_[i].data, workspace_.pinned_outputs.as<uint8_t>() + output_offset_[i],
                            static_cast<size_t>(floats) * sizeof(float));
    }

    // A few tokens are done within some 100 us, and a thread that sleeps wakes up 20 to 50 us late.
    void wait() {
        if (batch_.tokens <= kFewTokens) {
            const auto end = std::chrono::steady_clock::now() + kPollFor;
            while (control_.may_poll() && std::chrono::steady_clock::now() < end)
                if (is_done(stream_)) return;
        }
        wait_for(stream_);
    }

    const ProgramOnDevice& model_;
    const Program& program_;
    const Batch& batch_;
    const std::vector<Output>& outputs_;
    CudaWorkspace& workspace_;
    Control& control_;
    const Stream stream_;
    const int64_t rows_[3];
    const std::vector<int32_t> attention_blocks_;
    int64_t part_[3] = {0, 0, 0};  // bytes into the arena
    std::vector<bool> needed_;
    std::vector<int64_t> output_offset_;
    int64_t output_bytes_ = 0;
    int64_t staged_ = 0;
    DeviceBatch device_batch_;
    std::vector<const int64_t*> scores_offsets_;  // by op
};

}  // namespace

void run_forward(const ProgramOnDevice& model, const Batch& batch, const std::vector<Output>& outputs,
                 CudaWorkspace& workspace, Control& control) {
    try {
        Forward(model, batch, outputs, workspace, control).run();
    } catch (...) {
        settle(workspace.stream.get());  // what was queued still uses the workspace
        throw;
    }
}

}  // namespace bertha::cuda
