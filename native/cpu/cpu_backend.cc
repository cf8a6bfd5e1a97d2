#include "cpu/cpu_backend.h"

#include <algorithm>
#include <cstring>

#include "cpu/isa/isa.h"
#include "cpu/packed_weights.h"
#include "cpu/relative_biases.h"
#include "engine/check.h"
#include "engine/plan.h"

namespace bertha::cpu {
namespace {

constexpr int64_t kBlockRows = 64;  // rows of a block: its FFN intermediate (64 x 1536 floats) stays in L2
constexpr int64_t kMinBlockRows = 8;
constexpr int64_t kBlockBytes = int64_t{2} << 20;  // wide values (vocabulary logits) get fewer rows
constexpr int64_t kRowsToSplit = 32;  // per thread; with fewer rows threads share the columns of each linear
                                      // instead
constexpr int64_t kMaxInt8Columns = 32768;  // column sums must fit 7 + 16 bits
constexpr int64_t kPreferredTokens = 192;   // a chunk whose activations stay in L2

class CpuWorkspace final : public Workspace {
public:
    int64_t bytes() const override {
        size_t total = arena.bytes() + positions.bytes();
        for (const Buffer& buffer : scratch) total += buffer.bytes();
        return static_cast<int64_t>(total);
    }

    Buffer arena;
    Buffer positions;             // int32 [tokens]
    std::vector<Buffer> scratch;  // one per team member
};

class CpuModel final : public LoadedModel {
public:
    CpuModel(std::shared_ptr<const Program> program, WeightSource& source, const MatrixFormat& format,
             Team& team, WeightCache* cache)
        : program_(std::move(program)),
          kernels_(kernels()),
          plan_(make_plan(*program_)),
          formats_(formats_of(*program_, kernels_, format)),
          bf16_attention_(kernels_.attention_bf16 != nullptr &&
                          (&format == &kernels_.bf16 || &format == &kernels_.int8)),
          weights_(*program_, formats_, kernels_.isa, source, team, cache),
          relative_biases_(*program_, weights_) {}

    std::unique_ptr<Workspace> make_workspace() const override { return std::make_unique<CpuWorkspace>(); }
    int64_t weight_bytes() const override { return weights_.bytes() + relative_biases_.bytes(); }
    int64_t preferred_tokens() const override { return kPreferredTokens; }
    std::string device() const override { return "cpu"; }
    bool uses_cpu_pool() const override { return true; }
    void run(const Batch& batch, const std::vector<Output>& outputs, Workspace& workspace, Team& team,
             Control& control) const override;

private:
    friend class Forward;

    // The encoder's linears take the precision asked for. Heads stay fp32: on single rows (poolers, Dense
    // modules) they cost nothing, and what no later op reads (logits of tokens) is what answers are made of.
    static std::vector<const MatrixFormat*> formats_of(const Program& program, const KernelTable& kernels,
                                                       const MatrixFormat& format) {
        std::vector<bool> read(program.values.size(), false);
        for (const Op& op : program.ops)
            for (int32_t id : {op.input, op.residual})
                if (id != kNoIndex) read[static_cast<size_t>(id)] = true;
        std::vector<const MatrixFormat*> formats;
        for (const Op& op : program.ops) {
            const auto output = static_cast<size_t>(op.output);
            const bool encoder = op.kind == OpKind::kLinear && program.values[output].rows == Rows::kTokens &&
                                 read[output];
            const bool int8 = &format == &kernels.int8 || &format == &kernels.int8_fast;
            BERTHA_CHECK(
                !encoder || !int8 || program.values[static_cast<size_t>(op.input)].width <= kMaxInt8Columns,
                "PRECISION", "expected at most %lld input columns of a linear for int8, got %lld",
                static_cast<long long>(kMaxInt8Columns),
                static_cast<long long>(program.values[static_cast<size_t>(op.input)].width));
            formats.push_back(encoder ? &format : &kernels.fp32);
        }
        return formats;
    }

