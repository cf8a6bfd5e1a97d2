#include "cpu/isa/isa.h"

#include <algorithm>
#include <cstdlib>

#include "engine/check.h"

#if defined(__x86_64__)
#include <cpuid.h>
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
    std::vector<std::string> names;
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
#else
Features detect() { return {}; }
#endif

const Features& features() {
    static const Features found = detect();
    return found;
}

KernelTable with_int8(const KernelTable& table, const char* isa, const MatrixFormat& int8) {
    KernelTable better = table;
    better.isa = isa;
    better.int8 = int8;
    better.int8_fast.precision = nullptr;
    return better;
}

// Every table this processor can run, best last.
std::vector<KernelTable> make_tables() {
    std::vector<KernelTable> tables = {*scalar_kernels()};
    if (avx2_kernels() != nullptr && features().avx2_fma) tables.push_back(*avx2_kernels());
    if (avx_vnni_int8() != nullptr && features().avx_vnni)
        tables.push_back(with_int8(*avx2_kernels(), "avx2_vnni", *avx_vnni_int8()));
    if (avx512_kernels() != nullptr && features().avx512) tables.push_back(*avx512_kernels());
    if (avx512_vnni_int8() != nullptr && features().avx512_vnni)
        tables.push_back(with_int8(*avx512_kernels(), "avx512_vnni", *avx512_vnni_int8()));
    const Bf16Kernels* bf16 = avx512_bf16_kernels(bf16_products());
    if (bf16 != nullptr && features().avx512_bf16 && features().avx512_vnni) {
        KernelTable table = tables.back();
        table.isa = "avx512_bf16";
        table.bf16 = bf16->format;
        table.attention_bf16_scratch = bf16->attention_scratch;
        table.attention_bf16 = bf16->attention;
        tables.push_back(table);
    }
    return tables;
}

const std::vector<KernelTable>& available_tables() {
    static const std::vector<KernelTable>* tables = new std::vector<KernelTable>(make_tables());
    return *tables;
}

}  // namespace

Bf16Products bf16_products() { return features().is_intel ? Bf16Products::kFma : Bf16Products::kInstruction; }

IsaReport isa_report() {
    IsaReport report;
    report.features = features().names;
    std::string list;
    for (const KernelTable& table : available_tables()) {
        report.available.push_back(table.isa);
        list += (list.empty() ? "" : ", ") + std::string(table.isa);
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

const KernelTable& kernels() {
    const std::string chosen = isa_report().chosen;
    for (const KernelTable& table : available_tables())
        if (chosen == table.isa) return table;
    return available_tables().front();
}

// A table whose lanes are those of the forward: both read the same panels.
const TrainingKernels& training_kernels() {
    const int64_t lanes = kernels().lanes;
    if (avx512_kernels() != nullptr && lanes == avx512_kernels()->lanes) return *avx512_training_kernels();
    if (avx2_kernels() != nullptr && lanes == avx2_kernels()->lanes) return *avx2_training_kernels();
    return *scalar_training_kernels();
}

const WordKernels& word_kernels() {
    const int64_t lanes = kernels().lanes;
    if (avx512_kernels() != nullptr && lanes == avx512_kernels()->lanes) return *avx512_word_kernels();
    if (avx2_kernels() != nullptr && lanes == avx2_kernels()->lanes) return *avx2_word_kernels();
    return *scalar_word_kernels();
}

const Bf16TrainingKernels& bf16_training_kernels() {
    format_for(kernels(), "bf16");
    return *avx512_bf16_training_kernels(bf16_products());
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
             "precision bf16 needs the instruction set avx512_bf16, which is not in use here (%s): expected "
             "fp32, fp16-weights or int8",
             kernels.isa);
    fail("PRECISION",
         "precision %.32s is not available on this CPU (instruction set %s): expected one of fp32, "
         "fp16-weights, int8",
         precision.c_str(), kernels.isa);
}

}  // namespace bertha::cpu
