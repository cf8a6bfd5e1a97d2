// The sum of a token's embeddings, a few columns at a time: what embed stores and what embed_layer_norm
// reads.
#pragma once

#include "cuda/device/types.cuh"

namespace bertha::cuda {

template <typename T>
struct Embeddings {
    Global<const T> word, position, type;            // the last two may be absent
    Global<const int32_t> ids, type_ids, positions;  // without type_ids every type is 0
    int32_t table_stride, position_offset;

    struct Row {
        int64_t word, position, type;  // elements into the tables
    };
    __device__ __forceinline__ Row row(int64_t token) const {
        return {
            static_cast<int64_t>(ids.load(token)) * table_stride,
            position.present() ? static_cast<int64_t>(positions.load(token) + position_offset) * table_stride
                               : 0,
            type_ids.present() && type.present() ? static_cast<int64_t>(type_ids.load(token)) * table_stride
                                                 : 0};
    }
    // word[id] + type[type_id] + position[position], summed in fp32 and rounded once.
    template <int kPack>
    __device__ __forceinline__ Pack<T, kPack> load(const Row& row, int32_t column) const {
        float x[kPack];
        const auto words = word.template load_pack<kPack>(row.word + column);
#pragma unroll
        for (int i = 0; i < kPack; i++) x[i] = ptx::to_float(words.at[i]);
        if (type.present()) {
            const auto types = type.template load_pack<kPack>(row.type + column);
#pragma unroll
            for (int i = 0; i < kPack; i++) x[i] += ptx::to_float(types.at[i]);
        }
        if (position.present()) {
            const auto places = position.template load_pack<kPack>(row.position + column);
#pragma unroll
            for (int i = 0; i < kPack; i++) x[i] += ptx::to_float(places.at[i]);
        }
        Pack<T, kPack> sums;
#pragma unroll
        for (int i = 0; i < kPack; i++) sums.at[i] = ptx::from_float<T>(x[i]);
        return sums;
    }
};

template <typename T>
Embeddings<T> embeddings(const EmbedArgs& args, const DeviceBatch& batch) {
    return {global<const T>(args.word),
            global<const T>(args.position),
            global<const T>(args.type),
            global(batch.input_ids),
            global(batch.token_type_ids),
            global(batch.positions),
            args.word.stride,
            args.position_offset};
}

}  // namespace bertha::cuda