    const std::shared_ptr<const Program> program_;
    const KernelTable& kernels_;
    const Plan plan_;
    const std::vector<const MatrixFormat*> formats_;  // by op
    const bool bf16_attention_;
    const PackedWeights weights_;
    const RelativeBiases relative_biases_;
};

// One run of a program over one batch.
class Forward {
public:
    Forward(const CpuModel& model, const Batch& batch, const std::vector<Output>& outputs,
            CpuWorkspace& workspace, Team& team, Control& control)
        : model_(model),
          program_(*model.program_),
          kernels_(model.kernels_),
          batch_(batch),
          outputs_(outputs),
          workspace_(workspace),
          team_(team),
          control_(control),
          rows_{batch.tokens, batch.batch_size, batch.num_selected} {
        std::vector<int32_t> wanted;
        for (const Output& output : outputs) wanted.push_back(output.value);
        needed_ = needed_ops(program_, wanted);
        reserve_memory();
        model_.weights_.require_words(batch.input_ids, batch.tokens);
        count_positions(batch, program_.padding_id, workspace_.positions.as<int32_t>());
    }

    void run() {
        for (const Segment& segment : model_.plan_.segments) {
            const bool used = std::any_of(needed_.begin() + segment.op_begin,
                                          needed_.begin() + segment.op_end,
                                          [](bool needed) { return needed; });
            if (!used) continue;
            control_.at_op_boundary();
            BERTHA_CHECK(!control_.cancelled(), "ABORTED", "the call was aborted");
            if (!segment.row_wise) {
                run_across_rows(op(segment.op_begin));
            } else if (team_.size() > 1 && rows(segment.rows) < kRowsToSplit * team_.size()) {
                run_shared_columns(segment);
            } else {
                run_row_blocks(segment);
            }
        }
        BERTHA_CHECK(!control_.cancelled(), "ABORTED", "the call was aborted");
    }

private:
    const Op& op(int32_t index) const { return program_.ops[static_cast<size_t>(index)]; }
    const Value& value(int32_t id) const { return program_.values[static_cast<size_t>(id)]; }
    int64_t rows(Rows domain) const { return rows_[static_cast<size_t>(domain)]; }

    static int64_t block_rows(const Segment& segment) {
        const int64_t fits = kBlockBytes / std::max<int64_t>(1, segment.block_width * 4);
        return std::clamp(fits, kMinBlockRows, kBlockRows);
    }

    void reserve_memory() {
        arena_part_[0] = 0;
        for (int i = 0; i < 3; i++)
            arena_part_[i + 1] = arena_part_[i] + (model_.plan_.arena_width[i] * rows_[i] + 15) / 16 * 16;
        workspace_.arena.reserve(static_cast<size_t>(arena_part_[3]) * sizeof(float));
        workspace_.positions.reserve(static_cast<size_t>(batch_.tokens) * sizeof(int32_t));
        int64_t scratch = 0, prepared = 0;
        for (const Segment& segment : model_.plan_.segments) {
            const int64_t shared = team_.size() > 1 ? kRowsToSplit * team_.size() : 0;
            const int64_t block = std::min(std::max(block_rows(segment), shared), rows(segment.rows));
            scratch = std::max(scratch, segment.block_width * block);
            for (int32_t i = segment.op_begin; i < segment.op_end; i++)
                if (op(i).kind == OpKind::kLinear)
                    prepared = std::max(prepared, block * format(i).row_bytes(value(op(i).input).width));
            if (op(segment.op_begin).kind != OpKind::kAttention) continue;
            const Op& attention = op(segment.op_begin);
            const int64_t head_dim = value(attention.output).width / attention.num_heads;
            const auto scratch_of = model_.bf16_attention_ ? kernels_.attention_bf16_scratch
                                                           : kernels_.attention_scratch;
            scratch = std::max(scratch, (scratch_of(batch_.max_seq_len, head_dim) + 15) / 16 * 16);
        }
        workspace_.scratch.resize(std::max(workspace_.scratch.size(), static_cast<size_t>(team_.size())));
        scratch_floats_ = (scratch + 15) / 16 * 16;
        const int64_t bytes = scratch_floats_ * static_cast<int64_t>(sizeof(float)) + prepared;
        for (int member = 0; member < team_.size(); member++)
            workspace_.scratch[static_cast<size_t>(member)].reserve(static_cast<size_t>(bytes));
    }

