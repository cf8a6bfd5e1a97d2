#include "cpu/word-vectors/word_vectors.h"

#include <algorithm>
#include <cmath>

namespace bertha::cpu {

int64_t FastTextTables::ngram_row(int32_t hash) const {
    if (!is_pruned && !has_zero_rows) return hash;
    const auto found = std::lower_bound(kept_hashes.begin(), kept_hashes.end(), hash);
    if (found == kept_hashes.end() || *found != hash) return -1;
    return kept_rows[static_cast<size_t>(found - kept_hashes.begin())];
}

bool compose_vector(const WordVectors& vectors, std::string_view word, float* out) {
    const FastTextTables& tables = *vectors.fast_text;
    std::vector<double> sums(static_cast<size_t>(vectors.dimensions));
    int64_t count = 0;
    const auto add_row = [&](int64_t row) {
        count++;
        for (int64_t z = 0; z < vectors.dimensions; z++)
            sums[static_cast<size_t>(z)] += static_cast<double>(
                tables.input.floats()[row * vectors.width + z]);
    };
    if (const int64_t own = vectors.words.find(word); own >= 0) add_row(own);
    std::vector<int32_t> hashes;
    if (word != "</s>") append_ngrams(word, tables.ngrams, hashes);
    for (const int32_t hash : hashes) {
        const int64_t row = tables.ngram_row(hash);
        if (row >= 0)
            add_row(vectors.size() + row);
        else
            count += tables.has_zero_rows ? 1 : 0;
    }
    for (size_t z = 0; z < sums.size(); z++)
        out[z] = count == 0 ? 0.0f : static_cast<float>(sums[z] / static_cast<double>(count));
    return count > 0;
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
