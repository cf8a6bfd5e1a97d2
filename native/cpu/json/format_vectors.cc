#include "cpu/json/format_vectors.h"

#include <charconv>
#include <cmath>

namespace bertha::cpu {

void append_vector(std::string& json, const float* vector, size_t count) {
    // The longest float of std::to_chars is "-1.17549435e-38"; with its comma it fills 16.
    constexpr size_t kLongest = 16;
    const size_t begin = json.size();
    json.resize(begin + 2 + kLongest * count);
    char* out = &json[begin];
    char* const end = json.data() + json.size();
    *out++ = '[';
    for (size_t i = 0; i < count; i++) {
        if (i > 0) *out++ = ',';
        if (std::isfinite(vector[i])) {
            out = std::to_chars(out, end, vector[i]).ptr;
        } else {
            for (const char letter : {'n', 'u', 'l', 'l'}) *out++ = letter;
        }
    }
    *out++ = ']';
    json.resize(static_cast<size_t>(out - json.data()));
}

}  // namespace bertha::cpu
