// The shapes and options that each op asks for; part of validate().
#pragma once

#include <cmath>
#include <variant>

#include "engine/check.h"
#include "engine/program/program.h"

namespace bertha {

// Checks the shapes and options of one op, whose indices are right.
class ShapeChecker {
public:
    ShapeChecker(const Program& program, size_t index) : program_(program), index_(index) {}

    void operator()(const ops::Embed& op) const {
        const Value& out = value(op.output);
        const Input& ids = input(op.ids);
        require(is_packed(out) && ids.domain == out.domain && ids.width == 1 && ids.is_required,
                "a required id for each row of a packed output");
        weight(op.word, ids.limit, out.width, "a word table");
        require(ids.limit > 0, "ids with a limit");
        require(op.padding_id < ids.limit, "a padding id of the vocabulary");
        require(std::isfinite(op.scale), "a finite scale");
        require(!op.sinusoidal || (op.position == kNoIndex && op.padding_id < 0),
                "no position table and no padding id where positions are computed");
        if (op.position != kNoIndex) {
            require(op.position_offset >= (op.padding_id < 0 ? 0 : 1),
                    "a position offset of at least 0, of 1 with a padding id");
            weight(op.position, kAnyRows, out.width, "a position table");
            require(rows_of_weight(op.position) >= domain(out).max_rows + op.position_offset,
                    "a position for every token of the longest sequence");
        }
        int64_t types = kAnyRows;
        if (op.type_ids != kNoIndex) {
            const Input& type_ids = input(op.type_ids);
            require(type_ids.domain == out.domain && type_ids.width == 1 && type_ids.limit > 0,
                    "a type id for each row");
            types = type_ids.limit;
        }
        if (op.type != kNoIndex) weight(op.type, types, out.width, "a token type table");
    }

    void operator()(const ops::Constant& op) const {
        const Value& out = value(op.output);
        require(domain(out).kind == DomainKind::kConstant, "rows that are constant");
        weight(op.table, domain(out).max_rows, out.width, "a table of the domain's rows");
    }

    void operator()(const ops::Linear& op) const {
        const Value &in = value(op.input), &out = value(op.output);
        require(in.domain == out.domain && has_rows(in), "input and output with the same rows");
        const int64_t columns = op.gated ? 2 * out.width : out.width;
        weight(op.matrix, columns, in.width, "a matrix");
        if (op.bias != kNoIndex) weight(op.bias, 1, columns, "a bias");
        require(!op.gated || (op.residual == kNoIndex && op.pre_activation == kNoIndex && op.scale == 1.0f &&
                              op.dropout == 0.0f),
                "no residual, scale, dropout or pre-activation of a gated product");
        if (op.input_scale != kNoIndex) weight(op.input_scale, 1, in.width, "an input scale");
        if (op.residual != kNoIndex)
            require(is_same_shape(value(op.residual), out), "a residual of the output's shape");
        require(std::isfinite(op.scale), "a finite scale");
        if (op.pre_activation != kNoIndex)
            require(is_same_shape(value(op.pre_activation), out), "a pre-activation of the output's shape");
        dropout(op.dropout, op.dropout_site);
    }

