#include "cpu/word-vectors/word_vectors.h"

#include <algorithm>
#include <cmath>

namespace bertha::cpu {

void append_ngram_rows(const FastTextTables& tables, std::string_view word, int64_t words,
                       std::vector<int32_t>& rows) {
    if (word == "</s>") return;
    const size_t first = rows.size();
    append_ngrams(word, tables.ngrams, rows);
    size_t kept = first;
    for (size_t i = first; i < rows.size(); i++) {
        int32_t row = rows[i];
        if (tables.is_pruned) {
            const auto found = std::lower_bound(tables.pruned_hashes.begin(), tables.pruned_hashes.end(),
                                                row);
            if (found == tables.pruned_hashes.end() || *found != row) continue;
            row = tables.pruned_rows[static_cast<size_t>(found - tables.pruned_hashes.begin())];
        }
        rows[kept++] = static_cast<int32_t>(words) + row;
    }
    rows.resize(kept);
}

bool compose_vector(const WordVectors& vectors, std::string_view word, float* out) {
    std::vector<int32_t> rows;
    const FastTextTables& tables = *vectors.fast_text;
    if (const int64_t own = vectors.words.find(word); own >= 0) rows.push_back(static_cast<int32_t>(own));
    append_ngram_rows(tables, word, vectors.size(), rows);
    std::vector<double> sums(static_cast<size_t>(vectors.dimensions));
    for (const int32_t row : rows)
        for (int64_t z = 0; z < vectors.dimensions; z++)
            sums[static_cast<size_t>(z)] += static_cast<double>(
                tables.input.floats()[row * vectors.width + z]);
    for (size_t z = 0; z < sums.size(); z++)
        out[z] = rows.empty() ? 0.0f : static_cast<float>(sums[z] / static_cast<double>(rows.size()));
    return !rows.empty();
}

void compute_inverse_norms(WordVectors& vectors, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
        // Rows are filled up with zeros; four sums hide the latency of an addition.
        double sums[4] = {};
        const float* row = vectors.row(i);
        for (int64_t z = 0; z < vectors.width; z += 4)
            for (int64_t j = 0; j < 4; j++)
                sums[j] += static_cast<double>(row[z + j]) * static_cast<double>(row[z + j]);
        const double squares = (sums[0] + sums[1]) + (sums[2] + sums[3]);
        vectors.inverse_norms[static_cast<size_t>(i)] = squares > 0.0
                                                            ? static_cast<float>(1.0 / std::sqrt(squares))
                                                            : 0.0f;
    }
}

}  // namespace bertha::cpu
