#include "cpu/word-vectors/corpus/utf8.h"

#include <cstdint>
#include <cstring>

namespace bertha::cpu {
namespace {

// The bytes of the character or wrong piece at the front, and which of the two it is.
struct Piece {
    size_t bytes;
    bool is_character;
};

Piece first_piece(std::string_view text) {
    const auto byte = [&text](size_t i) { return static_cast<uint8_t>(text[i]); };
    const uint8_t lead = byte(0);
    if (lead < 0x80) return {1, true};
    if (lead < 0xc2 || lead > 0xf4) return {1, false};
    const size_t wanted = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    uint8_t low = 0x80, high = 0xbf;  // of the second byte: neither overlong, nor surrogates, nor too large
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
    for (size_t i = 1; i < wanted; i++, low = 0x80, high = 0xbf)
        if (i >= text.size() || byte(i) < low || byte(i) > high) return {i, false};
    return {wanted, true};
}

}  // namespace

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        while (text.size() >= 8) {
            uint64_t eight;
            std::memcpy(&eight, text.data(), 8);
            if ((eight & 0x8080808080808080u) != 0) break;
            text.remove_prefix(8);
        }
        if (text.empty()) break;
        const Piece piece = first_piece(text);
        if (!piece.is_character) return false;
        text.remove_prefix(piece.bytes);
    }
    return true;
}

std::string repaired_utf8(std::string_view text) {
    std::string repaired;
    while (!text.empty()) {
        const Piece piece = first_piece(text);
        if (piece.is_character)
            repaired.append(text.substr(0, piece.bytes));
        else
            repaired += "\xef\xbf\xbd";
        text.remove_prefix(piece.bytes);
    }
    return repaired;
}

std::string_view cut_utf8(std::string_view text, size_t limit) {
    if (text.size() <= limit) return text;
    while (limit > 0 && (static_cast<uint8_t>(text[limit]) & 0xc0) == 0x80) limit--;
    return text.substr(0, limit);
}

}  // namespace bertha::cpu
