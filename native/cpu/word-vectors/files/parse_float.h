// Decimal numbers as float32, rounded correctly.
#pragma once

namespace bertha::cpu {

// Reads the number at `begin`: digits with an optional sign, point and exponent, for as long as they go on
// before `end`. Returns its end; null where there is none, or it is beyond float32. NaN, infinities and
// hexadecimal digits are no numbers.
const char* read_float(const char* begin, const char* end, float* value);

// As read_float, for a number that must be the whole of begin … end.
inline bool parse_float(const char* begin, const char* end, float* value) {
    return read_float(begin, end, value) == end;
}

}  // namespace bertha::cpu
