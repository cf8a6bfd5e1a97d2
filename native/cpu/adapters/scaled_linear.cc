#include "cpu/adapters/scaled_linear.h"

#include <algorithm>

namespace bertha::cpu {

void scaled_linear(const KernelTable& kernels, const MatrixFormat& format, const LinearArgs& args,
                   float scale) {
    LinearArgs product = args;
    product.bias = product.residual = nullptr;
    product.activation = Activation::kNone;
    format.linear(product);
    const int64_t begin = args.panel_begin * format.panel_width,
                  end = std::min(args.panel_end * format.panel_width, args.matrix.n);
    for (int64_t row = 0; row < args.rows; row++) {
        float* output = args.output + row * args.output_stride;
        for (int64_t i = begin; i < end; i++) output[i] *= scale;
        if (args.bias != nullptr)
            for (int64_t i = begin; i < end; i++) output[i] += args.bias[i];
        if (args.activation != Activation::kNone)
            kernels.activate(args.activation, output + begin, end - begin);
        if (args.residual == nullptr) continue;
        const float* residual = args.residual + row * args.output_stride;
        for (int64_t i = begin; i < end; i++) output[i] += residual[i];
    }
}

}  // namespace bertha::cpu
