// What makes two loads the same model: the program, where its weights lie in which files, device and
// precision.
#pragma once

#include <string>
#include <vector>

#include "addon/weights/file_source.h"
#include "engine/backend.h"

namespace bertha::addon {

// The program, device and precision as text: equal texts make equal weights of equal files.
std::string program_key(const Program& program, const LoadOptions& options);

// A key for the registry: that and the files. Files count by device, inode, size and time of change. Empty
// when a file changed so recently that a second change might leave the same time: such a model is not shared.
std::string model_key(const Program& program, const std::vector<WeightParts>& parts,
                      const LoadOptions& options);

// What one weight is made of, whatever program it belongs to: its shape and its parts of files. Empty as for
// model_key.
std::string weight_key(const Weight& weight, const WeightParts& parts);

}  // namespace bertha::addon
