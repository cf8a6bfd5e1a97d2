// Factors of dropout by Philox-4x32-10 (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011).
// Element (row, column) has the counter (column / 8, row, site, micro_step); the four words, each low half
// before high half, are 16-bit numbers for eight neighbouring columns. Nothing is stored: a backward draws
// the same again.

constexpr int64_t kPhiloxBlocks = kLanes / 2;          // counters at a time, each in a 64-bit lane
constexpr int64_t kPhiloxColumns = 8 * kPhiloxBlocks;  // numbers they give
constexpr int kPhiloxVectors = kPhiloxColumns / kLanes;

// The four words of counters, of which each lane has one. Only the low 32 bits of a lane count.
struct PhiloxWords {
    VecL c0, c1, c2, c3;
};

inline void philox(const uint32_t (&key)[2], PhiloxWords& words) {
    uint32_t k0 = key[0], k1 = key[1];
    BERTHA_UNROLL
    for (int round = 0; round < 10; round++) {
        const VecL a = multiply_low_words(words.c0, set_long(0xd2511f53u)),
                   b = multiply_low_words(words.c2, set_long(0xcd9e8d57u));
        words.c0 = (b >> 32) ^ words.c1 ^ set_long(k0);
        words.c2 = (a >> 32) ^ words.c3 ^ set_long(k1);
        words.c1 = b;
        words.c3 = a;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
}

// The low 32 bits of both, lane by lane in turns.
inline VecI interleave_words(VecL even, VecL odd) {
    return (VecI)((even & set_long(0xffffffffu)) | (odd << 32));
}

// Factors of one site.
class DropoutFactors {
public:
    explicit DropoutFactors(const Dropout& dropout)
        : dropout_(dropout),
          threshold_(set(static_cast<float>(dropout.threshold))),
          scale_(set(dropout.scale)) {}

    // Of one row: vector i has those of kLanes columns from column + i * kLanes; `column` is a multiple of 8.
    void draw(uint32_t row, int64_t column, VecF (&factors)[kPhiloxVectors]) const {
        PhiloxWords words = {count_long() + set_long(static_cast<uint32_t>(column / 8)), set_long(row),
                             set_long(dropout_.site), set_long(dropout_.micro_step)};
        philox(dropout_.key, words);
        uint16_t numbers[kPhiloxColumns];
        store_interleaved(numbers, (VecL)interleave_words(words.c0, words.c1),
                          (VecL)interleave_words(words.c2, words.c3));
        for (int i = 0; i < kPhiloxVectors; i++) factors[i] = factor_of(load_uint16(numbers + i * kLanes));
    }

    // Of one column in each vector: kLanes rows from `row` on of the columns from `column`, a multiple of 8.
    void draw_columns(uint32_t row, int64_t column, VecF (&factors)[8]) const {
        PhiloxWords even = {set_long(static_cast<uint32_t>(column / 8)),
                            set_long(row) + count_long() + count_long(), set_long(dropout_.site),
                            set_long(dropout_.micro_step)};
        PhiloxWords odd = even;
        odd.c1 += set_long(1);
        philox(dropout_.key, even);
        philox(dropout_.key, odd);
        const VecI words[4] = {interleave_words(even.c0, odd.c0), interleave_words(even.c1, odd.c1),
                               interleave_words(even.c2, odd.c2), interleave_words(even.c3, odd.c3)};
        BERTHA_UNROLL
        for (int i = 0; i < 4; i++) {
            factors[2 * i] = factor_of(to_float(words[i] & set_int(0xffff)));
            factors[2 * i + 1] = factor_of(to_float((words[i] >> 16) & set_int(0xffff)));
        }
    }

private:
    VecF factor_of(VecF number) const { return select_less(number, threshold_, zero(), scale_); }

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
