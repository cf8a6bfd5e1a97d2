#include "cuda/forward.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <list>

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
          stream_(workspace.stream.get()) {
        std::vector<int32_t> wanted;
        for (const Output& output : outputs) wanted.push_back(output.value);
        needed_ = needed_ops(program_, wanted);
    }

    void run() {
        gather_inputs();
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
    const Value& value(int32_t id) const { return program_.value(id); }
    int64_t rows(int32_t id) const { return batch_.rows(value(id).domain).count; }
    const int32_t* offsets(int32_t id) const { return batch_.rows(value(id).domain).offsets; }

    bool is_wanted(int32_t id) const {
        return std::any_of(outputs_.begin(), outputs_.end(),
                           [id](const Output& output) { return output.value == id; });
    }

    // Floats of an output as the caller gets it.
    int64_t output_floats(int32_t id) const { return rows(id) * value(id).width; }

    void reserve() {
        int64_t bytes = 0;
        for (size_t i = 0; i < program_.domains.size(); i++) {
            part_.push_back(bytes);
            bytes += round_up(model_.plan.row_bytes[i] * batch_.domains[i].count, kAlignment);
        }
        workspace_.arena.reserve(static_cast<size_t>(std::max(bytes, kAlignment)));

        for (const Output& output : outputs_) {
            output_offset_.push_back(output_bytes_);
            output_bytes_ += round_up(output_floats(output.value) * 4, kAlignment);
        }
        workspace_.outputs.reserve(static_cast<size_t>(std::max(output_bytes_, kAlignment)));
        workspace_.pinned_outputs.reserve(static_cast<size_t>(std::max(output_bytes_, kAlignment)));
        workspace_.inputs.reserve(static_cast<size_t>(std::max(staged_bytes_, kAlignment)));
        workspace_.pinned_inputs.reserve(static_cast<size_t>(std::max(staged_bytes_, kAlignment)));
    }

    // A place in the block that is sent to the device, for `count` elements at `from`.
    struct Staged {
        const void* from = nullptr;
        int64_t count = 0, bytes = 0, offset = 0;
    };
    template <typename T>
    Staged stage(const T* values, int64_t count) {
        if (values == nullptr || count == 0) return {};
        const Staged staged{values, count, count * static_cast<int64_t>(sizeof(T)), staged_bytes_};
        staged_bytes_ = round_up(staged_bytes_ + staged.bytes, kAlignment);
        all_staged_.push_back(staged);
        return staged;
    }
    template <typename T>
    const T* on_device(const Staged& staged) const {
        if (staged.count == 0) return nullptr;
        return reinterpret_cast<const T*>(workspace_.inputs.as<uint8_t>() + staged.offset);
    }
    Ints ints(const Staged& staged) const { return {on_device<int32_t>(staged), staged.count}; }

    // What the device needs to know of the batch, by input, by domain and by op.
    void gather_inputs() {
        for (size_t i = 0; i < program_.inputs.size(); i++) {
            const Input& input = program_.inputs[i];
            inputs_.push_back(stage(batch_.inputs[i], batch_.rows(input.domain).count * input.width));
        }
        for (const Batch::Rows& rows : batch_.domains)
            offsets_.push_back(stage(rows.offsets, batch_.batch_size + 1));
        attention_blocks_.resize(program_.domains.size());
        rows_.resize(program_.domains.size());
        of_op_.resize(program_.ops.size());
        for (size_t i = 0; i < program_.ops.size(); i++) {
            if (!needed_[i]) continue;
            if (const auto* embed = std::get_if<ops::Embed>(&program_.ops[i])) gather_positions(i, *embed);
            if (const auto* attention = std::get_if<ops::Attention>(&program_.ops[i]))
                gather_attention(i, *attention);
            if (const auto* unfold = std::get_if<ops::Unfold>(&program_.ops[i])) gather_places(unfold->input);
        }
    }
    void gather_positions(size_t index, const ops::Embed& op) {
        if (rows(op.output) == 0) return;
        std::vector<int32_t>& positions = positions_.emplace_back(static_cast<size_t>(rows(op.output)));
        count_positions(offsets(op.output), batch_.batch_size, batch_.input(op.ids), op.padding_id,
                        positions.data());
        of_op_[index] = stage(positions.data(), rows(op.output));
    }
    // Of each row of a value its place in its sequence.
    void gather_places(int32_t id) {
        const auto domain = static_cast<size_t>(value(id).domain);
        const int32_t* begins = offsets(id);
        if (begins == nullptr || rows_[domain].count > 0) return;
        std::vector<int32_t>& rows = positions_.emplace_back();
        for (int64_t i = 0; i < batch_.batch_size; i++)
            for (int32_t row = 0; row < begins[i + 1] - begins[i]; row++) rows.push_back(row);
        rows_[domain] = stage(rows.data(), static_cast<int64_t>(rows.size()));
    }
    void gather_attention(size_t index, const ops::Attention& op) {
        const int32_t* begins = offsets(op.query);
        if (begins == nullptr) return;
        const auto domain = static_cast<size_t>(value(op.query).domain);
        if (attention_blocks_[domain].count == 0) {
            const std::vector<int32_t>& blocks = blocks_.emplace_back(
                attention_blocks(begins, batch_.batch_size));
            attention_blocks_[domain] = stage(blocks.data(), static_cast<int64_t>(blocks.size()));
        }
        if (!op.inverse_frequencies.empty()) gather_places(op.query);
        if (op.scores == kNoIndex || !is_wanted(op.scores)) return;
        BERTHA_CHECK(batch_.input(op.key_counts) == nullptr, "INVALID_ARG",
                     "expected no probabilities where only some rows are keys");
        std::vector<int64_t>& begin_of_scores = scores_begins_.emplace_back();
        int64_t next = 0;
        for (int64_t i = 0; i < batch_.batch_size; i++) {
            const int64_t seq_len = begins[i + 1] - begins[i];
            begin_of_scores.push_back(next);
            next += op.num_heads * seq_len * seq_len;
        }
        of_op_[index] = stage(begin_of_scores.data(), batch_.batch_size);
    }

    void send_inputs() {
        for (const Staged& staged : all_staged_)
            std::memcpy(workspace_.pinned_inputs.as<uint8_t>() + staged.offset, staged.from,
                        static_cast<size_t>(staged.bytes));
        copy_to_device(workspace_.inputs.as<void>(), workspace_.pinned_inputs.as<void>(),
                       static_cast<size_t>(staged_bytes_), stream_);
    }

    // What kernels see of the batch whose sequences consist of the rows of a value.
    DeviceBatch batch_of(int32_t id) const {
        const auto domain = static_cast<size_t>(value(id).domain);
        DeviceBatch batch;
        batch.cu_seqlens = ints(offsets_[domain]);
        batch.attention_blocks = ints(attention_blocks_[domain]);
        batch.rows = ints(rows_[domain]);
        batch.batch_size = static_cast<int32_t>(batch_.batch_size);
        batch.max_seq_len = static_cast<int32_t>(batch_.domains[domain].longest);
        return batch;
    }
    Ints input(int32_t id) const { return id == kNoIndex ? Ints{} : ints(inputs_[static_cast<size_t>(id)]); }

    Type type(int32_t id) const { return model_.plan.values[static_cast<size_t>(id)].type; }
    Tensor tensor(int32_t id) const {
        if (id == kNoIndex) return {};
        const PlannedValue& planned = model_.plan.values[static_cast<size_t>(id)];
        const size_t direct = direct_output(id);
        void* place = direct < outputs_.size() ? static_cast<void*>(output_memory(direct))
                                               : arena_memory(planned, value(id).domain);
        return {place, rows(id), static_cast<int32_t>(value(id).width), planned.stride, planned.type};
    }
    void* arena_memory(const PlannedValue& planned, int32_t domain) const {
        return workspace_.arena.as<uint8_t>() + part_[static_cast<size_t>(domain)] +
               planned.offset * batch_.rows(domain).count;
    }
    // What an op works in beside its output.
    Tensor scratch(size_t index) const {
        const auto& [planned, domain] = model_.plan.scratch[index];
        return {arena_memory(planned, domain), batch_.rows(domain).count, planned.stride, planned.stride,
                planned.type};
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

    void run(const ops::Embed& op, size_t index, const Tensor& output) {
        embed(embed_args(op, output), batch_of_embed(op, index), output, stream_);
    }
    void run(const ops::Linear& op, size_t, const Tensor& output) {
        LinearArgs args;
        args.input = tensor(op.input);
        args.weight = model_.weights.matrix(op.matrix, args.input.type, op.gated);
        args.bias = model_.weights.vector(op.bias, op.gated);
        args.residual = tensor(op.residual);
        args.output = output;
        args.activation = op.activation;
        args.gated = op.gated;
        linear(args, stream_);
    }
    void run(const ops::LayerNorm& op, size_t, const Tensor& output) {
        layer_norm(tensor(op.input), model_.weights.vector(op.weight), model_.weights.vector(op.bias), op.eps,
                   output, stream_);
    }
    void run(const ops::GatherRows& op, size_t, const Tensor& output) {
        DeviceBatch batch = batch_of(op.input);
        batch.selected = input(op.positions);
        gather_rows(tensor(op.input), op.positions == kNoIndex, batch, output, stream_);
    }
    void run(const ops::Pool& op, size_t, const Tensor& output) { run_pool(op, false, output); }
    void run(const ops::ActivationOp& op, size_t, const Tensor& output) {
        activate(tensor(op.input), op.activation, op.gated, tensor(op.residual), output, stream_);
    }
    void run(const ops::Slice& op, size_t, const Tensor& output) {
        slice(tensor(op.input), op.begin, output, stream_);
    }
    void run(const ops::Unfold& op, size_t, const Tensor& output) {
        unfold(tensor(op.input), op.size, batch_of(op.input), output, stream_);
    }
    void run(const ops::PoolLinear& op, size_t index, const Tensor& output) {
        PoolLinearArgs args;
        args.input = tensor(op.input);
        args.weight = model_.weights.matrix(op.matrix, args.input.type);
        args.bias = model_.weights.vector(op.bias);
        args.products = scratch(index);
        args.output = output;
        args.sums = op.sums;
        args.logs = op.logs;
        pool_linear(args, batch_of(op.input), stream_);
    }
    // Of constant rows. Only the part of a program that runs at load has it.
    void run(const ops::Constant& op, size_t, const Tensor& output) {
        slice(model_.weights.matrix(op.table, output.type), 0, output, stream_);
    }
    void run(const ops::Normalize& op, size_t, const Tensor& output) {
        normalize(tensor(op.input), output, stream_);
    }
    void run(const ops::TopK& op, size_t, const Tensor& output) {
        top_k(tensor(op.input), op.k, output, stream_);
    }
    void run(const ops::PickTargets& op, size_t, const Tensor& output) {
        DeviceBatch batch = batch_of(op.input);
        batch.targets = input(op.targets);
        pick_targets(tensor(op.input), batch, output, stream_);
    }

    // Load refuses the others.
    template <typename T>
    void run(const T&, size_t, const Tensor&) {
        static_assert(ops::is_for_training<T>);
        fail("INVALID_PROGRAM", "%s has no kernel on this device", T::kName);
    }

    // Two ops in one kernel: see ValuePlan::fits_next.
    void run_pair(size_t first, size_t second) {
        const Op& next = program_.ops[second];
        const Tensor output = tensor(output_of(next));
        if (output.rows == 0) return;
        if (const auto* embed = std::get_if<ops::Embed>(&program_.ops[first])) {
            const auto& norm = std::get<ops::LayerNorm>(next);
            embed_layer_norm(embed_args(*embed, output), model_.weights.vector(norm.weight),
                             model_.weights.vector(norm.bias), norm.eps, batch_of_embed(*embed, first),
                             output, stream_);
        } else {
            run_pool(std::get<ops::Pool>(program_.ops[first]), true, output);
        }
        copy_out(output_of(next), output);
    }

    EmbedArgs embed_args(const ops::Embed& op, const Tensor& output) const {
        return {model_.weights.matrix(op.word, output.type), model_.weights.matrix(op.position, output.type),
                model_.weights.matrix(op.type, output.type), op.position_offset};
    }
    DeviceBatch batch_of_embed(const ops::Embed& op, size_t index) const {
        DeviceBatch batch = batch_of(op.output);
        batch.input_ids = input(op.ids);
        batch.token_type_ids = input(op.type_ids);
        batch.positions = ints(of_op_[index]);
        return batch;
    }
    void run_pool(const ops::Pool& op, bool normalizes, const Tensor& output) {
        DeviceBatch batch = batch_of(op.input);
        batch.pool_skip = input(op.skip);
        pool(tensor(op.input), op.modes.data(), static_cast<int32_t>(op.modes.size()), normalizes, batch,
             output, stream_);
    }

    // Copies a value that the caller wants, unless it lies there.
    void copy_out(int32_t id, const Tensor& output) {
        for (size_t i = 0; i < outputs_.size(); i++)
            if (outputs_[i].value == id && i != direct_output(id)) compact(output, output_memory(i), stream_);
    }

    void run(const ops::Attention& op, size_t index, const Tensor& output) {
        AttentionArgs args;
        args.query = {tensor(op.query), 0};
        const bool is_separate = op.key != kNoIndex;
        args.key = is_separate ? HeadRows{tensor(op.key), 0} : HeadRows{args.query.rows, output.width};
        args.value = is_separate ? HeadRows{tensor(op.value), 0}
                                 : HeadRows{args.query.rows, 2 * output.width};
        args.context = output;
        args.relative_bias = model_.weights.relative_bias(op.relative_bias);
        args.slopes = model_.attention.slopes(op);
        args.window = op.window;
        args.disentangled = disentangled(op, output.width);
        args.num_heads = op.num_heads;
        args.head_dim = output.width / op.num_heads;
        args.softmax_scale = op.softmax_scale;
        DeviceBatch batch = batch_of(op.query);
        batch.key_counts = input(op.key_counts);
        if (!op.inverse_frequencies.empty()) turn(op, index, batch, args);
        attention(args, batch, stream_);
        for (size_t i = 0; i < outputs_.size(); i++) {
            if (op.scores == kNoIndex || outputs_[i].value != op.scores) continue;
            args.scores = output_memory(i);
            args.scores_count = output_floats(op.scores);
            args.scores_offset = on_device<int64_t>(of_op_[index]);
            attention_scores(args, batch, stream_);
        }
    }

    DisentangledArgs disentangled(const ops::Attention& op, int32_t hidden_size) const {
        DisentangledArgs args;
        if (op.buckets.empty()) return args;
        const int32_t table = op.content_to_position != kNoIndex ? op.content_to_position
                                                                 : op.position_to_content;
        args.content = model_.constants.rows(op.content_to_position);
        args.position = model_.constants.rows(op.position_to_content);
        args.buckets = model_.attention.buckets(op);
        args.stride = static_cast<int32_t>(value(table).width);
        args.by_head = args.stride == hidden_size;
        return args;
    }
    void turn(const ops::Attention& op, size_t index, const DeviceBatch& batch, AttentionArgs& args) {
        TurnArgs turns;
        turns.query = args.query;
        turns.key = args.key;
        turns.output = scratch(index);
        turns.turns = model_.attention.turns(op);
        turns.num_heads = args.num_heads;
        turns.head_dim = args.head_dim;
        turns.pairs = static_cast<int32_t>(op.inverse_frequencies.size());
        turn_heads(turns, batch, stream_);
        args.query = {turns.output, 0};
        args.key = {turns.output, args.num_heads * args.head_dim};
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
        if (batch_.tokens() <= kFewTokens) {
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
    std::vector<int64_t> part_;  // bytes into the arena, by domain
    std::vector<bool> needed_;
    std::vector<int64_t> output_offset_;
    int64_t output_bytes_ = 0;
    int64_t staged_bytes_ = 0;
    std::vector<Staged> all_staged_;
    std::vector<Staged> inputs_;                             // by input
    std::vector<Staged> offsets_, attention_blocks_, rows_;  // by domain
    std::vector<Staged> of_op_;  // positions of an Embed; where the sequences' scores of an Attention begin
    // What was staged and is not the batch's (positions_ also holds rows_); lists, so that it stays where it
    // is.
    std::list<std::vector<int32_t>> positions_, blocks_;
    std::list<std::vector<int64_t>> scores_begins_;
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
