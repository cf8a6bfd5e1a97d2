// word2vec's binary tree over words: frequent words have short paths.
#pragma once

#include <cstdint>
#include <vector>

namespace bertha::cpu {

// Paths from the root: word i passes the inner nodes points[begin[i] … begin[i + 1]), and turns by codes[…].
struct HuffmanTree {
    std::vector<int64_t> begin;   // [words + 1]
    std::vector<int32_t> points;  // inner nodes, 0 to words - 2; the root is the last one
    std::vector<uint8_t> codes;
};

// Counts in falling order. Ties as word2vec.c breaks them: a leaf comes before an inner node only where its
// count is smaller.
HuffmanTree make_huffman_tree(const std::vector<int64_t>& counts);

}  // namespace bertha::cpu
