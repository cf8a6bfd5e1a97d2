// UTF-8 as a decoder that replaces reads it: every longest wrong piece becomes U+FFFD (WHATWG Encoding).
#pragma once

#include <string>
#include <string_view>

namespace bertha::cpu {

bool is_utf8(std::string_view bytes);
std::string repaired_utf8(std::string_view bytes);
// At most `limit` bytes from the front, whole characters.
std::string_view cut_utf8(std::string_view text, size_t limit);

}  // namespace bertha::cpu
