#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace jobs_bridge::config {

/// A temporary directory that is gone after the test.
class Directory {
 public:
  Directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "config-test.XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "no temporary directory";
    path_ = pattern;
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] std::string path(std::string_view name) const {
    return (std::filesystem::path(path_) / name).string();
  }

  /// Writes a file that only its owner may read, and returns its path.
  std::string write(std::string_view name, std::string_view content, mode_t mode = 0600) const {
    const std::string file = path(name);
    std::ofstream(file, std::ios::binary) << content;
    EXPECT_EQ(chmod(file.c_str(), mode), 0);
    return file;
  }

 private:
  std::string path_;
};

}  // namespace jobs_bridge::config