    // Rows row .. of a value; internal values live in `block`, which starts at row `block_begin`.
    struct Block {
        float* memory;
        uint8_t* prepared;
        int64_t begin, rows;
    };
    Block block_of(int member, int64_t begin, int64_t rows) const {
        float* memory = workspace_.scratch[static_cast<size_t>(member)].floats();
        return {memory, reinterpret_cast<uint8_t*>(memory + scratch_floats_), begin, rows};
    }
    float* at(int32_t id, int64_t row, const Block& block) const {
        const Placement& placement = model_.plan_.values[static_cast<size_t>(id)];
        const int64_t width = value(id).width;
        if (placement.internal)
            return block.memory + placement.offset * block.rows + (row - block.begin) * width;
        const auto domain = static_cast<size_t>(value(id).rows);
        return workspace_.arena.floats() + arena_part_[domain] + placement.offset * rows_[domain] +
               row * width;
    }
    float* at(int32_t id, int64_t row) const { return at(id, row, Block{nullptr, nullptr, 0, 0}); }

    void emit(int32_t id, const float* data, int64_t row, int64_t count) const {
        const int64_t width = value(id).width;
        for (const Output& output : outputs_)
            if (output.value == id)
                std::memcpy(output.data + row * width, data,
                            static_cast<size_t>(count * width) * sizeof(float));
    }

    const MatrixFormat& format(int32_t index) const { return *model_.formats_[static_cast<size_t>(index)]; }

    // Rows begin .. end of a linear's input in the form its product reads; where that is the fp32 rows
    // themselves, nothing to do.
    void prepare_rows(int32_t index, const Block& block, int64_t begin, int64_t end) const {
        const MatrixFormat& format = this->format(index);
        const int64_t k = value(op(index).input).width, row_bytes = format.row_bytes(k);
        if (row_bytes == 0) return;
        format.prepare_rows(at(op(index).input, begin, block), k, end - begin, k,
                            model_.weights_.inverse_input_scale(index),
                            block.prepared + (begin - block.begin) * row_bytes);
    }

    // Rows begin .. end of one row-wise op, panels panel_begin .. panel_end of a linear (whose rows are
    // prepared).
    void run_rows(int32_t index, const Block& block, int64_t begin, int64_t end, int64_t panel_begin,
                  int64_t panel_end) const {
        const Op& op = this->op(index);
        const PackedWeights& weights = model_.weights_;
        float* output = at(op.output, begin, block);
        const int64_t width = value(op.output).width, count = end - begin;
        switch (op.kind) {
            case OpKind::kEmbed: {
                EmbedArgs args;
                args.ids = batch_.input_ids + begin;
                args.type_ids = batch_.token_type_ids + begin;
                args.positions = workspace_.positions.as<int32_t>() + begin;
                args.word = weights.row(op.weight);
                args.position = weights.row(op.position_table);
                args.type = weights.row(op.type_table);
                args.output = output;
                args.rows = count;
                args.width = width;
                args.position_offset = op.position_offset;
                kernels_.embed(args);
                break;
            }
            case OpKind::kLinear: {
                LinearArgs args;
                args.input = at(op.input, begin, block);
                args.input_stride = value(op.input).width;
                args.prepared = block.prepared +
                                (begin - block.begin) * format(index).row_bytes(args.input_stride);
                args.matrix = weights.matrix(index);
                args.bias = weights.row(op.bias);
                args.residual = op.residual == kNoIndex ? nullptr : at(op.residual, begin, block);
                args.output = output;
                args.output_stride = width;
                args.rows = count;
                args.panel_begin = panel_begin;
                args.panel_end = panel_end;
                args.activation = op.activation;
                format(index).linear(args);
                break;
            }
            case OpKind::kLayerNorm:
                kernels_.layer_norm(at(op.input, begin, block), weights.row(op.weight), weights.row(op.bias),
                                    output, count, width, op.eps);
                break;
            case OpKind::kNormalize:
                kernels_.normalize(at(op.input, begin, block), output, count, width);
                break;
            case OpKind::kTopK:
                kernels_.top_k(at(op.input, begin, block), output, count, value(op.input).width, op.k);
                break;
            case OpKind::kPickTargets:
                kernels_.pick_targets(at(op.input, begin, block), batch_.targets + begin * kTargetsPerRow,
                                      output, count, value(op.input).width);
                break;
            default: fail("INVALID_PROGRAM", "%s is not a row-wise op", op_name(op.kind));
        }
    }

