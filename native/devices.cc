#include "devices.h"

#include "cpu/cpu_backend.h"
#include "engine/check.h"
#ifdef BERTHA_CUDA
#include "cuda/cuda_backend.h"
#endif

namespace bertha {

std::string name_of_device(const std::string& device) {
    if (device == "cuda") return "cuda:0";
    if (device.rfind("cuda:0", 0) != 0) return device;
    const size_t digit = device.find_first_not_of('0', 5);
    return "cuda:" + (digit == std::string::npos ? "0" : device.substr(digit));
}

std::string device_problem(const std::string& device) {
    if (device == "cpu") return "";
#ifdef BERTHA_CUDA
    return cuda::device_problem(device);
#else
    if (device.rfind("cuda", 0) == 0)
        return "this build has no CUDA backend; install @bertha-encoder/linux-x64-cuda13 beside "
               "bertha-encoder, "
               "or build with BERTHA_CUDA=1 (docs/cuda.md)";
    return "expected one of cpu, cuda, cuda:N";
#endif
}

int device_count() {
#ifdef BERTHA_CUDA
    return cuda::device_count();
#else
    return 0;
#endif
}

std::string task_problem(const std::string& device, const std::string& precision, int64_t head_dim) {
    const std::string problem = device_problem(device);
#ifdef BERTHA_CUDA
    if (problem.empty() && device != "cpu") return cuda::task_problem(device, precision, head_dim);
#else
    static_cast<void>(precision);
    static_cast<void>(head_dim);
#endif
    return problem;
}

std::string device_description(const std::string& device) {
    const std::string problem = device_problem(device);
    BERTHA_CHECK(problem.empty(), "DEVICE", "device %.32s cannot be used: %s", device.c_str(),
                 problem.c_str());
#ifdef BERTHA_CUDA
    if (device != "cpu") return cuda::device_description(device);
#endif
    return "this processor";
}

std::unique_ptr<LoadedModel> load_model(std::shared_ptr<const Program> program, WeightSource& source,
                                        const LoadOptions& options, Team& team) {
    const std::string problem = device_problem(options.device);
    BERTHA_CHECK(problem.empty(), "DEVICE", "device %.32s cannot be used: %s", options.device.c_str(),
                 problem.c_str());
    require_kernels(*program, options.device);
#ifdef BERTHA_CUDA
    if (options.device != "cpu")
        return cuda::load(std::move(program), source, options.device, options.precision);
#endif
    return cpu::load(std::move(program), source, options.precision, team, options.cache);
}

}  // namespace bertha
