// bertha.node.
#include "addon/exports.h"

namespace bertha::addon {

NODE_API_MODULE(bertha, define_exports)

}  // namespace bertha::addon
