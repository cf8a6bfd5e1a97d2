// Numbers as text, for answers over HTTP.
#pragma once

#include <cstddef>
#include <string>

namespace bertha::cpu {

// Appends a JSON list of [count] numbers: each the shortest decimal that reads back as the same float, null
// where it is not finite.
void append_vector(std::string& json, const float* vector, size_t count);

}  // namespace bertha::cpu
