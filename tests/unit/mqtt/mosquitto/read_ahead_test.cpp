#include "adapters/mqtt/mosquitto/read_ahead.h"

#include <gtest/gtest.h>
#include <mosquitto.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/files/file_descriptor.h"

namespace jobs_bridge::mqtt {
namespace {

using files::FileDescriptor;

class ReadAheadTest : public ::testing::Test {
 protected:
  ReadAheadTest() {
    int pair[2] = {-1, -1};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    ours_ = FileDescriptor(pair[0]);
    theirs_ = FileDescriptor(pair[1]);
  }

  void arrives(std::string_view bytes) {
    ASSERT_EQ(send(theirs_.get(), bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
  }

  /// What one read of so many bytes gives; nothing: an error, which errno has.
  std::optional<std::string> read(std::size_t size) {
    std::string bytes(size, '\0');
    errno = 0;
    const auto got = ahead_.read(ours_.get(), bytes.data(), size);
    if (got < 0) return std::nullopt;
    bytes.resize(static_cast<std::size_t>(got));
    return bytes;
  }

  FileDescriptor ours_;
  FileDescriptor theirs_;
  const std::unique_ptr<mosquitto, decltype(&mosquitto_destroy)> connection_{
      mosquitto_new(nullptr, true, nullptr), mosquitto_destroy};
  ReadAhead ahead_{*connection_, nullptr};
};

TEST_F(ReadAheadTest, WhatHasArrivedIsGivenByteByByteThoughTheSocketIsEmptyAlready) {
  arrives("abc");
  EXPECT_EQ(read(1), "a");
  std::array<char, 8> rest{};
  EXPECT_EQ(recv(ours_.get(), rest.data(), rest.size(), 0), -1);
  EXPECT_EQ(ahead_.kept(), 2U);
  EXPECT_EQ(read(1), "b");
  EXPECT_EQ(read(8), "c");
  EXPECT_EQ(ahead_.kept(), 0U);
  EXPECT_EQ(ahead_.given(), 3U);
}

TEST_F(ReadAheadTest, WhatComesAfterTheSystemHadNoMoreWaitsForTheNextUse) {
  {
    const ReadAhead::Use use(ahead_);
    arrives("a");
    EXPECT_EQ(read(1), "a");
    arrives("b");
    EXPECT_EQ(read(1), std::nullopt);
    EXPECT_EQ(errno, EAGAIN);
  }
  const ReadAhead::Use use(ahead_);
  EXPECT_EQ(read(1), "b");
}

TEST_F(ReadAheadTest, MoreThanIsKeptAtOnceArrivesWholeAndInOrder) {
  std::string sent;
  for (int i = 0; sent.size() < 50'000; ++i) sent += std::to_string(i) + ' ';
  arrives(sent);
  std::string got;
  // As a library does that reads packets, some of them long.
  for (std::size_t size = 1; got.size() < sent.size(); size = size % 9'000 + 1'777) {
    const auto bytes = read(size);
    ASSERT_TRUE(bytes && !bytes->empty()) << "after " << got.size() << " bytes";
    got += *bytes;
  }
  EXPECT_EQ(got, sent);
  EXPECT_EQ(ahead_.kept(), 0U);
}

TEST_F(ReadAheadTest, RestOfAPacketWithTheNextBehindItIsProgress) {
  arrives("pack");
  {
    const ReadAhead::Use use(ahead_);
    EXPECT_EQ(read(6), "pack");
    EXPECT_EQ(read(2), std::nullopt);
  }
  arrives("etnext");
  const ReadAhead::Use use(ahead_);
  const auto before = ahead_.given();
  EXPECT_EQ(read(2), "et");
  EXPECT_EQ(ahead_.kept(), 4U);
  EXPECT_NE(ahead_.given(), before) << "its reader would take it for one that cannot get on";
}

TEST_F(ReadAheadTest, EndOfTheConnectionIsSeenAfterAllThatCameBeforeIt) {
  arrives("ab");
  theirs_ = FileDescriptor();
  EXPECT_EQ(read(1), "a");
  EXPECT_EQ(read(1), "b");
  const ReadAhead::Use use(ahead_);
  EXPECT_EQ(read(1), "");
}

TEST_F(ReadAheadTest, DescriptorThatIsNotTheConnectionsIsNoneOfItsBusiness) {
  EXPECT_EQ(ReadAhead::in_use_for(ours_.get()), nullptr);
  const ReadAhead::Use use(ahead_);
  EXPECT_EQ(ReadAhead::in_use_for(ours_.get()), nullptr) << "libmosquitto has no socket yet";
}

}  // namespace
}  // namespace jobs_bridge::mqtt
