# The default build (node-gyp). What is compiled, and how, stands in native/sources.gypi; CMakeLists.txt reads the same file.
# Everything is compiled once, into two static libraries: bertha.node and, for tests, bertha_test.node are linked from them.
{
  'includes': ['native/sources.gypi'],
  'variables': {
    'bertha_cuda%': 0,
    # Taken from the library of ours rather than from the C++ library's, which comes later: native/addon/system/no_demangler.cc.
    'bertha_archive_ldflags': ['-Wl,--undefined=__cxa_demangle'],
    'bertha_nvcc%': 'nvcc',
    'bertha_cuda_lib%': '/usr/local/cuda/lib64',
  },
  'target_defaults': {
    'include_dirs': ['<@(bertha_include)', "<!(node -p \"require('node-addon-api').include_dir\")"],
    'defines': [
      '<@(bertha_defines)',
      'BERTHA_BUILDER="node-gyp"',
      'BERTHA_VERSION="<!(node -p "require(\'./package.json\').version")"',
    ],
    # Node's common.gypi brings flags of its own: these would differ from the other build, or fight with the list.
    'cflags!': ['-O2', '-O3', '-fno-omit-frame-pointer', '-fno-strict-aliasing', '-Wno-unused-parameter'],
    'cflags_cc!': ['-fno-exceptions', '-std=gnu++17', '-std=gnu++20'],
    'cflags_cc': ['<@(bertha_cflags)'],
  },
  'targets': [
    {
      'target_name': 'bertha_core',
      'type': 'static_library',
      'product_extension': 'a',
      'sources': ['<@(bertha_sources)'],
      'sources!': ['<@(bertha_small_sources)'],
      'conditions': [
        ['bertha_cuda==1', {
          'defines': ['BERTHA_CUDA=1'],
          'sources': ['<@(bertha_cuda_host_sources)', '<@(bertha_cuda_sources)'],
          # Static cudart: the addon loads on machines without a driver, and then reports no device.
          'link_settings': {'libraries': ['-L<(bertha_cuda_lib)', '-lcudart_static', '-lrt', '-ldl']},
          'rules': [
            {
              'rule_name': 'nvcc',
              'extension': 'cu',
              'inputs': ['<@(bertha_cuda_headers)'],
              'outputs': ['<(INTERMEDIATE_DIR)/<(RULE_INPUT_ROOT).cu.o'],
              'process_outputs_as_sources': 1,
              'message': 'NVCC <(RULE_INPUT_PATH)',
              'action': [
                '<(bertha_nvcc)', '<@(bertha_cuda_flags)', '<@(bertha_cuda_gencode)', '-I<(module_root_dir)/native',
                '-c', '<(RULE_INPUT_PATH)', '-o', '<(INTERMEDIATE_DIR)/<(RULE_INPUT_ROOT).cu.o',
              ],
            },
          ],
        }],
        # The same kernels on the host, with neither nvcc nor CUDA headers.
        ['bertha_cuda=="emulated"', {
          'defines': ['<@(bertha_cuda_emulated_defines)'],
          'sources': ['<@(bertha_cuda_host_sources)', '<@(bertha_cuda_emulated_sources)'],
          'include_dirs': ['<@(bertha_cuda_emulated_include)'],
          'cflags_cc': ['<@(bertha_cuda_emulated_cflags)'],
        }],
      ],
    },
    # What runs once, or seldom, is compiled for its size.
    {
      'target_name': 'bertha_small',
      'type': 'static_library',
      'product_extension': 'a',
      'sources': ['<@(bertha_small_sources)'],
      'cflags_cc': ['<@(bertha_small_cflags)'],
      'conditions': [
        ['bertha_cuda==1', {'defines': ['BERTHA_CUDA=1']}],
        ['bertha_cuda=="emulated"', {
          'defines': ['<@(bertha_cuda_emulated_defines)'],
          'include_dirs': ['<@(bertha_cuda_emulated_include)'],
          'cflags_cc': ['<@(bertha_cuda_emulated_cflags)'],
        }],
      ],
    },
    {
      'target_name': 'bertha',
      'dependencies': ['bertha_core', 'bertha_small'],
      'sources': ['<@(bertha_addon_sources)'],
      'ldflags': ['<@(bertha_ldflags)', '<@(bertha_archive_ldflags)', '-Wl,--version-script=<(module_root_dir)/<(bertha_exports)'],
    },
    {
      'target_name': 'bertha_test',
      'dependencies': ['bertha_core', 'bertha_small'],
      'sources': ['<@(bertha_test_addon_sources)'],
      'ldflags': ['<@(bertha_ldflags)', '<@(bertha_archive_ldflags)', '-Wl,--version-script=<(module_root_dir)/<(bertha_exports)'],
    },
  ],
}
