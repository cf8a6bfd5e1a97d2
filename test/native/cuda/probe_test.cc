// What the probe for Hopper computes on the host: where operands lie in shared memory, and their descriptors.
//   probe_test
#include <cstdio>
#include <set>
#include <string>

#include "cuda/check.h"
#include "cuda/probe_layout.h"

namespace bertha::test {
namespace {

using namespace probe;

// 16 rows fill the tile: no two pieces meet, and the same piece of 8 rows lies in 8 different groups of 4 banks.
std::string check_places(Swizzle swizzle) {
    const int pieces = swizzle == Swizzle::kNone ? 2 : row_bytes(swizzle) / 16;
    std::set<uint32_t> all;
    for (int row = 0; row < 16; row++)
        for (int piece = 0; piece < pieces; piece++) all.insert(place(swizzle, row, piece));
    const auto count = static_cast<size_t>(16 * pieces);
    if (all.size() != count || *all.rbegin() != 16 * count - 16) return "pieces meet or leave the tile";
    for (int piece = 0; piece < pieces; piece++) {
        std::set<uint32_t> groups;
        for (int row = 0; row < 8; row++) groups.insert(place(swizzle, row, piece) / 16 % 8);
        if (groups.size() != 8) return "rows meet in a bank";
    }
    // The descriptor's stride leads from 8 rows to the next 8, its leading bytes from the first piece to the second.
    if (place(swizzle, 8, 0) - place(swizzle, 0, 0) != stride_bytes(swizzle)) return "another stride";
    if (swizzle == Swizzle::kNone && place(swizzle, 0, 1) - place(swizzle, 0, 0) != leading_bytes(swizzle)) return "other leading bytes";
    return "";
}

std::string check_descriptor(Swizzle swizzle) {
    const uint64_t bits = descriptor(0x12340, swizzle);
    if ((bits & 0x3fff) != 0x1234) return "another address";
    if ((bits >> 16 & 0x3fff) * 16 != leading_bytes(swizzle) || (bits >> 32 & 0x3fff) * 16 != stride_bytes(swizzle)) return "other strides";
    if (bits >> 62 != static_cast<uint64_t>(swizzle) || (bits >> 46 & 0xffff) != 0) return "another mode";
    return "";
}

}  // namespace
}  // namespace bertha::test

int main() {
    using namespace bertha::test;
    // Swizzle<3, 4, 3> of CUTLASS: the 16-byte piece is exchanged by the row modulo 8.
    run_case("a row of 128 bytes", [] { return std::string(place(Swizzle::k128, 3, 5) == 3 * 128 + (5 ^ 3) * 16 ? "" : "another place"); });
    for (Swizzle swizzle : {Swizzle::kNone, Swizzle::k32, Swizzle::k64, Swizzle::k128}) {
        const std::string name = "swizzle " + std::to_string(static_cast<int>(swizzle));
        run_case(name, [&] { return check_places(swizzle); });
        run_case(name + ", descriptor", [&] { return check_descriptor(swizzle); });
    }
    std::printf("%d passed, %d failed\n", passes, failures);
    return failures > 0 || passes == 0 ? 1 : 0;
}
