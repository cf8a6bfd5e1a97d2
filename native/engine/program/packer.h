// Places values that live for a while in one row of memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace bertha {

// Floats of a cache line: values that begin at multiples of it begin on one, whatever the number of rows.
constexpr int64_t kCacheLineFloats = 16;

// Hands out offsets in a row so that values alive at the same time do not overlap: first fit, in order of
// birth. Offsets and widths are multiples of `unit`, in whatever a row is counted in.
class Packer {
public:
    explicit Packer(int64_t unit) : unit_(unit) {}

    int64_t place(int64_t width, int32_t birth, int32_t death) {
        width = (width + unit_ - 1) / unit_ * unit_;
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
    int64_t unit_;
    std::vector<Block> blocks_;
    int64_t width_ = 0;
};

}  // namespace bertha
