// GloVe's steps over one set of lanes: included once per instruction set, as words-inl.h is.

// The rows that a record changes.
struct GloveRows {
    GloveRows(const GloveSteps& steps, const GloveRecord& record)
        : word(steps.words + record.word * steps.width),
          word_sums(steps.word_sums + record.word * steps.width),
          context(steps.contexts + record.context * steps.width),
          context_sums(steps.context_sums + record.context * steps.width) {}

    void prefetch(int64_t width) const {
        for (int64_t z = 0; z < width; z += kRowFloats)
            for (const float* row : {word, context, word_sums, context_sums}) __builtin_prefetch(row + z);
    }

    float *word, *word_sums, *context, *context_sums;
};

// The biases alike, without the cut.
inline void glove_bias(float* row, float* sums, int64_t bias, float before, float gradient) {
    row[bias] = before - gradient / __builtin_sqrtf(sums[bias]);
    sums[bias] += gradient * gradient;
}

// Each element learns with eta · its gradient cut at ±clip, divided by the root of its sum of squares as it
// was before. `keep` [kRowFloats] is 0 at the bias, which lies among the last floats of a row, and else 1.
inline float glove_step(const GloveSteps& steps, const GloveRecord& record, const GloveRows& rows,
                        const float* keep) {
    float *const word = rows.word, *const word_sums = rows.word_sums;
    float *const context = rows.context, *const context_sums = rows.context_sums;
    const int64_t width = steps.width, bias = steps.bias, last = width - kRowFloats;
    const auto load_kept = [=](const float* row, int64_t z) {
        return z < last ? load(row + z) : mul(load(row + z), load(keep + z - last));
    };
    const float word_bias = word[bias], context_bias = context[bias];
    VecF products[2] = {zero(), zero()};
    for (int64_t z = 0; z < width; z += kLanes) {
        VecF& own = products[z / kLanes % 2];
        own = fma(load_kept(word, z), load(context + z), own);
    }
    const float difference = sum(add(products[0], products[1])) + word_bias + context_bias - record.log_count;
    const float weighted = record.weight * difference;
    const VecF factor = set(weighted), eta = set(steps.eta), most = set(steps.clip), least = set(-steps.clip);
    for (int64_t z = 0; z < width; z += kLanes) {
        const VecF w = load_kept(word, z), c = load_kept(context, z);
        const VecF of_word = load(word_sums + z), of_context = load(context_sums + z);
        const VecF to_word = mul(eta, max(least, min(most, mul(factor, c)))),
                   to_context = mul(eta, max(least, min(most, mul(factor, w))));
        store(word + z, sub(w, mul(to_word, inverse_sqrt(of_word))));
        store(context + z, sub(c, mul(to_context, inverse_sqrt(of_context))));
        store(word_sums + z, fma(to_word, to_word, of_word));
        store(context_sums + z, fma(to_context, to_context, of_context));
    }
    glove_bias(word, word_sums, bias, word_bias, steps.eta * weighted);
    glove_bias(context, context_sums, bias, context_bias, steps.eta * weighted);
    return weighted * difference;
}

double glove_steps(const GloveSteps& steps) {
    alignas(64) float keep[kRowFloats];
    for (float& each : keep) each = 1.0f;
    keep[steps.bias % kRowFloats] = 0.0f;
    double cost = 0.0;
    for (int64_t i = 0; i < steps.count; i++) {
        if (i + 1 < steps.count) GloveRows(steps, steps.records[i + 1]).prefetch(steps.width);
        const GloveRecord& record = steps.records[i];
        cost += static_cast<double>(glove_step(steps, record, GloveRows(steps, record), keep));
    }
    return cost;
}
