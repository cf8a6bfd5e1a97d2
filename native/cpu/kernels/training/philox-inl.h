// Factors of dropout by Philox-4x32-10 (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011).
// Element (row, column) has the counter (column / 8, row, site, micro_step); the four words, each low half
// before high half, are 16-bit numbers for eight neighbouring columns. Nothing is stored: a backward draws
// the same again.

constexpr int64_t kPhiloxBlocks = kLanes / 2;          // counters at a time, each in a 64-bit lane
constexpr int64_t kPhiloxColumns = 8 * kPhiloxBlocks;  // numbers they give
constexpr int kPhiloxVectors = kPhiloxColumns / kLanes;

// The numbers for columns 8 block .. 8 block + kPhiloxColumns. Only the low 32 bits of a lane count.
inline void philox(const uint32_t (&key)[2], uint32_t block, uint32_t row, uint32_t site, uint32_t step,
                   uint16_t (&numbers)[kPhiloxColumns]) {
    VecL c0 = count_long() + set_long(block), c1 = set_long(row), c2 = set_long(site), c3 = set_long(step);
    uint32_t k0 = key[0], k1 = key[1];
    BERTHA_UNROLL
    for (int round = 0; round < 10; round++) {
        const VecL a = multiply_low_words(c0, set_long(0xd2511f53u)),
                   b = multiply_low_words(c2, set_long(0xcd9e8d57u));
        c0 = (b >> 32) ^ c1 ^ set_long(k0);
        c2 = (a >> 32) ^ c3 ^ set_long(k1);
        c1 = b;
        c3 = a;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
    const VecL low = set_long(0xffffffffu);
    store_interleaved(numbers, (c0 & low) | (c1 << 32), (c2 & low) | (c3 << 32));
}

// Factors of one site, row by row. `column` is a multiple of 8; vector i has those of kLanes columns from
// column + i * kLanes.
class DropoutFactors {
public:
    explicit DropoutFactors(const Dropout& dropout)
        : dropout_(dropout),
          threshold_(set(static_cast<float>(dropout.threshold))),
          scale_(set(dropout.scale)) {}

    void draw(uint32_t row, int64_t column, VecF (&factors)[kPhiloxVectors]) const {
        uint16_t numbers[kPhiloxColumns];
        philox(dropout_.key, static_cast<uint32_t>(column / 8), row, dropout_.site, dropout_.micro_step,
               numbers);
        for (int i = 0; i < kPhiloxVectors; i++)
            factors[i] = select_less(load_uint16(numbers + i * kLanes), threshold_, zero(), scale_);
    }

private:
    const Dropout dropout_;
    const VecF threshold_, scale_;
};

// out = x ∘ factors (+ residual), for columns begin .. end of one row; begin is a multiple of 8, pointers are
// those of column begin. out may be x.
inline void drop_columns(const DropoutFactors& dropout, uint32_t row, int64_t begin, int64_t end,
                         const float* x, const float* residual, float* out) {
    for (int64_t column = begin; column < end; column += kPhiloxColumns) {
        VecF factors[kPhiloxVectors];
        dropout.draw(row, column, factors);
        for (int i = 0; i < kPhiloxVectors; i++) {
            const int64_t at = column - begin + i * kLanes, n = end - begin - at;
            if (n <= 0) break;
            VecF y = mul(load_lanes(x + at, n), factors[i]);
            if (residual != nullptr) y = add(y, load_lanes(residual + at, n));
            store_lanes(out + at, y, n);
        }
    }
}

void dropout(const float* x, const float* residual, float* out, int64_t rows, int64_t width,
             uint32_t first_row, const Dropout& dropout) {
    const DropoutFactors factors(dropout);
    for (int64_t row = 0; row < rows; row++, x += width, out += width) {
        if (dropout.threshold > 0) {
            drop_columns(factors, first_row + static_cast<uint32_t>(row), 0, width, x, residual, out);
        } else if (residual != nullptr) {
            for (int64_t i = 0; i < width; i++) out[i] = x[i] + residual[i];
        } else if (out != x) {
            __builtin_memcpy(out, x, static_cast<size_t>(width) * sizeof(float));
        }
        if (residual != nullptr) residual += width;
    }
}
