#include "cpu/training/embed_grad.h"

#include <algorithm>
#include <vector>

#include "cpu/isa/isa.h"

namespace bertha::cpu {

void lookup_grad(const LookupGradArgs& args, Team& team) {
    std::vector<uint64_t> sorted;  // key, then row
    sorted.reserve(static_cast<size_t>(args.rows));
    for (int64_t row = 0; row < args.rows; row++) {
        const int64_t key = args.keys[row] + args.key_offset;
        if (key != args.frozen_row)
            sorted.push_back(static_cast<uint64_t>(key) << 32 | static_cast<uint64_t>(row));
    }
    std::sort(sorted.begin(), sorted.end());
    std::vector<int32_t> order(sorted.size());
    std::vector<size_t> begins;
    for (size_t i = 0; i < sorted.size(); i++) {
        order[i] = static_cast<int32_t>(sorted[i] & 0xffffffffu);
        if (i == 0 || sorted[i] >> 32 != sorted[i - 1] >> 32) begins.push_back(i);
    }
    const auto keys = static_cast<int64_t>(begins.size());
    begins.push_back(sorted.size());
    const TrainingKernels& kernels = training_kernels();
    team.run(keys, [&](int64_t i, int) {
        const size_t begin = begins[static_cast<size_t>(i)], end = begins[static_cast<size_t>(i) + 1];
        const auto key = static_cast<int64_t>(sorted[begin] >> 32);
        kernels.add_rows(args.grad_output, order.data() + begin, static_cast<int64_t>(end - begin),
                         args.width, args.scale, args.grad_table + key * args.width);
    });
}

void scatter_rows(const float* grad_output, const int32_t* places, int64_t count, int64_t width,
                  float* grad_input, int64_t rows) {
    std::fill_n(grad_input, rows * width, 0.0f);
    const TrainingKernels& kernels = training_kernels();
    for (int64_t i = 0; i < count; i++) {
        float* row = grad_input + places[i] * width;
        kernels.add(row, grad_output + i * width, row, width);
    }
}

}  // namespace bertha::cpu
