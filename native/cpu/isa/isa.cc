#include "cpu/isa/isa.h"

#include <algorithm>
#include <cstdlib>

#include "engine/check.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(__aarch64__) && defined(_WIN32)
#include <windows.h>
#endif

namespace bertha::cpu {
namespace {

struct Features {
    bool avx2_fma = false;  // AVX2, FMA, F16C, and the system saves ymm
    bool avx512 = false;    // F, BW, DQ, VL, and the system saves zmm and masks
    bool avx_vnni = false;
    bool avx512_vnni = false;
    bool avx512_bf16 = false;
    bool is_intel = false;
    bool neon_dotprod = false;       // SDOT, UDOT
    bool neon_i8mm = false;          // SMMLA, USMMLA
    bool neon_bf16 = false;          // BFDOT, BFMMLA
    std::vector<std::string> names;  // as the system writes them
};

#if defined(__x86_64__)
__attribute__((target("xsave"))) uint64_t read_xcr0() { return __builtin_ia32_xgetbv(0); }

Features detect() {
    Features found;
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid(0, &a, &b, &c, &d) == 0) return found;
    found.is_intel = b == signature_INTEL_ebx && c == signature_INTEL_ecx && d == signature_INTEL_edx;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0) return found;
    const bool fma = c & (1u << 12), f16c = c & (1u << 29), osxsave = c & (1u << 27), avx = c & (1u << 28);
    if (!osxsave || !avx) return found;
    const uint64_t xcr0 = read_xcr0();
    const bool ymm = (xcr0 & 0x6) == 0x6, zmm = (xcr0 & 0xe6) == 0xe6;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return found;
    const auto note = [&](bool present, const char* name) {
        if (present) found.names.push_back(name);
        return present;
    };
    const bool avx2 = note(ymm && (b & (1u << 5)), "avx2");
    found.avx2_fma = avx2 && note(ymm && fma, "fma") && note(ymm && f16c, "f16c");
    const bool f = note(zmm && (b & (1u << 16)), "avx512f"), dq = note(zmm && (b & (1u << 17)), "avx512dq");
    const bool bw = note(zmm && (b & (1u << 30)), "avx512bw"), vl = note(zmm && (b & (1u << 31)), "avx512vl");
    found.avx512 = found.avx2_fma && f && dq && bw && vl;
    found.avx512_vnni = note(zmm && (c & (1u << 11)), "avx512_vnni") && found.avx512;
    if (__get_cpuid_count(7, 1, &a, &b, &c, &d) != 0) {
        found.avx_vnni = note(ymm && (a & (1u << 4)), "avx_vnni") && found.avx2_fma;
        found.avx512_bf16 = note(zmm && (a & (1u << 5)), "avx512_bf16") && found.avx512;
    }
    return found;
}
#elif defined(__aarch64__)
#if defined(__linux__)
// The kernel's numbers: older headers lack some of the names.
bool has_dotprod() { return (getauxval(AT_HWCAP) >> 20) & 1; }
bool has_i8mm() { return (getauxval(AT_HWCAP2) >> 13) & 1; }
bool has_bf16() { return (getauxval(AT_HWCAP2) >> 14) & 1; }
#elif defined(__APPLE__)
bool has(const char* name) {
    int value = 0;
    size_t bytes = sizeof value;
    return sysctlbyname(name, &value, &bytes, nullptr, 0) == 0 && value != 0;
}
bool has_dotprod() { return has("hw.optional.arm.FEAT_DotProd"); }
bool has_i8mm() { return has("hw.optional.arm.FEAT_I8MM"); }
bool has_bf16() { return has("hw.optional.arm.FEAT_BF16"); }
#elif defined(_WIN32)
// PF_ARM_V82_DP, PF_ARM_V82_I8MM and PF_ARM_V86_BF16: older headers lack the last two.
bool has_dotprod() { return IsProcessorFeaturePresent(43) != 0; }
bool has_i8mm() { return IsProcessorFeaturePresent(66) != 0; }
bool has_bf16() { return IsProcessorFeaturePresent(68) != 0; }
#else
bool has_dotprod() { return false; }
bool has_i8mm() { return false; }
bool has_bf16() { return false; }
#endif

Features detect() {
    Features found;
    const auto note = [&](bool present, const char* name) {
        if (present) found.names.push_back(name);
        return present;
    };
    note(true, "asimd");
    found.neon_dotprod = note(has_dotprod(), "asimddp");
    found.neon_i8mm = note(has_i8mm(), "i8mm");
    found.neon_bf16 = note(has_bf16(), "bf16");
    return found;
}
#else
Features detect() { return {}; }
#endif

const Features& features() {
    static const Features found = detect();
    return found;
}

// A table and what fits it: what learns and word vectors read the same panels.
struct InstructionSet {
    KernelTable table;
    const TrainingKernels* training;
    const WordKernels* words;
    const Bf16TrainingKernels* bf16_training;  // null without bf16 products
};

