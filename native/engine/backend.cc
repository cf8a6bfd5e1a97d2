#include "engine/backend.h"

#include "cpu/cpu_backend.h"
#include "engine/check.h"

namespace bertha {

std::string device_problem(const std::string& device) {
    if (device == "cpu") return "";
    if (device.rfind("cuda", 0) == 0) return "this build has no CUDA backend";
    return "expected one of cpu, cuda, cuda:N";
}

std::unique_ptr<LoadedModel> load_model(std::shared_ptr<const Program> program, WeightSource& source,
                                        const LoadOptions& options, Team& team) {
    const std::string problem = device_problem(options.device);
    BERTHA_CHECK(problem.empty(), "DEVICE", "device %.32s cannot be used: %s", options.device.c_str(),
                 problem.c_str());
    return cpu::load(std::move(program), source, options.precision, team);
}

}  // namespace bertha
