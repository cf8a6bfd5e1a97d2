// Activations for NEON's products of signed by signed 8-bit numbers: levels less 128. The sum differs by 128
// times that of the weights, which the zero point's term takes in: the integers are those of unsigned levels.

struct SignedLevels {
    static constexpr int kLevels = 255, kLimit = 127;
    static constexpr int32_t kOffset = 128;
    static constexpr bool kOwnLoop = false;
    static void store_levels(uint8_t* p, VecI levels) {
        const uint32_t four = clamped_bytes(levels) ^ 0x80808080u;
        __builtin_memcpy(p, &four, sizeof four);
    }
};
