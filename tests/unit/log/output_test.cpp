#include "adapters/log/output.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <string>

#include "adapters/log/structured_log.h"

namespace jobs_bridge::logging {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

enum class Kind { pipe, socket };

/// A reader that the test controls.
class OutputTest : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (GetParam() == Kind::pipe) {
      ASSERT_EQ(pipe2(ends_.data(), O_CLOEXEC), 0);
      ASSERT_GT(fcntl(ends_[1], F_SETPIPE_SZ, 16384), 0);
    } else {
      ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()), 0);
    }
  }
  void TearDown() override {
    close_reader();
    close(ends_[1]);
  }
  void close_reader() {
    if (ends_[0] >= 0) close(ends_[0]);
    ends_[0] = -1;
  }
  [[nodiscard]] int writer() const { return ends_[1]; }
  /// All that is there.
  std::string read_all() {
    fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    std::string text;
    std::array<char, 4096> block;
    for (ssize_t count = 0; (count = read(ends_[0], block.data(), block.size())) > 0;) {
      text.append(block.data(), static_cast<std::size_t>(count));
    }
    return text;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};
INSTANTIATE_TEST_SUITE_P(, OutputTest, ::testing::Values(Kind::pipe, Kind::socket),
                         [](const auto& test) {
                           return std::string(test.param == Kind::pipe ? "Pipe" : "Socket");
                         });

TEST_P(OutputTest, LinesThatNobodyReadsAreDroppedAndCountedAndTheRestIsWhole) {
  Output output(writer());
  std::uint64_t lost = 0;
  std::size_t written = 0;
  while (lost < 1000) {
    if (output.write("line " + std::to_string(written) + std::string(1000, '.') + "\n")) {
      ++written;
    } else {
      ++lost;
    }
  }
  EXPECT_EQ(output.dropped(), 0U) << "nothing fits yet";
  auto text = read_all();
  EXPECT_EQ(output.dropped(), lost);
  EXPECT_TRUE(output.write("last\n"));
  output.told(lost);
  EXPECT_EQ(output.dropped(), 0U);
  text += read_all();
  EXPECT_THAT(text, EndsWith(".\nlast\n"));
  EXPECT_EQ(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')), written + 1);
}

TEST_P(OutputTest, LineLargerThanAllRoomIsWrittenBitByBit) {
  Output output(writer());
  const auto line = std::string(std::size_t{1} << 20U, 'x') + "\n";
  EXPECT_TRUE(output.write(line));
  std::string text;
  for (int i = 0; i < 1000 && text.size() < line.size(); ++i) {
    text += read_all();
    output.write("");
  }
  EXPECT_EQ(text.size(), line.size());
}

TEST_P(OutputTest, ReaderThatHasGoneIsNoEnd) {
  std::signal(SIGPIPE, SIG_IGN);
  Output output(writer());
  close_reader();
  EXPECT_FALSE(output.write("line\n"));
  EXPECT_FALSE(output.write("line\n"));
}

TEST_P(OutputTest, LogSaysHowManyLinesWereDroppedOnceSomebodyReads) {
  StructuredLog log(Format::text, Severity::info, writer());
  const std::string detail(1000, 'x');
  for (int i = 0; i < 1000; ++i) log.write(Severity::info, "event", {{"detail", detail}});
  const auto before = read_all();
  const auto lost = 1000 - std::count(before.begin(), before.end(), '\n');
  ASSERT_GT(lost, 0);
  log.write(Severity::info, "afterwards");
  const auto after = read_all();
  EXPECT_THAT(after,
              HasSubstr("warning log lines were dropped because they were not being read count="));
  EXPECT_THAT(after, EndsWith("info afterwards\n"));
  log.write(Severity::info, "later");
  EXPECT_THAT(read_all(), ::testing::Not(HasSubstr("dropped")));
}

}  // namespace
}  // namespace jobs_bridge::logging