    void operator()(const ops::Attention& op) const {
        const Value &query = value(op.query), &out = value(op.output);
        require(is_packed(query) && query.domain == out.domain, "packed rows, one each of query and output");
        require(op.num_heads > 0 && out.width % op.num_heads == 0, "num_heads that divides the width");
        require((op.key == kNoIndex) == (op.value == kNoIndex), "key and value, or neither");
        const int64_t head_dim = out.width / op.num_heads;
        const int64_t num_key_heads = op.num_key_heads == 0 ? op.num_heads : op.num_key_heads;
        require(num_key_heads > 0 && op.num_heads % num_key_heads == 0,
                "num_key_heads that divides num_heads");
        if (op.key == kNoIndex) {
            require(query.width == 3 * out.width && num_key_heads == op.num_heads,
                    "a query of three times the output's width, which holds key and value as well");
        } else {
            const Value &key = value(op.key), &values = value(op.value);
            require(query.width == out.width && is_same_shape(key, values) && is_packed(key) &&
                        key.width == num_key_heads * head_dim,
                    "a query of the output's width, key and value of num_key_heads heads");
            require(key.domain == query.domain || domain(key).min_rows >= 1,
                    "at least one key in each sequence");
        }
        require(std::isfinite(op.softmax_scale) && op.softmax_scale > 0, "a positive softmax scale");
        if (op.relative_bias != kNoIndex) {
            weight(op.relative_bias, kAnyRows, op.num_heads, "a relative bias table");
            const int64_t buckets = rows_of_weight(op.relative_bias);
            require(buckets >= 4 && buckets % 2 == 0 && buckets <= 65536,
                    "an even number of relative buckets, at least 4");
        }
        require(op.slopes.empty() || static_cast<int64_t>(op.slopes.size()) == op.num_heads,
                "a slope for each head, or none");
        for (float each : op.slopes) require(std::isfinite(each), "finite slopes");
        const bool by_distance = op.causal || op.window != 0 || op.relative_bias != kNoIndex ||
                                 !op.slopes.empty() || !op.inverse_frequencies.empty();
        require(!by_distance || op.key == kNoIndex || value(op.key).domain == query.domain,
                "query and key of one domain where their distance counts");
        require(op.window >= 0, "a window of at least 0 tokens");
        if (op.key_counts != kNoIndex) {
            const Input& counts = input(op.key_counts);
            require(program_.domains[static_cast<size_t>(counts.domain)].kind == DomainKind::kSequences &&
                        counts.width == 1 && counts.limit > 0 && counts.limit <= domain(query).max_rows + 1,
                    "a number of keys for each sequence");
            require(!by_distance && op.buckets.empty() &&
                        (op.key == kNoIndex || value(op.key).domain == query.domain),
                    "no positions in the scores where only some rows are keys");
        }
        require(2 * static_cast<int64_t>(op.inverse_frequencies.size()) <= head_dim,
                "an inverse frequency for at most each two columns of a head");
        for (float each : op.inverse_frequencies)
            require(std::isfinite(each) && each >= 0, "inverse frequencies of at least 0");
        require(op.relative_bias == kNoIndex || op.slopes.empty(), "a relative bias or slopes, not both");
        disentangled(op);
        dropout(op.dropout, op.dropout_site);
        if (op.row_lse != kNoIndex)
            require(value(op.row_lse).domain == query.domain && value(op.row_lse).width == op.num_heads,
                    "num_heads columns for the sums of each query");
        if (op.scores != kNoIndex) {
            const Value& scores = value(op.scores);
            const Domain& pairs = domain(scores);
            require(pairs.kind == DomainKind::kPairs && queries_of(pairs) == query.domain &&
                        keys_of(pairs) == value(op.key == kNoIndex ? op.query : op.key).domain &&
                        scores.width == op.num_heads,
                    "scores of num_heads columns for each pair of rows");
        }
    }

    void operator()(const ops::LayerNorm& op) const {
        const Value& out = value(op.output);
        same_shape(value(op.input), out);
        require(std::isfinite(op.eps) && op.eps >= 0, "a layer_norm_eps of at least 0");
        weight(op.weight, 1, out.width, "a LayerNorm weight");
        if (op.bias != kNoIndex) weight(op.bias, 1, out.width, "a LayerNorm bias");
    }

    void operator()(const ops::GatherRows& op) const {
        const Value &in = value(op.input), &out = value(op.output);
        require(is_packed(in) && in.width == out.width, "packed rows of the output's width");
        if (op.positions == kNoIndex) {
            require(domain(out).kind == DomainKind::kSequences && domain(in).min_rows >= 1,
                    "a row for each sequence, none of which is empty");
        } else {
            const Input& positions = input(op.positions);
            require(positions.domain == out.domain && positions.width == 1 && positions.is_required &&
                        positions.points_into == in.domain,
                    "required positions in the input's rows, one for each row of the output");
        }
    }

    void operator()(const ops::Pool& op) const {
        const Value &in = value(op.input), &out = value(op.output);
        pools(in, out);
        require(!op.modes.empty() && op.modes.size() <= 6, "one to six pooling modes");
        require(out.width == in.width * static_cast<int64_t>(op.modes.size()),
                "the input's width for each pooling mode");
        if (op.skip != kNoIndex)
            require(input(op.skip).domain == out.domain && input(op.skip).width == 1,
                    "a number of skipped rows for each sequence");
    }

    void operator()(const ops::Unfold& op) const {
        const Value &in = value(op.input), &out = value(op.output);
        require(is_packed(in) && in.domain == out.domain, "packed rows, one each of input and output");
        require(op.size > 0 && op.size % 2 == 1 && out.width == in.width * op.size,
                "an odd size, and as many columns of the output for each of the input's");
    }

    void operator()(const ops::PoolLinear& op) const {
        const Value &in = value(op.input), &out = value(op.output);
        pools(in, out);
        weight(op.matrix, out.width, in.width, "a matrix");
        if (op.bias != kNoIndex) weight(op.bias, 1, out.width, "a bias");
        require(op.logs == 1 || op.logs == 2, "one or two logarithms");
    }

    void operator()(const ops::Normalize& op) const { same_shape(value(op.input), value(op.output)); }

