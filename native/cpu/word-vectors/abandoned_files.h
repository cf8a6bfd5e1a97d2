// Files that processes which were killed have left behind, known by the process's number in their names.
#pragma once

#include <string>

namespace bertha::cpu {

// Removes from a folder (with a slash at its end) files named `prefix`, then the number of a process that no
// longer runs, then "-" or nothing.
void remove_abandoned(const std::string& folder, const std::string& prefix);

}  // namespace bertha::cpu
