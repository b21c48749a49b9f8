#include "adapters/config/secret.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>

#include "tests/unit/config/directory.h"

namespace jobs_bridge::config {
namespace {

class SecretTest : public ::testing::Test {
 protected:
  std::string secret_in(std::string_view content) {
    const auto secret = read_secret(directory_.write("secret", content));
    return secret ? *secret : "fault: " + secret.error();
  }

  Directory directory_;
};

TEST_F(SecretTest, OneLineEndIsLeftOut) {
  EXPECT_EQ(secret_in("hunter2"), "hunter2");
  EXPECT_EQ(secret_in("hunter2\n"), "hunter2");
  EXPECT_EQ(secret_in("hunter2\r\n"), "hunter2");
  EXPECT_EQ(secret_in("hunter2\n\n"), "hunter2\n");
  EXPECT_EQ(secret_in(" hunter2 "), " hunter2 ");
}

TEST_F(SecretTest, EmptyFileIsAFault) {
  const std::string fault = "fault: " + directory_.path("secret") + " is empty";
  EXPECT_EQ(secret_in(""), fault);
  EXPECT_EQ(secret_in("\n"), fault);
}

TEST_F(SecretTest, UpToFourKibibytesAreRead) {
  EXPECT_EQ(secret_in(std::string(4096, 'x')).size(), 4096U);
  EXPECT_EQ(secret_in(std::string(4097, 'x')),
            "fault: " + directory_.path("secret") + " is larger than 4096 bytes");
}

TEST_F(SecretTest, WhatIsNoFileIsAFaultThatSaysWhy) {
  EXPECT_EQ(read_secret(directory_.path("none")).error(),
            directory_.path("none") + " does not exist");
  EXPECT_EQ(read_secret(directory_.path("")).error(), directory_.path("") + " is a directory");
  const auto file = directory_.write("file", "x");
  EXPECT_EQ(read_secret(file + "/x").error(), file + "/x cannot be read: Not a directory");
}

TEST_F(SecretTest, PipeWithoutAWriterIsAFaultAndDoesNotHang) {
  const auto pipe = directory_.path("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(read_secret(pipe).error(), pipe + " is not a regular file");
}

}  // namespace
}  // namespace jobs_bridge::config
