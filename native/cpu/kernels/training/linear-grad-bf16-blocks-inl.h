// What learning needs beside bf16_blocks-inl.h. dWᵀ += Xᵀ dY takes rounded numbers through the fp32 tiles of
// linear-grad-inl.h: BFMMLA wants its operands along the summed rows, which would have to be transposed.

inline VecF round_to_bf16(VecF x) {
    const uint16x4_t four = vreinterpret_u16_bf16(vcvt_bf16_f32(x));
    return vreinterpretq_f32_u32(vshll_n_u16(four, 16));
}

struct RoundedRows {
    const float* x;
    int64_t stride;
    int64_t count;

    int64_t summed() const { return count; }
    const float* row(int64_t i) const { return x + i * stride; }
    static constexpr bool kConverts = true;
    static VecF convert(VecF value) { return round_to_bf16(value); }
};

// An element of a matrix [n, k] in fp32 panels.
struct PanelElements {
    const float* panels;
    int64_t n;
    int64_t k;

    float at(int64_t row, int64_t i) const {
        const int64_t first = row / kPanelWidth * kPanelWidth, left = n - first;
        return panels[first * k + i * padded_columns(left < kPanelWidth ? left : kPanelWidth) + row - first];
    }
};

// Panels of a matrix [n, k] as KernelTable::fp32 packs them -> panel `panel` as pack_bf16_panel does.
inline void round_panel(const float* panels, int64_t n, int64_t k, int64_t panel, void* out) {
    const PanelElements matrix{panels, n, k};
    const int64_t first = panel * kBlockWidth, left = n - first;
    pack_bf16_columns(
        left < kBlockWidth ? left : kBlockWidth, k,
        [&](int64_t row, int64_t i) { return matrix.at(first + row, i); }, out);
}

// The same for the transpose [k, n].
inline void round_transposed_panel(const float* panels, int64_t n, int64_t k, int64_t panel, void* out) {
    const PanelElements matrix{panels, n, k};
    const int64_t first = panel * kBlockWidth, left = k - first;
    pack_bf16_columns(
        left < kBlockWidth ? left : kBlockWidth, n,
        [&](int64_t row, int64_t i) { return matrix.at(i, first + row); }, out);
}
