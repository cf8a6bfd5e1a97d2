// Builds the addon and the kernels' tests with the emulator in place of a GPU, apart from the checkout's own addon; needs CMake, but neither
// nvcc nor CUDA headers.   node scripts/cuda-emulated.mjs
//   build-cuda-emulated/Release/bertha.node   the addon: BERTHA_ADDON=build-cuda-emulated/Release/bertha.node, device 'cuda'
//   build-cuda-emulated/kernels_test          every op against float64
//   build-cuda-emulated/emulator_test         broken kernels that the emulator must catch
//   build-cuda-emulated/forward_test          whole forwards: waiting, failures, memory, kernels launched
//   build-cuda-emulated/runtime_test          the device runtime on a stand-in for CUDA's
import { buildAddon } from './build/addon.mjs';
import { showLine } from './build/terminal.mjs';

try {
  await buildAddon('cuda-emulated', { force: process.argv.includes('--force') });
} catch (error) {
  showLine(error.message);
  process.exitCode = 1;
}
