// What every op's fields() speaks with.
#pragma once

#include <cstdint>

#include "engine/program/op_options.h"

namespace bertha {

// How a weight is used decides how a backend stores it.
enum class WeightKind : int32_t {
    kMatrix,  // [rows, cols] = [out, in] of a linear; backends repack or quantise it
    kTable,   // [rows, cols], rows are looked up
    kVector,  // [1, cols]: bias, LayerNorm weight
};

enum class Need : int32_t { kRequired, kOptional };

// What an op's fields() shows its fields to. A visitor derives from it, hides the methods that it is about,
// and is passed over each field in order: inputs of the batch that the op takes, values that it reads and
// writes, weights, everything else.
struct FieldVisitor {
    template <typename Index>
    void takes(const char*, Index&, Need = Need::kRequired) {}
    template <typename Index>
    void reads(const char*, Index&, Need = Need::kRequired) {}
    template <typename Index>
    void writes(const char*, Index&, Need = Need::kRequired) {}
    template <typename Index>
    void weight(const char*, Index&, WeightKind, Need = Need::kRequired) {}
    template <typename Option>
    void option(const char*, Option&) {}
    // Fields that programs for inference leave unset: they are part of a program's text where they are set.
    void rare_writes(const char*, int32_t&) {}
    void rare_writes(const char*, const int32_t&) {}
    template <typename Option, typename Unset>
    void rare_option(const char*, Option&, Unset) {}
};

}  // namespace bertha
