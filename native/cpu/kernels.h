// The fused ops of the CPU, as one table of functions per instruction set. All pointers are fp32 unless they
// say otherwise; all functions are pure: no allocation, no state, no locks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/program/op_options.h"

#if defined(__clang__)
#define BERTHA_UNROLL _Pragma("clang loop unroll(full)")
#define BERTHA_NO_UNROLL _Pragma("clang loop unroll(disable)")
#elif defined(__GNUC__)
#define BERTHA_UNROLL _Pragma("GCC unroll 32")
#define BERTHA_NO_UNROLL _Pragma("GCC unroll 1")
#endif

namespace bertha::cpu {

// A matrix [n, k] as panels of `panel_width` output columns, each in the format's own layout; the last panel
// may be narrower. A panel is what the inner loop streams, so a forward reads weights in order.
struct PackedMatrix {
    const void* panels = nullptr;
    int64_t panel_bytes = 0;  // from one panel to the next
    int64_t n = 0;
    int64_t k = 0;
};

struct LinearArgs {
    const float* input = nullptr;  // [rows, k], row stride input_stride; not read by formats that prepare
                                   // rows
    const uint8_t* prepared = nullptr;  // rows as prepare_rows wrote them, row stride row_bytes(k)
    PackedMatrix matrix;
    const float* bias = nullptr;      // [n] zero-filled to a whole panel, or null
    const float* residual = nullptr;  // [rows, n], row stride output_stride, or null
    float* output = nullptr;          // [rows, n], row stride output_stride
    int64_t rows = 0;
    int64_t input_stride = 0;
    int64_t output_stride = 0;
    int64_t panel_begin = 0;  // the panels to compute: threads may share the columns
    int64_t panel_end = 0;
    Activation activation = Activation::kNone;
};

// How a precision stores a matrix and multiplies with it.
struct MatrixFormat {
    const char* precision;
    int64_t panel_width;
    // Bytes of a panel of `columns` output columns.
    int64_t (*panel_bytes)(int64_t columns, int64_t k);
    // Packs the weight's rows [rows, k], column i scaled by input_scale[i] (null: 1), into one panel.
    void (*pack_panel)(const float* weight, int64_t rows, int64_t k, const float* input_scale, void* dst);
    // Bytes of one prepared input row; 0 = the product reads the fp32 rows themselves.
    int64_t (*row_bytes)(int64_t k);
    // Converts rows to what the product multiplies, column i divided by input_scale[i]. Each row by itself:
    // no row sees another.
    void (*prepare_rows)(const float* x, int64_t stride, int64_t rows, int64_t k,
                         const float* inverse_input_scale, uint8_t* dst);
    void (*linear)(const LinearArgs&);
    // activation(x · gateᵀ + bias) ∘ (x · upᵀ + bias of up); no residual. The matrix's panels are those of
    // gate [n, k] and up [n, k] by turns; the biases follow one another [2n].
    void (*gated_linear)(const LinearArgs&);
    // Multiplies the output columns of a panel by scales[column]; null where panels hold no scales of
    // columns. A panel packed of integers up to the format's largest, one of them in each row, holds those
    // integers.
    void (*scale_panel)(void* panel, const float* scales, int64_t columns) = nullptr;
};

struct Dropout;

// What learning has of attention besides; see training/training_kernels.h.
struct AttentionTraining {
    float* row_lse = nullptr;  // [seq_len] with stride lse_stride: log2 of the sum of 2^(score · log2 e)
    int64_t lse_stride = 0;
    // Drops some of a query's powers [end - begin], those of keys begin .. end; or null.
    void (*drop)(const Dropout& dropout, uint32_t row, int64_t begin, int64_t end, float* powers) = nullptr;
    const Dropout* dropout = nullptr;
    uint32_t first_row = 0;  // the dropout's, of the first query
};

// One head of one sequence: seq_len queries and num_keys keys, rows of [head_dim].
struct AttentionArgs {
    const float* query = nullptr;          // first token's row; rows query_stride floats apart
    const float* key = nullptr;            // likewise, key_stride apart
    const float* value = nullptr;          // likewise, value_stride apart
    float* context = nullptr;              // first token's output of this head, row stride hidden_size
    float* scores = nullptr;               // [seq_len, num_keys] probabilities, or null
    const float* relative_bias = nullptr;  // [2 * seq_len - 1]: entry seq_len - 1 + (key - query), or null
    // [seq_len, rotary_dims], or null: by how much the pairs of columns (i, i + rotary_dims / 2) of queries
    // and keys turn, the cosines of all pairs, then the sines.
    const float* rotary = nullptr;
    // Disentangled scores: to the products of query and key come query · content_to_position[row] and
    // key · position_to_content[row], row = position_rows[seq_len - 1 + (key - query)]. Rows of this head are
    // position_stride floats apart; null where there is no such term.
    const float* content_to_position = nullptr;
    const float* position_to_content = nullptr;
    const int32_t* position_rows = nullptr;  // [2 * seq_len - 1], never rising; or null
    float* scratch = nullptr;                // attention_scratch(these) floats
    int64_t seq_len = 0;
    int64_t num_keys = 0;  // seq_len wherever positions count
    int64_t head_dim = 0;
    int64_t hidden_size = 0;
    int64_t query_stride = 0;
    int64_t key_stride = 0;
    int64_t value_stride = 0;
    int64_t position_stride = 0;
    int64_t rotary_dims = 0;
    int64_t window = 0;   // no query sees a key at more than this distance; 0: all keys
    bool causal = false;  // no query sees a later key
    float softmax_scale = 0.0f;
    const AttentionTraining* training = nullptr;
};

// Queries of one head, and the keys and values that all of them see, which lie anywhere.
struct RowAttentionArgs {
    const float* query = nullptr;   // [head_dim], the next one query_stride further
    const float* keys = nullptr;    // row i at i * stride
    const float* values = nullptr;  // likewise
    const int32_t* rows = nullptr;  // [count]: the rows that are seen; null: the first ones
    float* context = nullptr;       // [head_dim], likewise
    float* scratch = nullptr;       // [kSharedQueries][count]
    int64_t queries = 1;
    int64_t query_stride = 0;
    int64_t count = 0;  // of keys, at least 1
    int64_t stride = 0;
    int64_t head_dim = 0;
    float softmax_scale = 0.0f;
};

// Queries that read a row of keys or values together.
constexpr int64_t kSharedQueries = 4;

struct EmbedArgs {
    const int32_t* ids = nullptr;        // [rows]
    const int32_t* type_ids = nullptr;   // [rows], or null: all 0
    const int32_t* positions = nullptr;  // [rows], within the sequence
    const float* word = nullptr;         // [vocab_size, width]; null: output holds the words' rows
    const float* position = nullptr;     // [positions, width] or null
    const float* type = nullptr;         // [type_vocab_size, width] or null
    float* output = nullptr;             // [rows, width]
    int64_t rows = 0;
    int64_t width = 0;
    int64_t position_offset = 0;
    float scale = 1.0f;  // of the word's row
};

struct PoolArgs {
    const float* input = nullptr;  // [seq_len, width] of one sequence
    float* output = nullptr;       // [width]
    int64_t seq_len = 0;
    int64_t width = 0;
    int64_t skip = 0;  // tokens at the start that are left out; cls is the first of the rest
    PoolMode mode = PoolMode::kMean;
};

// Products in float64 of vectors with the rows of one panel; see products-inl.h.
struct ProductArgs {
    const double* queries = nullptr;  // [count, width]
    const double* panel = nullptr;    // [width, lanes]
    // For cosines, else null: [count] and [lanes]. A length of 0 makes the cosine 0.
    const double* query_norms = nullptr;
    const double* row_norms = nullptr;
    double* out = nullptr;  // [count, lanes]
    int64_t count = 0;
    int64_t width = 0;
    bool exact = false;  // each product of two components fits float64: both come from float32
};

// Rows of a linear model's data [rows, width], of one type, and its weights; see linear_model-inl.h.
struct LinearModelArgs {
    const float* narrow_rows = nullptr;
    const double* wide_rows = nullptr;  // instead of narrow_rows
    const double* weights = nullptr;    // [classes, width]
    double* widened = nullptr;          // [rows, width]: narrow_rows in float64, once there are scores
    double* values = nullptr;           // scores, or residuals [rows, classes]
    double* gradient = nullptr;         // [classes, width]
    int64_t rows = 0;
    int64_t width = 0;
    int64_t classes = 0;
};

// Scores of a block of rows, which become their weighted residuals.
struct LogisticArgs {
    double* values = nullptr;          // [rows, outputs]
    const int32_t* targets = nullptr;  // [rows] 0 or 1 for one output, else below outputs
    const double* weights = nullptr;   // [rows], or null: 1 each
    double scale = 1.0;                // of all weights
    int64_t rows = 0;
    int64_t outputs = 0;
};

struct KernelTable {
    const char* isa;
    int64_t lanes;
    MatrixFormat fp32;
    MatrixFormat fp16_weights;  // half-precision storage, fp32 arithmetic
    MatrixFormat int8;          // per-channel weights, per-token activations, exact integer sums
    MatrixFormat int8_fast;     // coarser and faster; precision null where int8 is as fast
    MatrixFormat bf16;          // precision null where the processor has no bf16 products
    // Floats of args.scratch, for args that differ in pointers alone, or have fewer rows.
    int64_t (*attention_scratch)(const AttentionArgs&);
    void (*attention)(const AttentionArgs&);
    void (*row_attention)(const RowAttentionArgs&);
    // attention with bf16 products, or null; fp32 sums and softmax.
    int64_t (*attention_bf16_scratch)(const AttentionArgs&);
    void (*attention_bf16)(const AttentionArgs&);
    // x, out [rows, width]; weight, bias [width]; bias may be null
    void (*layer_norm)(const float* x, const float* weight, const float* bias, float* out, int64_t rows,
                       int64_t width, float eps);
    void (*embed)(const EmbedArgs&);
    void (*pool)(const PoolArgs&);
    void (*normalize)(const float* x, float* out, int64_t rows, int64_t width);
    // out [rows, 1 + 2k]: log-sum-exp, the k largest in falling order, their columns; equal values: lower
    // column first
    void (*top_k)(const float* x, float* out, int64_t rows, int64_t width, int64_t k);
    // log(sum of exp(x [n])) in float64; -inf where all x are, NaN where one is NaN or +inf
    double (*wide_log_sum)(const float* x, int64_t n);
    // The k largest of x [n] above -inf in falling order, equal ones by rising column; returns how many there
    // are
    int64_t (*best)(const float* x, int64_t n, int64_t k, float* values, int32_t* columns);
    // targets [rows, kTargetsPerRow]; out [rows, 1 + kTargetsPerRow]: log-sum-exp, the columns targets name
    void (*pick_targets)(const float* x, const int32_t* targets, float* out, int64_t rows, int64_t width);
    void (*activate)(Activation activation, float* x, int64_t count);
    // x [rows, 2 width] -> out [rows, width] = activation(first half) ∘ second half
    void (*gate)(Activation activation, const float* x, float* out, int64_t rows, int64_t width);
    // rows [count <= lanes, width], row stride `stride` -> panel [width, lanes] in float64
    void (*pack_products)(const float* rows, int64_t stride, int64_t count, int64_t width, double* panel);
    void (*pack_wide_products)(const double* rows, int64_t stride, int64_t count, int64_t width,
                               double* panel);
    // The sums of squares of a panel's rows [lanes]
    void (*panel_squares)(const double* panel, int64_t width, double* out);
    void (*products)(const ProductArgs&);
    // values = rows · weightsᵀ; narrow rows are widened for what comes after
    void (*linear_model_scores)(const LinearModelArgs&);
    // gradient += valuesᵀ · rows
    void (*linear_model_gradient)(const LinearModelArgs&);
    // Returns the rows' weighted loss.
    double (*logistic_residuals)(const LogisticArgs&);
};

// Null when the table is not compiled for this architecture.
const KernelTable* scalar_kernels();
const KernelTable* avx2_kernels();
const KernelTable* avx512_kernels();
const KernelTable* neon_kernels();
// What multiplies pairs of bf16 numbers, to the same bits: the dot-product instruction, or two FMAs where the
// processor does those faster.
enum class Bf16Products { kInstruction, kFma };
struct Bf16Kernels {
    MatrixFormat format;
    int64_t (*attention_scratch)(const AttentionArgs&);  // null: attention stays fp32
    void (*attention)(const AttentionArgs&);
};

// Better formats for the tables above, where the processor has the dot-product instructions.
const MatrixFormat* avx_vnni_int8();
const MatrixFormat* avx512_vnni_int8();
const Bf16Kernels* avx512_bf16_kernels(Bf16Products products);
const MatrixFormat* neon_dotprod_int8();
const MatrixFormat* neon_i8mm_int8();
const Bf16Kernels* neon_bf16_kernels();

}  // namespace bertha::cpu
