// What the products of a step read beside the fp32 masters, made of them again after each update: the
// transpose of a matrix that a gradient goes through, and with bf16 products rounded copies of matrix and
// transpose. A matrix that does not learn has its copies made once.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/kernels.h"
#include "cpu/training/weights/learning_weight.h"
#include "cpu/training/training_kernels.h"
#include "engine/allocator.h"
#include "engine/pool/team.h"
#include "engine/program/program.h"

namespace bertha::cpu {

// The kernels of a program that learns; bf16 null: no matrix rounds.
struct LearningKernels {
    const KernelTable& forward;
    const TrainingKernels& training;
    const Bf16TrainingKernels* bf16 = nullptr;
};

// A matrix as `format` multiplies with it.
struct ProductMatrix {
    const MatrixFormat& format;
    PackedMatrix panels;
};

class ProductPanels {
public:
    // The program must outlive it. Memory comes with allocate().
    ProductPanels(const Program& program, const std::vector<LearningWeight>& learning,
                  const LearningKernels& kernels);

    int64_t bytes() const { return bytes_; }
    void allocate() { panels_ = Buffer(static_cast<size_t>(bytes_)); }

    // The matrix [n, k] whose fp32 panels are `master`; its transpose [k, n].
    ProductMatrix matrix(int32_t weight, const PackedMatrix& master) const;
    ProductMatrix transposed(int32_t weight) const;

    // master_of(weight): its fp32 panels, as floats. `all`: also of what does not learn.
    template <typename MasterOf>
    void refresh(bool all, Team& team, MasterOf&& master_of) {
        const std::vector<Unit>& units = all ? all_ : learning_;
        team.run(static_cast<int64_t>(units.size()), [&](int64_t i, int) {
            const Unit& unit = units[static_cast<size_t>(i)];
            make_panel(unit, master_of(unit.weight));
        });
    }

private:
    struct Unit {
        int32_t weight;
        bool is_transpose;
        int64_t panel;
    };
    struct Place {  // bytes into panels_
        bool rounds = false;
        int64_t matrix = kNoIndex;
        int64_t transposed = kNoIndex;
    };
    const Weight& weight(int32_t id) const { return program_.weights[static_cast<size_t>(id)]; }
    const Place& place(int32_t id) const { return places_[static_cast<size_t>(id)]; }
    const MatrixFormat& format(int32_t id) const {
        return place(id).rounds ? kernels_.forward.bf16 : kernels_.forward.fp32;
    }
    int64_t add(int32_t weight, bool is_transpose, bool learns);
    void make_panel(const Unit& unit, const float* master) const;

    const Program& program_;
    const LearningKernels kernels_;
    std::vector<Place> places_;
    std::vector<Unit> all_, learning_;
    int64_t bytes_ = 0;
    Buffer panels_;
};

}  // namespace bertha::cpu
