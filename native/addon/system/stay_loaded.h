// Keeps the addon in memory until the process ends: its threads run on after the environment that loaded it
// is gone. On ELF systems the linker says so (-z nodelete).
#pragma once

namespace bertha::addon {

void stay_loaded();

}  // namespace bertha::addon
