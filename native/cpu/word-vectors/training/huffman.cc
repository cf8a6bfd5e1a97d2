#include "cpu/word-vectors/training/huffman.h"

#include <algorithm>
#include <limits>

namespace bertha::cpu {

HuffmanTree make_huffman_tree(const std::vector<int64_t>& counts) {
    const auto words = static_cast<int64_t>(counts.size());
    const auto at = [](int64_t i) { return static_cast<size_t>(i); };
    std::vector<int64_t> count(counts), parent(at(2 * words), 0);
    std::vector<uint8_t> turn(at(2 * words), 0);
    count.resize(at(2 * words), std::numeric_limits<int64_t>::max());
    int64_t leaf = words - 1, inner = words;
    const auto take_smaller = [&] {
        return leaf >= 0 && count[at(leaf)] < count[at(inner)] ? leaf-- : inner++;
    };
    for (int64_t node = words; node < 2 * words - 1; node++) {
        const int64_t first = take_smaller(), second = take_smaller();
        count[at(node)] = count[at(first)] + count[at(second)];
        parent[at(first)] = parent[at(second)] = node;
        turn[at(second)] = 1;
    }
    HuffmanTree tree;
    tree.begin.push_back(0);
    for (int64_t word = 0; word < words; word++) {
        for (int64_t node = word; node < 2 * words - 2; node = parent[at(node)]) {
            tree.codes.push_back(turn[at(node)]);
            tree.points.push_back(static_cast<int32_t>(parent[at(node)] - words));
        }
        std::reverse(tree.codes.begin() + tree.begin.back(), tree.codes.end());
        std::reverse(tree.points.begin() + tree.begin.back(), tree.points.end());
        tree.begin.push_back(static_cast<int64_t>(tree.codes.size()));
    }
    return tree;
}

}  // namespace bertha::cpu
