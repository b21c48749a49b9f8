#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>

/// How often this program has asked for memory.
std::size_t allocations();

/// Reports how often it did for each of the benchmark's rounds since there were `before`.
void report_allocations(benchmark::State& state, std::size_t before);
