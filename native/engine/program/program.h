// A program is a model as data: a list of fused ops over values and weights. TypeScript builds it, validate()
// checks it once, and any backend can run it. Nothing here knows BERT.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/program/ops.h"

namespace bertha {

// What one row of a value or of an input stands for. How many rows there are is known per batch.
enum class DomainKind : int32_t {
    kPacked,     // any number of rows a sequence, end to end; the caller says where each sequence begins
    kSequences,  // one row a sequence
    kPairs,      // one row for each pair of rows that packed domains have in one sequence (attention scores)
    kConstant,   // max_rows rows, whatever the batch: of weights alone. Computed once where weights do not
                 // change
};

struct Domain {
    std::string name;
    DomainKind kind = DomainKind::kPacked;
    std::string offsets;            // of kPacked: what calls name the offsets [batch_size + 1]
    int32_t pairs_of = kNoIndex;    // of kPairs: the packed domain of the queries
    int64_t min_rows = 0;           // of one sequence of kPacked
    int64_t max_rows = 0;           // of kConstant: its rows
    int32_t pairs_with = kNoIndex;  // of kPairs: the packed domain of the keys, where it is another one
};
// Domain 0 is packed: batches are measured by its rows.
constexpr int32_t kTokenDomain = 0;

// Numbers of a call, [rows of the domain, width] int32, each from minimum to limit - 1; limit 0: not bounded.
// Floats travel by their bits. An input that is absent is all zeros.
struct Input {
    std::string name;
    int32_t domain = kTokenDomain;
    int32_t width = 1;
    int64_t limit = 0;
    // A packed domain: the numbers are rows of it, counted within the row's own sequence.
    int32_t points_into = kNoIndex;
    int64_t minimum = 0;
    bool is_float = false;     // float32
    bool is_required = false;  // may not be absent where an op needs it and its domain has rows
};

// [rows, width]; of kPairs [width, queries of a sequence, keys of a sequence] for each sequence
struct Value {
    int32_t domain = kTokenDomain;
    int64_t width = 0;
};

struct Weight {
    std::string name;
    WeightKind kind = WeightKind::kVector;
    int64_t rows = 0;
    int64_t cols = 0;
};

struct Program {
    std::vector<Domain> domains;
    std::vector<Input> inputs;
    std::vector<Value> values;
    std::vector<Weight> weights;
    std::vector<Op> ops;  // in order of execution; each value is written by exactly one op, before it is read

    const Value& value(int32_t id) const { return values[static_cast<size_t>(id)]; }
    const Domain& domain_of(int32_t value_id) const {
        return domains[static_cast<size_t>(value(value_id).domain)];
    }
};

// Throws INVALID_PROGRAM with the op's index and what was expected and got. After it, no op can index out of
// bounds.
void validate(const Program& program);

// Throws INVALID_PROGRAM for an op or option that is valid and that no kernel for inference on the device
// computes.
void require_kernels(const Program& program, const std::string& device);

// Every field of the program as text: equal texts, equal programs. What is shared between equal programs, in
// memory or in files, goes by it.
std::string serialise(const Program& program);

// Whether both have weights of the same kinds and shapes, by number.
bool have_equal_weights(const Program& a, const Program& b);

// needed[i] is true when op i contributes to one of the wanted values.
std::vector<bool> needed_ops(const Program& program, const std::vector<int32_t>& wanted);

// By value: the last op that reads it, the one that writes it where none does; -1 for a value of no op.
std::vector<int32_t> last_ops(const Program& program);

// The packed domains of a domain of pairs' queries and keys.
inline int32_t queries_of(const Domain& pairs) { return pairs.pairs_of; }
inline int32_t keys_of(const Domain& pairs) {
    return pairs.pairs_with == kNoIndex ? pairs.pairs_of : pairs.pairs_with;
}

inline bool is_constant(const Program& program, int32_t value) {
    return program.domain_of(value).kind == DomainKind::kConstant;
}

// The bucket of key position - query position, as T5 and MPNet define it (bidirectional, max distance 128).
int32_t relative_bucket(int32_t distance, int32_t num_buckets);

}  // namespace bertha