void add_int8(std::vector<InstructionSet>& sets, const char* isa, const MatrixFormat* int8) {
    InstructionSet set = sets.back();
    set.table.isa = isa;
    set.table.int8 = *int8;
    set.table.int8_fast.precision = nullptr;
    sets.push_back(set);
}

void add_bf16(std::vector<InstructionSet>& sets, const char* isa, const Bf16Kernels& bf16,
              const Bf16TrainingKernels* training) {
    InstructionSet set = sets.back();
    set.table.isa = isa;
    set.table.bf16 = bf16.format;
    set.table.attention_bf16_scratch = bf16.attention_scratch;
    set.table.attention_bf16 = bf16.attention;
    set.bf16_training = training;
    sets.push_back(set);
}

void add_x86_sets(std::vector<InstructionSet>& sets) {
    if (avx2_kernels() == nullptr || !features().avx2_fma) return;
    sets.push_back({*avx2_kernels(), avx2_training_kernels(), avx2_word_kernels(), nullptr});
    if (features().avx_vnni) add_int8(sets, "avx2_vnni", avx_vnni_int8());
    if (!features().avx512) return;
    sets.push_back({*avx512_kernels(), avx512_training_kernels(), avx512_word_kernels(), nullptr});
    if (!features().avx512_vnni) return;
    add_int8(sets, "avx512_vnni", avx512_vnni_int8());
    if (features().avx512_bf16)
        add_bf16(sets, "avx512_bf16", *avx512_bf16_kernels(bf16_products()),
                 avx512_bf16_training_kernels(bf16_products()));
}

void add_arm_sets(std::vector<InstructionSet>& sets) {
    if (neon_kernels() == nullptr) return;
    sets.push_back({*neon_kernels(), neon_training_kernels(), neon_word_kernels(), nullptr});
    if (features().neon_dotprod) add_int8(sets, "neon_dotprod", neon_dotprod_int8());
    if (!features().neon_i8mm) return;
    add_int8(sets, "neon_i8mm", neon_i8mm_int8());
    if (features().neon_bf16) add_bf16(sets, "neon_bf16", *neon_bf16_kernels(), neon_bf16_training_kernels());
}

// Every set this processor can run, best last.
const std::vector<InstructionSet>& available_sets() {
    static const std::vector<InstructionSet>* available = [] {
        auto* sets = new std::vector<InstructionSet>{
            {*scalar_kernels(), scalar_training_kernels(), scalar_word_kernels(), nullptr}};
        add_x86_sets(*sets);
        add_arm_sets(*sets);
        return sets;
    }();
    return *available;
}

const InstructionSet& chosen_set() {
    const std::string chosen = isa_report().chosen;
    for (const InstructionSet& set : available_sets())
        if (chosen == set.table.isa) return set;
    return available_sets().front();
}

}  // namespace

Bf16Products bf16_products() { return features().is_intel ? Bf16Products::kFma : Bf16Products::kInstruction; }

IsaReport isa_report() {
    IsaReport report;
    report.features = features().names;
    std::string list;
    for (const InstructionSet& set : available_sets()) {
        report.available.push_back(set.table.isa);
        list += (list.empty() ? "" : ", ") + std::string(set.table.isa);
    }
    report.chosen = report.available.back();
    const char* wanted = std::getenv("BERTHA_ISA");
    if (wanted != nullptr && *wanted != '\0') {
        const bool usable = std::find(report.available.begin(), report.available.end(), wanted) !=
                            report.available.end();
        BERTHA_CHECK(usable, "ISA", "BERTHA_ISA=%.32s is not available on this processor: expected one of %s",
                     wanted, list.c_str());
        report.chosen = wanted;
        report.forced = true;
    }
    return report;
}

const KernelTable& kernels() { return chosen_set().table; }
const TrainingKernels& training_kernels() { return *chosen_set().training; }
const WordKernels& word_kernels() { return *chosen_set().words; }

const Bf16TrainingKernels& bf16_training_kernels() {
    format_for(kernels(), "bf16");
    return *chosen_set().bf16_training;
}

const MatrixFormat& format_for(const KernelTable& kernels, const std::string& precision) {
    for (const MatrixFormat* format :
         {&kernels.fp32, &kernels.fp16_weights, &kernels.bf16, &kernels.int8, &kernels.int8_fast})
        if (format->precision != nullptr && precision == format->precision) return *format;
    if (precision == "int8-fast")
        fail("PRECISION",
             "precision int8-fast has no kernel of its own for %s, where int8 is as fast: expected int8",
             kernels.isa);
    if (precision == "bf16")
        fail("PRECISION",
             "precision bf16 needs the instruction set avx512_bf16 or neon_bf16, which is not in use here "
             "(%s): "
             "expected fp32, fp16-weights or int8",
             kernels.isa);
    fail("PRECISION",
         "precision %.32s is not available on this CPU (instruction set %s): expected one of fp32, "
         "fp16-weights, int8",
         precision.c_str(), kernels.isa);
}

}  // namespace bertha::cpu
