#include "cpu/word-vectors/files/parse_float.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace bertha::cpu {
namespace {

constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                              1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

// Whatever the fast way does not decide; the text is known to be a decimal number.
bool parse_slowly(const char* begin, const char* end, bool is_negative, float* value) {
    double wide = 0.0;
    float narrow = 0.0f;
    if (const auto result = std::from_chars(begin, end, narrow);
        result.ec == std::errc() && result.ptr == end) {
        *value = is_negative ? -narrow : narrow;
        return std::isfinite(narrow);
    }
    // Out of float32's range: near 0 it is 0 or a denormal, else too large.
    const auto result = std::from_chars(begin, end, wide);
    if (result.ptr != end) return false;
    const bool is_tiny = result.ec == std::errc()
                             ? std::abs(wide) < 1.0
                             : std::memchr(begin, '-', static_cast<size_t>(end - begin)) != nullptr;
    if (!is_tiny) return false;
    narrow = result.ec == std::errc() ? static_cast<float>(wide) : 0.0f;
    *value = is_negative ? -narrow : narrow;
    return true;
}

}  // namespace

// A mantissa below 2^53 and a power of ten up to 22 are doubles, so that their product or quotient is rounded
// once; rounding it again to float32 is wrong only where it lies in the middle between two floats.
bool parse_float(const char* begin, const char* end, float* value) {
    const bool is_negative = begin < end && *begin == '-';
    if (begin < end && (*begin == '-' || *begin == '+')) begin++;
    const char* next = begin;
    uint64_t mantissa = 0;
    int digits = 0, exponent = 0;
    bool any = false;
    for (; next < end && is_digit(*next); next++, any = true) {
        if (digits < 19) mantissa = mantissa * 10 + static_cast<uint64_t>(*next - '0');
        if (mantissa > 0) digits++;
    }
    if (next < end && *next == '.') {
        for (next++; next < end && is_digit(*next); next++, any = true) {
            if (digits < 19) {
                mantissa = mantissa * 10 + static_cast<uint64_t>(*next - '0');
                exponent--;
            }
            if (mantissa > 0) digits++;
        }
    }
    if (!any) return false;
    if (next < end && (*next == 'e' || *next == 'E')) {
        next++;
        const bool is_below = next < end && *next == '-';
        if (next < end && (*next == '-' || *next == '+')) next++;
        if (next == end) return false;
        int power = 0;
        for (; next < end && is_digit(*next); next++)
            if (power < 100'000) power = power * 10 + (*next - '0');
        exponent += is_below ? -power : power;
    }
    if (next != end) return false;
    if (mantissa == 0) {
        *value = is_negative ? -0.0f : 0.0f;
        return true;
    }
    if (digits > 19 || mantissa > (uint64_t{1} << 53) || exponent < -22 || exponent > 22)
        return parse_slowly(begin, end, is_negative, value);
    const auto whole = static_cast<double>(mantissa);
    const double wide = exponent < 0 ? whole / kPowers[-exponent] : whole * kPowers[exponent];
    uint64_t bits;
    std::memcpy(&bits, &wide, sizeof bits);
    const bool is_middle = (bits & 0x1fffffffu) == 0x10000000u;
    const auto narrow = static_cast<float>(wide);
    if (is_middle || narrow < std::numeric_limits<float>::min() || std::isinf(narrow))
        return parse_slowly(begin, end, is_negative, value);
    *value = is_negative ? -narrow : narrow;
    return true;
}

}  // namespace bertha::cpu
