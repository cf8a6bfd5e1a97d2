// Places values that live for a while in one row of memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace bertha {

// Hands out offsets in a row so that values alive at the same time do not overlap: first fit, in order of
// birth.
class Packer {
public:
    int64_t place(int64_t width, int32_t birth, int32_t death) {
        // 16 floats: every value starts on a cache line whatever the number of rows.
        width = (width + 15) / 16 * 16;
        std::vector<Block> alive;
        for (const Block& block : blocks_)
            if (block.death >= birth) alive.push_back(block);
        std::sort(alive.begin(), alive.end(),
                  [](const Block& a, const Block& b) { return a.offset < b.offset; });
        int64_t offset = 0;
        for (const Block& block : alive) {
            if (block.offset - offset >= width) break;
            offset = std::max(offset, block.offset + block.width);
        }
        blocks_.push_back({offset, width, death});
        width_ = std::max(width_, offset + width);
        return offset;
    }
    int64_t width() const { return width_; }

private:
    struct Block {
        int64_t offset, width;
        int32_t death;
    };
    std::vector<Block> blocks_;
    int64_t width_ = 0;
};

}  // namespace bertha
