#include "cpu/training/losses/sentence_losses.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace bertha::cpu {
namespace {

double dot(const float* a, const float* b, int64_t width) {
    double sum = 0.0;
    for (int64_t i = 0; i < width; i++) sum += static_cast<double>(a[i]) * b[i];
    return sum;
}

// A cosine of two vectors and what its gradient needs. Lengths below `least` count as `least`.
struct Cosine {
    double value, a_length, b_length;
    bool a_moves, b_moves;  // a length below `least` is a constant
};

Cosine cosine_of(const float* a, const float* b, int64_t width, double least) {
    Cosine cosine;
    cosine.a_length = std::sqrt(dot(a, a, width));
    cosine.b_length = std::sqrt(dot(b, b, width));
    cosine.a_moves = !(cosine.a_length < least);
    cosine.b_moves = !(cosine.b_length < least);
    if (!cosine.a_moves) cosine.a_length = least;
    if (!cosine.b_moves) cosine.b_length = least;
    cosine.value = dot(a, b, width) / (cosine.a_length * cosine.b_length);
    return cosine;
}

// da = g · d(cosine)/da, and db likewise.
void cosine_grad(const Cosine& cosine, const float* a, const float* b, int64_t width, double g, float* da,
                 float* db) {
    const double both = g / (cosine.a_length * cosine.b_length);
    const double a_part = cosine.a_moves ? g * cosine.value / (cosine.a_length * cosine.a_length) : 0.0;
    const double b_part = cosine.b_moves ? g * cosine.value / (cosine.b_length * cosine.b_length) : 0.0;
    for (int64_t i = 0; i < width; i++) {
        da[i] = static_cast<float>(both * b[i] - a_part * a[i]);
        db[i] = static_cast<float>(both * a[i] - b_part * b[i]);
    }
}

// log(e^a + e^b); what is not a number stays so.
double log_add(double a, double b) {
    if (std::isnan(a) || std::isnan(b)) return a + b;
    const double high = std::max(a, b), low = std::min(a, b);
    return std::isinf(high) && high < 0 ? high : high + std::log1p(std::exp(low - high));
}

}  // namespace

double cosine_similarity(const SentenceLossArgs& args, const float* scores) {
    constexpr double kLeast = 1e-8;  // of torch.cosine_similarity
    const int64_t part = args.count * args.width;
    double loss = 0.0;
    for (int64_t i = 0; i < args.count; i++) {
        const float *a = args.embeddings + i * args.width, *b = a + part;
        const Cosine cosine = cosine_of(a, b, args.width, kLeast);
        const double difference = std::isnan(scores[i]) ? 0.0 : cosine.value - scores[i];
        loss += difference * difference;
        float* grad = args.grad + i * args.width;
        cosine_grad(cosine, a, b, args.width, 2.0 * difference * args.scale, grad, grad + part);
    }
    return loss;
}

// With the pairs sorted by score, the sum over all j of a higher score is a suffix, that over all i of a
// lower one a prefix: n log n, where the definition has n² terms.
double cosent(const SentenceLossArgs& args, const float* scores, float similarity) {
    constexpr double kLeast = 1e-12;  // of torch.nn.functional.normalize
    constexpr double kNothing = -HUGE_VAL;
    const int64_t part = args.count * args.width;
    auto count = static_cast<size_t>(args.count);
    std::vector<Cosine> cosines(count);
    for (size_t i = 0; i < count; i++) {
        const float* a = args.embeddings + static_cast<int64_t>(i) * args.width;
        cosines[i] = cosine_of(a, a + part, args.width, kLeast);
    }
    std::vector<size_t> order;
    for (size_t i = 0; i < count; i++) {
        const int64_t row = static_cast<int64_t>(i) * args.width;
        if (!std::isnan(scores[i])) {
            order.push_back(i);
            continue;
        }
        std::fill_n(args.grad + row, args.width, 0.0f);
        std::fill_n(args.grad + row + part, args.width, 0.0f);
    }
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] < scores[b]; });
    count = order.size();
    const auto scaled = [&](size_t place) { return similarity * cosines[order[place]].value; };
    // log Σ e^-s over the places from here on, log Σ e^s over the places before.
    std::vector<double> suffix(count + 1, kNothing), prefix(count + 1, kNothing);
    for (size_t place = count; place-- > 0;) suffix[place] = log_add(suffix[place + 1], -scaled(place));
    for (size_t place = 0; place < count; place++) prefix[place + 1] = log_add(prefix[place], scaled(place));
    double loss = 0.0;
    std::vector<size_t> lower(count), higher(count);  // ends of the lower scores, begins of the higher ones
    for (size_t begin = 0, end = 0; begin < count; begin = end) {
        while (end < count && scores[order[end]] == scores[order[begin]]) end++;
        for (size_t place = begin; place < end; place++) {
            lower[place] = begin;
            higher[place] = end;
            loss = log_add(loss, scaled(place) + suffix[end]);
        }
    }
    for (size_t place = 0; place < count; place++) {
        const double as_lower = std::exp(scaled(place) + suffix[higher[place]] - loss);
        const double as_higher = std::exp(prefix[lower[place]] - scaled(place) - loss);
        const int64_t row = static_cast<int64_t>(order[place]) * args.width;
        const float* a = args.embeddings + row;
        cosine_grad(cosines[order[place]], a, a + part, args.width,
                    similarity * (as_lower - as_higher) * args.scale, args.grad + row,
                    args.grad + row + part);
    }
    return loss;
}

double triplet(const SentenceLossArgs& args, float margin) {
    constexpr double kNudge = 1e-6;  // of torch.nn.functional.pairwise_distance
    const int64_t width = args.width, part = args.count * width;
    double loss = 0.0;
    for (int64_t i = 0; i < args.count; i++) {
        const float *a = args.embeddings + i * width, *p = a + part, *n = p + part;
        double positive = 0.0, negative = 0.0;
        for (int64_t j = 0; j < width; j++) {
            const double to_p = static_cast<double>(a[j]) - p[j] + kNudge,
                         to_n = static_cast<double>(a[j]) - n[j] + kNudge;
            positive += to_p * to_p;
            negative += to_n * to_n;
        }
        positive = std::sqrt(positive);
        negative = std::sqrt(negative);
        const double term = positive - negative + margin;
        const bool counts = !(term <= 0.0);
        if (counts) loss += term;
        float *da = args.grad + i * width, *dp = da + part, *dn = dp + part;
        const double by_p = counts && positive > 0.0 ? args.scale / positive : 0.0;
        const double by_n = counts && negative > 0.0 ? args.scale / negative : 0.0;
        for (int64_t j = 0; j < width; j++) {
            const double to_p = by_p * (static_cast<double>(a[j]) - p[j] + kNudge),
                         to_n = by_n * (static_cast<double>(a[j]) - n[j] + kNudge);
            da[j] = static_cast<float>(to_p - to_n);
            dp[j] = static_cast<float>(-to_p);
            dn[j] = static_cast<float>(to_n);
        }
    }
    return loss;
}

}  // namespace bertha::cpu
