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

constexpr uint64_t kWholePowers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
constexpr int kMostDigits = 19;  // of a mantissa that fits 64 bits

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

uint64_t every_byte(uint8_t byte) { return 0x0101010101010101u * byte; }

// How many of the first eight of `bytes` are digits, counted to the first that is none: digits are those
// whose high half is 3, also after 6 has been added.
int count_digits(uint64_t bytes) {
    const uint64_t high = every_byte(0xf0);
    const uint64_t others = ((bytes & high) ^ every_byte(0x30)) |
                            (((bytes + every_byte(6)) & high) ^ every_byte(0x30));
    return others == 0 ? 8 : __builtin_ctzll(others) / 8;
}

// The value of `count` digits, 1 to 8, at the begin of `bytes`: neighbours are joined to pairs, fours and
// eights.
uint64_t value_of_digits(uint64_t bytes, int count) {
    uint64_t digits = (bytes - every_byte('0')) << (64 - 8 * count);
    digits = digits * 10 + (digits >> 8);
    return (((digits & 0x000000ff000000ffu) * 0x000f424000000064u) +
            (((digits >> 16) & 0x000000ff000000ffu) * 0x0000271000000001u)) >>
           32;
}

// Takes digits into the mantissa, which wraps where there are too many; returns where they end.
const char* take_digits(const char* next, const char* end, uint64_t& mantissa) {
    while (end - next >= 8) {
        uint64_t bytes;
        std::memcpy(&bytes, next, sizeof bytes);
        const int count = count_digits(bytes);
        if (count == 0) return next;
        mantissa = mantissa * kWholePowers[count] + value_of_digits(bytes, count);
        next += count;
        if (count < 8) return next;
    }
    for (; next < end && is_digit(*next); next++)
        mantissa = mantissa * 10 + static_cast<uint64_t>(*next - '0');
    return next;
}

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
const char* read_float(const char* begin, const char* end, float* value) {
    const bool is_negative = begin < end && *begin == '-';
    if (begin < end && (*begin == '-' || *begin == '+')) begin++;
    uint64_t mantissa = 0;
    const char* next = begin;
    // One digit before the point is what most numbers have.
    if (next < end && is_digit(*next)) mantissa = static_cast<uint64_t>(*next++ - '0');
    if (next < end && is_digit(*next)) next = take_digits(next, end, mantissa);
    int64_t digits = next - begin, exponent = 0;
    if (next < end && *next == '.') {
        const char* const point = next++;
        next = take_digits(next, end, mantissa);
        exponent = point + 1 - next;
        digits -= exponent;
    }
    if (digits == 0) return nullptr;
    if (next < end && (*next == 'e' || *next == 'E')) {
        next++;
        const bool is_below = next < end && *next == '-';
        if (next < end && (*next == '-' || *next == '+')) next++;
        if (next == end || !is_digit(*next)) return nullptr;
        int64_t power = 0;
        for (; next < end && is_digit(*next); next++)
            if (power < 100'000) power = power * 10 + (*next - '0');
        exponent += is_below ? -power : power;
    }
    const bool is_slow = digits > kMostDigits || mantissa > (uint64_t{1} << 53) || exponent < -22 ||
                         exponent > 22;
    if (is_slow) return parse_slowly(begin, next, is_negative, value) ? next : nullptr;
    const auto whole = static_cast<double>(mantissa);
    const double wide = exponent < 0 ? whole / kPowers[-exponent] : whole * kPowers[exponent];
    uint64_t bits;
    std::memcpy(&bits, &wide, sizeof bits);
    const bool is_middle = (bits & 0x1fffffffu) == 0x10000000u;
    const auto narrow = static_cast<float>(wide);
    if (is_middle || (narrow < std::numeric_limits<float>::min() && mantissa != 0) || std::isinf(narrow))
        return parse_slowly(begin, next, is_negative, value) ? next : nullptr;
    *value = is_negative ? -narrow : narrow;
    return next;
}

}  // namespace bertha::cpu
