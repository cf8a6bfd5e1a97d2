// The tests of the native core, by file. engine_test.cc runs them all.
#pragma once

#include <vector>

namespace bertha::test {

constexpr int kWorkers = 4;

struct Test {
    const char* name;
    void (*run)();
};

std::vector<Test> pool_tests();
std::vector<Test> weight_tests();
std::vector<Test> queue_tests();
std::vector<Test> device_tests();
std::vector<Test> program_tests();
std::vector<Test> batch_tests();
std::vector<Test> training_tests();
std::vector<Test> words_tests();
std::vector<Test> generation_tests();

}  // namespace bertha::test
