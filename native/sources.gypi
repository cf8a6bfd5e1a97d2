{
  "variables": {
    "bertha_sources": [
      "native/addon/addon.cc",
      "native/addon/environment.cc",
      "native/addon/file_source.cc",
      "native/addon/model_wrap.cc",
      "native/addon/ops.cc",
      "native/addon/program_reader.cc",
      "native/cpu/cpu_backend.cc",
      "native/cpu/int8_avx512_vnni.cc",
      "native/cpu/int8_avx_vnni.cc",
      "native/cpu/isa.cc",
      "native/cpu/kernels_avx2.cc",
      "native/cpu/kernels_avx512.cc",
      "native/cpu/kernels_scalar.cc",
      "native/cpu/packed_weights.cc",
      "native/engine/allocator.cc",
      "native/engine/backend.cc",
      "native/engine/hardware.cc",
      "native/engine/job.cc",
      "native/engine/model.cc",
      "native/engine/plan.cc",
      "native/engine/program.cc",
      "native/engine/scheduler.cc",
      "native/engine/shared_team.cc"
    ],
    "bertha_include": ["native"],
    "bertha_defines": ["NAPI_VERSION=9", "NODE_ADDON_API_CPP_EXCEPTIONS_ALL", "NODE_ADDON_API_REQUIRE_BASIC_FINALIZERS"],
    "bertha_cflags": [
      "-std=c++17",
      "-O3",
      "-fPIC",
      "-pthread",
      "-fexceptions",
      "-fno-rtti",
      "-fvisibility=hidden",
      "-fvisibility-inlines-hidden",
      "-ffp-contract=off",
      "-fno-math-errno",
      "-Wall",
      "-Wextra"
    ],
    "bertha_ldflags": ["-pthread", "-static-libstdc++", "-Wl,-z,nodelete", "-Wl,-z,now", "-Wl,-Bsymbolic", "-Wl,--gc-sections"],
    "bertha_exports": "native/exports.map"
  }
}