    int64_t panels(int32_t index) const {
        const int64_t width = format(index).panel_width;
        return op(index).kind == OpKind::kLinear ? (value(op(index).output).width + width - 1) / width : 0;
    }

    // Each thread takes blocks of rows through the whole segment; no barrier inside.
    void run_row_blocks(const Segment& segment) const {
        const int64_t total = rows(segment.rows);
        if (total == 0) return;
        // The same number of blocks for each thread, none larger than fits L2.
        const int64_t largest = block_rows(segment);
        const int64_t rounds = (total + largest * team_.size() - 1) / (largest * team_.size());
        const int64_t blocks = std::min(rounds * team_.size(), total);
        team_.run(blocks, [&](int64_t unit, int member) {
            const int64_t begin = total * unit / blocks, end = total * (unit + 1) / blocks;
            const Block block = block_of(member, begin, end - begin);
            for (int32_t i = segment.op_begin; i < segment.op_end; i++) {
                if (!needed_[static_cast<size_t>(i)]) continue;
                if (member == 0) control_.at_op_boundary();
                if (control_.cancelled()) return;
                if (op(i).kind == OpKind::kLinear) prepare_rows(i, block, begin, end);
                run_rows(i, block, begin, end, 0, panels(i));
                emit(op(i).output, at(op(i).output, begin, block), begin, end - begin);
            }
        });
    }

    // Few rows: the threads share the columns of each linear, so that every weight is read once.
    void run_shared_columns(const Segment& segment) const {
        constexpr int64_t kRowsOfUnit = 8;
        const int64_t total = rows(segment.rows);
        if (total == 0) return;
        const Block block = block_of(0, 0, total);
        const int64_t row_units = (total + kRowsOfUnit - 1) / kRowsOfUnit;
        const auto rows_of = [&](int64_t unit) { return total * unit / row_units; };
        for (int32_t i = segment.op_begin; i < segment.op_end; i++) {
            if (!needed_[static_cast<size_t>(i)]) continue;
            if (op(i).kind == OpKind::kLinear) {
                if (format(i).row_bytes(1) > 0)
                    team_.run(row_units, [&](int64_t unit, int) {
                        prepare_rows(i, block, rows_of(unit), rows_of(unit + 1));
                    });
                const int64_t all = panels(i), units = std::min<int64_t>(all, 4 * team_.size());
                team_.run(units, [&](int64_t unit, int) {
                    run_rows(i, block, 0, total, all * unit / units, all * (unit + 1) / units);
                });
            } else {
                team_.run(row_units, [&](int64_t unit, int) {
                    run_rows(i, block, rows_of(unit), rows_of(unit + 1), 0, 0);
                });
            }
            emit(op(i).output, at(op(i).output, 0, block), 0, total);
            control_.at_op_boundary();
        }
    }

