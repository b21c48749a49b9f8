// Runs a fuzzer's inputs without libFuzzer: every file of the folders and every file that is named.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

bool run(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> content{std::istreambuf_iterator<char>(file), {}};
  if (!file) {
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    return false;
  }
  // Before it runs: the last one named is the one that breaks a promise.
  std::fprintf(stderr, "%s\n", path.filename().c_str());
  // Memory of exactly its size, so that AddressSanitizer sees a step beyond it.
  const std::vector<std::uint8_t> input(content.begin(), content.end());
  LLVMFuzzerTestOneInput(input.data(), input.size());
  return true;
}

}  // namespace

int main(int count, char** arguments) {
  std::set<std::filesystem::path> inputs;
  for (int i = 1; i < count; ++i) {
    // A fuzzer may go to a directory of its own.
    const auto path = std::filesystem::absolute(arguments[i]);
    if (std::filesystem::is_directory(path)) {
      for (const auto& entry : std::filesystem::directory_iterator(path)) {
        inputs.insert(entry.path());
      }
    } else {
      inputs.insert(path);
    }
  }
  for (const auto& input : inputs) {
    if (!run(input)) return EXIT_FAILURE;
  }
  std::fprintf(stderr, "%zu inputs\n", inputs.size());
  // Seeds that are not found would be a test that cannot fail.
  return inputs.empty() ? EXIT_FAILURE : EXIT_SUCCESS;
}
