#include "tests/unit/flow/live_memory.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> live_blocks = 0;
std::atomic<std::size_t> live_bytes = 0;

void release(void* block) noexcept {
  if (block == nullptr) return;
  --live_blocks;
  live_bytes -= malloc_usable_size(block);
  std::free(block);
}

}  // namespace

void* operator new(std::size_t size) {
  void* block = std::malloc(size == 0 ? 1 : size);
  if (block == nullptr) throw std::bad_alloc();
  ++live_blocks;
  live_bytes += malloc_usable_size(block);
  return block;
}

void operator delete(void* block) noexcept {
  release(block);
}

void operator delete(void* block, std::size_t) noexcept {
  release(block);
}

namespace jobs_bridge::testing_support {

LiveMemory live_memory() {
  return {.blocks = live_blocks, .bytes = live_bytes};
}

}  // namespace jobs_bridge::testing_support