    void operator()(const ops::TopK& op) const {
        const Value &in = value(op.input), &out = value(op.output);
        require(in.domain == out.domain && has_rows(in), "input and output with the same rows");
        require(op.k > 0 && op.k <= in.width && in.width <= (1 << 24) && out.width == 1 + 2 * int64_t{op.k},
                "0 < k <= columns");
    }

    void operator()(const ops::PickTargets& op) const {
        const Value &in = value(op.input), &out = value(op.output);
        const Input& targets = input(op.targets);
        require(in.domain == out.domain && has_rows(in), "input and output with the same rows");
        require(out.width == 1 + kTargetsPerRow && targets.domain == in.domain && targets.is_required &&
                    targets.width == kTargetsPerRow && targets.points_into == kNoIndex && targets.limit > 0 &&
                    targets.limit <= in.width,
                "the targets' columns out, required targets that name columns of the input");
    }

    void operator()(const ops::Dropout& op) const {
        same_shape(value(op.input), value(op.output));
        dropout(op.probability, op.site);
    }

    void operator()(const ops::ActivationOp& op) const {
        const Value &in = value(op.input), &out = value(op.output);
        if (op.residual != kNoIndex) {
            require(!op.gated, "no gate beside a residual");
            same_shape(value(op.residual), out);
        }
        if (!op.gated) return same_shape(in, out);
        require(in.domain == out.domain && has_rows(in) && in.width == 2 * out.width,
                "rows of twice the output's width");
    }

    void operator()(const ops::Slice& op) const {
        const Value &in = value(op.input), &out = value(op.output);
        require(in.domain == out.domain && has_rows(in), "input and output with the same rows");
        require(op.begin >= 0 && op.begin + out.width <= in.width, "columns that the input has");
    }

    void operator()(const ops::CrossEntropy& op) const {
        loss(op, op.logits);
        labels(op.labels, op.logits, value(op.logits).width);
        require(op.label_smoothing >= 0.0f && op.label_smoothing < 1.0f, "a label smoothing of 0 to below 1");
        require(op.class_weights.empty() ||
                    static_cast<int64_t>(op.class_weights.size()) == value(op.logits).width,
                "a weight for each class, or none");
        for (float each : op.class_weights)
            require(std::isfinite(each) && each >= 0.0f, "class weights of at least 0");
    }

    void operator()(const ops::ChoiceCrossEntropy& op) const {
        loss(op, op.logits);
        require(op.choices >= 1, "at least one choice");
        labels(op.labels, op.logits, op.choices);
        of_sequences(op.logits);
        require(value(op.logits).width == 1, "one score for each choice");
    }

    void operator()(const ops::SpanCrossEntropy& op) const {
        loss(op, op.logits);
        const Input& spans = input(op.spans);
        require(is_packed(value(op.logits)) && value(op.logits).width == 2, "start and end of packed rows");
        require(program_.domains[static_cast<size_t>(spans.domain)].kind == DomainKind::kSequences &&
                    spans.width == 2 && !spans.is_float && spans.is_required,
                "required spans of two columns for each sequence");
    }

    void operator()(const ops::BinaryCrossEntropy& op) const {
        loss(op, op.logits);
        numbers(op.targets, op.logits, value(op.logits).width);
    }

    void operator()(const ops::MeanSquaredError& op) const {
        loss(op, op.logits);
        numbers(op.targets, op.logits, value(op.logits).width);
    }

    void operator()(const ops::Distill& op) const {
        loss(op, op.logits);
        labels(op.labels, op.logits, value(op.logits).width);
        numbers(op.teacher, op.logits, value(op.logits).width);
        require(op.alpha >= 0.0f && op.alpha <= 1.0f, "an alpha of 0 to 1");
        require(std::isfinite(op.temperature) && op.temperature > 0.0f, "a positive temperature");
    }

    void operator()(const ops::InBatchSoftmax& op) const {
        loss(op, op.embeddings);
        of_sequences(op.embeddings);
        require(op.columns >= 2, "at least two columns of texts");
        require(std::isfinite(op.scale) && op.scale > 0.0f, "a positive scale");
    }

    void operator()(const ops::CosineSimilarity& op) const {
        loss(op, op.embeddings);
        of_sequences(op.embeddings);
        numbers(op.scores, op.embeddings, 1);
    }

    void operator()(const ops::Cosent& op) const {
        loss(op, op.embeddings);
        of_sequences(op.embeddings);
        numbers(op.scores, op.embeddings, 1);
        require(std::isfinite(op.scale) && op.scale > 0.0f, "a positive scale");
    }

    void operator()(const ops::Triplet& op) const {
        loss(op, op.embeddings);
        of_sequences(op.embeddings);
        require(std::isfinite(op.margin), "a finite margin");
    }

