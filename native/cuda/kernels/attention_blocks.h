// Which queries each block of attention_mma.cu takes. A warp has up to 16 queries of one text; a text of up
// to 64 tokens has neighbouring warps of one block, which it may share with others, a longer one whole
// blocks.
#pragma once

#include <cstdint>
#include <vector>

namespace bertha::cuda {

constexpr int32_t kAttentionWarps = 4;
constexpr int32_t kQueriesOfWarp = 16;

// [blocks, kAttentionWarps, 2] of the texts that cu_seqlens [batch_size + 1] delimits: for each warp its text
// and the first of its queries, counted from the text's first token. The text is -1 where a block has no more
// texts; the last warps of a long text may begin beyond its end. Blocks that take longest come first.
std::vector<int32_t> attention_blocks(const int32_t* cu_seqlens, int64_t batch_size);

}  // namespace bertha::cuda
