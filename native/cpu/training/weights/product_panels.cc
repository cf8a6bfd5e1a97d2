#include "cpu/training/weights/product_panels.h"

#include <algorithm>

namespace bertha::cpu {
namespace {

int64_t bytes_of_panel(const MatrixFormat& format, int64_t k) {
    return format.panel_bytes(format.panel_width, k);
}

}  // namespace

ProductPanels::ProductPanels(const Program& program, const std::vector<LearningWeight>& learning,
                             const LearningKernels& kernels)
    : program_(program), kernels_(kernels), places_(program.weights.size()) {
    for (int32_t id = 0; id < static_cast<int32_t>(places_.size()); id++) {
        if (weight(id).kind != WeightKind::kMatrix) continue;
        const LearningWeight& how = learning[static_cast<size_t>(id)];
        Place& place = places_[static_cast<size_t>(id)];
        place.rounds = how.rounds;
        if (how.rounds) place.matrix = add(id, false, how.trainable);
        if (how.needs_transposed) place.transposed = add(id, true, how.trainable);
    }
}

int64_t ProductPanels::add(int32_t id, bool is_transpose, bool learns) {
    const Weight& shape = weight(id);
    const int64_t n = is_transpose ? shape.cols : shape.rows, k = is_transpose ? shape.rows : shape.cols,
                  panels = (n + format(id).panel_width - 1) / format(id).panel_width, place = bytes_;
    for (int64_t panel = 0; panel < panels; panel++) {
        all_.push_back({id, is_transpose, panel});
        if (learns) learning_.push_back(all_.back());
    }
    bytes_ += panels * bytes_of_panel(format(id), k);
    return place;
}

ProductMatrix ProductPanels::matrix(int32_t id, const PackedMatrix& master) const {
    if (!place(id).rounds) return {format(id), master};
    return {
        format(id),
        {panels_.as<uint8_t>() + place(id).matrix, bytes_of_panel(format(id), master.k), master.n, master.k}};
}

ProductMatrix ProductPanels::transposed(int32_t id) const {
    const Weight& shape = weight(id);
    return {format(id),
            {panels_.as<uint8_t>() + place(id).transposed, bytes_of_panel(format(id), shape.rows), shape.cols,
             shape.rows}};
}

void ProductPanels::make_panel(const Unit& unit, const float* master) const {
    const int64_t n = weight(unit.weight).rows, k = weight(unit.weight).cols;
    const Place& where = place(unit.weight);
    uint8_t* out = panels_.as<uint8_t>() + (unit.is_transpose ? where.transposed : where.matrix) +
                   unit.panel * bytes_of_panel(format(unit.weight), unit.is_transpose ? n : k);
    if (!where.rounds)
        kernels_.training.transpose_panel(master, n, k, unit.panel, reinterpret_cast<float*>(out));
    else if (unit.is_transpose)
        kernels_.bf16->round_transposed_panel(master, n, k, unit.panel, out);
    else
        kernels_.bf16->round_panel(master, n, k, unit.panel, out);
}

}  // namespace bertha::cpu