    void operator()(const ops::Given& op) const {
        loss(op, op.value);
        numbers(op.gradient, op.value, value(op.value).width);
    }

private:
    static constexpr int64_t kAnyRows = -1;

    void pools(const Value& in, const Value& out) const {
        require(is_packed(in) && domain(out).kind == DomainKind::kSequences,
                "packed rows in, sequence rows out");
        require(domain(in).min_rows >= 1, "at least one row in each sequence");
    }
    void disentangled(const ops::Attention& op) const {
        const bool has_tables = op.content_to_position != kNoIndex || op.position_to_content != kNoIndex;
        require(has_tables == !op.buckets.empty(), "tables of disentangled scores and buckets, or neither");
        if (!has_tables) return;
        require(op.key == kNoIndex || value(op.key).domain == value(op.query).domain,
                "query and key of one domain where their distance counts");
        const auto distances = static_cast<int64_t>(op.buckets.size());
        require(distances % 2 == 1 && distances >= 2 * domain(value(op.query)).max_rows - 1,
                "a bucket for every distance of the longest sequence");
        const int64_t width = value(op.output).width;
        for (const int32_t id : {op.content_to_position, op.position_to_content}) {
            if (id == kNoIndex) continue;
            const Value& table = value(id);
            require(domain(table).kind == DomainKind::kConstant &&
                        (table.width == width || table.width == width / op.num_heads) &&
                        (op.content_to_position == kNoIndex || op.position_to_content == kNoIndex ||
                         is_same_shape(value(op.content_to_position), table)),
                    "constant tables of one shape, with a row for all heads or one for each");
            for (size_t i = 0; i < op.buckets.size(); i++)
                require(op.buckets[i] >= (i == 0 ? 0 : op.buckets[i - 1]) &&
                            op.buckets[i] < domain(table).max_rows,
                        "buckets that never fall and are rows of the tables");
        }
    }
    void dropout(float probability, int32_t site) const {
        require(probability >= 0.0f && probability < 1.0f, "a dropout of 0 to below 1");
        require(site >= 0 && site < 65536, "a dropout site of 0 to 65535");
    }
    void loss(const ops::Loss& op, int32_t of) const {
        same_shape(value(of), value(op.output));
        require(std::isfinite(op.weight), "a finite weight");
    }
    void of_sequences(int32_t id) const {
        require(domain(value(id)).kind == DomainKind::kSequences, "a row for each sequence");
    }
    void labels(int32_t id, int32_t rows_of, int64_t classes) const {
        const Input& labels = input(id);
        require(labels.domain == value(rows_of).domain && labels.width == 1 && !labels.is_float &&
                    labels.is_required && labels.limit > 0 && labels.limit <= classes,
                "a required label for each row, below the number of classes");
    }
    void numbers(int32_t id, int32_t rows_of, int64_t width) const {
        const Input& numbers = input(id);
        require(numbers.domain == value(rows_of).domain && numbers.width == width && numbers.is_float &&
                    numbers.is_required,
                "required float32 numbers for each row");
    }

    void require(bool condition, const char* what) const {
        BERTHA_CHECK(condition, "INVALID_PROGRAM", "op %zu (%s): expected %s", index_,
                     name_of(program_.ops[index_]), what);
    }
    const Value& value(int32_t id) const { return program_.value(id); }
    const Input& input(int32_t id) const { return program_.inputs[static_cast<size_t>(id)]; }
    const Domain& domain(const Value& value) const {
        return program_.domains[static_cast<size_t>(value.domain)];
    }
    bool is_packed(const Value& value) const { return domain(value).kind == DomainKind::kPacked; }
    bool has_rows(const Value& value) const { return domain(value).kind != DomainKind::kPairs; }
    int64_t rows_of_weight(int32_t id) const { return program_.weights[static_cast<size_t>(id)].rows; }
    static bool is_same_shape(const Value& a, const Value& b) {
        return a.domain == b.domain && a.width == b.width;
    }
    void same_shape(const Value& in, const Value& out) const {
        require(is_same_shape(in, out) && has_rows(in), "input and output of one shape");
    }
    void weight(int32_t id, int64_t rows, int64_t cols, const char* what) const {
        const Weight& weight = program_.weights[static_cast<size_t>(id)];
        BERTHA_CHECK((rows == kAnyRows || weight.rows == rows) && weight.cols == cols, "INVALID_PROGRAM",
                     "op %zu (%s): expected %s of shape [%lld, %lld], got [%lld, %lld] (%s)", index_,
                     name_of(program_.ops[index_]), what, static_cast<long long>(rows),
                     static_cast<long long>(cols), static_cast<long long>(weight.rows),
                     static_cast<long long>(weight.cols), weight.name.c_str());
    }

    const Program& program_;
    const size_t index_;
};

}  // namespace bertha
