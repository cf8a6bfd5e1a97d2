#include "cpu/late-interaction/max_sim.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "cpu/isa/isa.h"
#include "engine/allocator.h"

namespace bertha::cpu {

MaxSim::MaxSim(const float* query, int64_t query_rows, int64_t width, const float* documents,
               std::vector<int32_t> offsets)
    : kernels_(cpu::kernels()),
      query_rows_(query_rows),
      width_(width),
      query_(query, query + query_rows * width),
      rows_(documents, documents + offsets.back() * width),
      offsets_(std::move(offsets)),
      scores_(offsets_.size() - 1) {}

void MaxSim::score(int64_t document) {
    const int64_t lanes = kernels_.lanes;
    const Buffer scratch(static_cast<size_t>((width_ + query_rows_) * lanes) * sizeof(double));
    std::vector<double> best(static_cast<size_t>(query_rows_), -std::numeric_limits<double>::infinity());
    ProductArgs args;
    args.queries = query_.data();
    args.panel = scratch.as<double>();
    args.out = scratch.as<double>() + width_ * lanes;
    args.count = query_rows_;
    args.width = width_;
    args.exact = true;
    const int64_t end = offsets_[static_cast<size_t>(document) + 1];
    for (int64_t row = offsets_[static_cast<size_t>(document)]; row < end; row += lanes) {
        const int64_t count = std::min(lanes, end - row);
        kernels_.pack_products(rows_.data() + row * width_, width_, count, width_, scratch.as<double>());
        kernels_.products(args);
        for (int64_t i = 0; i < query_rows_; i++) {
            const double* products = args.out + i * lanes;
            double& most = best[static_cast<size_t>(i)];
            most = std::max(most, *std::max_element(products, products + count));
        }
    }
    double sum = 0.0;
    for (const double each : best) sum += each;
    scores_[static_cast<size_t>(document)] = sum;
}

}  // namespace bertha::cpu