    void run_across_rows(const Op& op) const {
        switch (op.kind) {
            case OpKind::kAttention: run_attention(op); break;
            case OpKind::kGatherRows: {
                const int64_t count = rows(value(op.output).rows), width = value(op.output).width;
                for (int64_t i = 0; i < count; i++) {
                    const int64_t row = op.first_token ? batch_.cu_seqlens[i] : batch_.selected[i];
                    std::memcpy(at(op.output, i), at(op.input, row),
                                static_cast<size_t>(width) * sizeof(float));
                }
                break;
            }
            case OpKind::kPool:
                team_.run(batch_.batch_size, [&](int64_t unit, int) {
                    PoolArgs args;
                    args.width = value(op.input).width;
                    args.input = at(op.input, batch_.cu_seqlens[unit]);
                    args.seq_len = batch_.cu_seqlens[unit + 1] - batch_.cu_seqlens[unit];
                    args.skip = batch_.pool_skip != nullptr ? batch_.pool_skip[unit] : 0;
                    args.output = at(op.output, unit);
                    for (PoolMode mode : op.modes) {
                        args.mode = mode;
                        kernels_.pool(args);
                        args.output += args.width;
                    }
                });
                break;
            default: fail("INVALID_PROGRAM", "%s is a row-wise op", op_name(op.kind));
        }
        const int64_t count = rows(value(op.output).rows);
        if (count > 0) emit(op.output, at(op.output, 0), 0, count);
    }

    void run_attention(const Op& op) const {
        const int64_t hidden_size = value(op.output).width, head_dim = hidden_size / op.num_heads;
        float* scores = nullptr;
        for (const Output& output : outputs_)
            if (op.scores != kNoIndex && output.value == op.scores) scores = output.data;
        int64_t scores_begin = 0;
        std::vector<int64_t> scores_offset;
        if (scores != nullptr) {
            for (int64_t i = 0; i < batch_.batch_size; i++) {
                const int64_t seq_len = batch_.cu_seqlens[i + 1] - batch_.cu_seqlens[i];
                scores_offset.push_back(scores_begin);
                scores_begin += op.num_heads * seq_len * seq_len;
            }
        }
        team_.run(batch_.batch_size * op.num_heads, [&](int64_t unit, int member) {
            const int64_t sequence = unit / op.num_heads, head = unit % op.num_heads;
            const int32_t begin = batch_.cu_seqlens[sequence],
                          seq_len = batch_.cu_seqlens[sequence + 1] - begin;
            AttentionArgs args;
            args.qkv = at(op.input, begin) + head * head_dim;
            args.context = at(op.output, begin) + head * head_dim;
            if (scores != nullptr)
                args.scores = scores + scores_offset[static_cast<size_t>(sequence)] +
                              head * seq_len * seq_len;
            args.scratch = workspace_.scratch[static_cast<size_t>(member)].floats();
            args.seq_len = seq_len;
            args.head_dim = head_dim;
            args.hidden_size = hidden_size;
            args.softmax_scale = op.softmax_scale;
            args.relative_bias = model_.relative_biases_.of(op.relative_bias, head, seq_len);
            (model_.bf16_attention_ ? kernels_.attention_bf16 : kernels_.attention)(args);
        });
    }

    const CpuModel& model_;
    const Program& program_;
    const KernelTable& kernels_;
    const Batch& batch_;
    const std::vector<Output>& outputs_;
    CpuWorkspace& workspace_;
    Team& team_;
    Control& control_;
    const int64_t rows_[3];
    int64_t arena_part_[4];
    int64_t scratch_floats_ = 0;  // of each member's scratch; prepared rows follow
    std::vector<bool> needed_;
};

void CpuModel::run(const Batch& batch, const std::vector<Output>& outputs, Workspace& workspace, Team& team,
                   Control& control) const {
    Forward(*this, batch, outputs, static_cast<CpuWorkspace&>(workspace), team, control).run();
}

}  // namespace

std::unique_ptr<LoadedModel> load(std::shared_ptr<const Program> program, WeightSource& source,
                                  const std::string& precision, Team& team, WeightCache* cache) {
    return std::make_unique<CpuModel>(std::move(program), source, format_for(kernels(), precision), team,
                                      cache);
}

}  // namespace bertha::cpu
