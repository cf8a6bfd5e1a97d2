// The int8 formats of vector instruction sets, by how exact sums of 8-bit products are to be had. Tiles of
// kRowCount rows x 2 vectors; 8 x 48 is no faster than 8 x 32.

template <int kLevelCount, int kWeightLimit, int kGroupCount, int kRowCount, bool kOneInstruction>
struct Int8Format : UnsignedLevels {
    static constexpr int kLevels = kLevelCount, kLimit = kWeightLimit, kGroups = kGroupCount,
                         kRows = kRowCount, kVectors = 2;
    static constexpr int64_t kGroup = 4;
    static constexpr bool kDot = kOneInstruction, kOwnLoop = false;
    struct Group {
        VecI group[kGroupCount];
    };
    using Weights = Group;
    using Inputs = Group;
    static Group load_weights(const int8_t* p, int64_t next) {
        Group w;
        for (int i = 0; i < kGroupCount; i++) w.group[i] = load_int(p + i * next);
        return w;
    }
    static Group load_inputs(const uint8_t* p) {
        Group x;
        for (int i = 0; i < kGroupCount; i++) {
            int32_t four;
            __builtin_memcpy(&four, p + i * kGroup, sizeof four);
            x.group[i] = set_int(four);
        }
        return x;
    }
};

// 8-bit inputs, where one instruction sums four products in 32 bits.
template <int kRowCount, VecI (*kDotBytes)(VecI sum, VecI x, VecI w)>
struct DotInt8 : Int8Format<255, 127, 1, kRowCount, true> {
    using Group = typename DotInt8::Group;
    static VecI dot(VecI sum, const Group& x, const Group& w) {
        return kDotBytes(sum, x.group[0], w.group[0]);
    }
};

inline VecI sum_pairs(VecI pairs) { return dot_pairs(pairs, set_int(0x00010001)); }

// Two products are summed in 16 bits: 7-bit inputs keep 2 * 127 * 127 = 32258 exact, and are more accurate
// than 7-bit weights.
template <int kRowCount>
struct PairInt8 : Int8Format<127, 127, 1, kRowCount, false> {
    using Group = typename PairInt8::Group;
    static VecI dot(VecI sum, const Group& x, const Group& w) {
        return add_int(sum, sum_pairs(multiply_bytes(x.group[0], w.group[0])));
    }
};

// Four products are summed in 16 bits: with weights of +-64 they stay exact, 4 * 127 * 64 = 32512.
template <int kRowCount>
struct QuadInt8 : Int8Format<127, 64, 2, kRowCount, false> {
    using Group = typename QuadInt8::Group;
    static VecI dot(VecI sum, const Group& x, const Group& w) {
        return add_int(sum, sum_pairs(add_int16(multiply_bytes(x.group[0], w.group[0]),
                                                multiply_bytes(x.group[1], w.group[1]))));
    }
};
