// Decimal numbers as float32, rounded correctly.
#pragma once

namespace bertha::cpu {

// Reads the whole of begin … end: digits with an optional sign, point and exponent. False for anything else:
// NaN, infinities, hexadecimal, a decimal comma, a number beyond float32.
bool parse_float(const char* begin, const char* end, float* value);

}  // namespace bertha::cpu
