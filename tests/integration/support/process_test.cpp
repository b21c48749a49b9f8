#include "tests/support/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>

#include "tests/support/process_usage.h"
#include "tests/support/wait_until.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;

/// Whether there is such a process, and it is no mere entry that waits to be collected.
bool lives(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  const std::string stat(std::istreambuf_iterator<char>(file), {});
  const auto name_end = stat.rfind(") ");
  return name_end != std::string::npos && stat[name_end + 2] != 'Z';
}

TEST(ProcessTest, OutputOfBothKindsIsKept) {
  Process process({"sh", "-c", "echo to output; echo to error >&2"});
  EXPECT_TRUE(process.wait_for_output("to output\nto error\n"));
  EXPECT_EQ(process.wait(), 0);
}

TEST(ProcessTest, MuchOutputIsNotLost) {
  Process process({"sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x; echo end"});
  EXPECT_TRUE(process.wait_for_output("end\n"));
  EXPECT_EQ(process.output().size(), 3000004U);
  EXPECT_EQ(process.wait(), 0);
}

TEST(ProcessTest, WaitsForTextThatComesLater) {
  Process process({"sh", "-c", "echo one; sleep 0.1; echo two; exec sleep 100"});
  EXPECT_TRUE(process.wait_for_output("two"));
  EXPECT_TRUE(process.running());
  EXPECT_FALSE(process.wait_for_output("three", 10ms));
  EXPECT_FALSE(process.wait_for_output("two", 10ms, process.output().size()));
}

TEST(ProcessTest, WaitingForTextEndsWithTheProcess) {
  Process process({"true"});
  EXPECT_FALSE(process.wait_for_output("never", 1h));
  EXPECT_FALSE(process.wait_for_line("never", 1h));
}

TEST(ProcessTest, FindsAWholeLineByItsPattern) {
  Process process({"sh", "-c", "echo port: none; printf 'port: 12'; sleep 0.1; echo 34"});
  EXPECT_EQ(process.wait_for_line("^port: [0-9]+"), "port: 1234");
}

TEST(ProcessTest, ExitStatusOrSignal) {
  EXPECT_EQ(Process({"sh", "-c", "exit 3"}).wait(), 3);
  Process process({"sleep", "100"});
  EXPECT_EQ(process.wait(10ms), std::nullopt);
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait(), 128 + SIGTERM);
  EXPECT_FALSE(process.running());
  process.signal(SIGTERM);  // the process has ended already
}

TEST(ProcessTest, UnknownProgramIsAnError) {
  EXPECT_ANY_THROW(Process({"no-such-program"}));
  EXPECT_EQ(Process({"/no/such/program"}).wait(), 127);
}

TEST(ProcessTest, EnvironmentIsAddedAndWins) {
  Process process({"sh", "-c", "echo $HOME $ADDED"}, {{"HOME", "elsewhere"}, {"ADDED", "too"}});
  EXPECT_TRUE(process.wait_for_output("elsewhere too\n"));
}

TEST(ProcessTest, EndsWithItsObjectWhateverItThinksOfSignals) {
  pid_t pid = 0;
  {
    Process process({"sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"});
    ASSERT_TRUE(process.wait_for_output("ready"));
    pid = process.id();
  }
  EXPECT_FALSE(lives(std::to_string(pid)));
}

TEST(ProcessTest, EndIsNoticedThoughAGrandchildHoldsTheOutput) {
  Process process({"sh", "-c", "sleep 100 & echo $!; exit 4"});
  EXPECT_EQ(process.wait(), 4);
  ASSERT_TRUE(process.wait_for_output("\n"));
  kill(std::stoi(process.output()), SIGKILL);
}

TEST(ProcessTest, DiesWithItsParent) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    // The process's own output tells when it has got so far that the kernel watches over it.
    Process process({"sh", "-c", "echo ready; exec sleep 100"});
    process.wait_for_output("ready");
    const pid_t pid = process.id();
    [[maybe_unused]] const auto written = write(pipe_ends[1], &pid, sizeof pid);
    kill(getpid(), SIGKILL);
  }
  pid_t pid = 0;
  ASSERT_EQ(read(pipe_ends[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
  ASSERT_EQ(waitpid(parent, nullptr, 0), parent);
  EXPECT_TRUE(wait_until([&] { return !lives(std::to_string(pid)); }, wait_limit));
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

TEST(ProcessUsageTest, ProcessorTimeAndMemoryAreTheProcesssOwn) {
  Process idle({"sleep", "100"});
  EXPECT_LT(processor_time(idle.id()), 100ms);
  Process busy({"sh", "-c", "while :; do :; done"});
  EXPECT_TRUE(wait_until([&] { return processor_time(busy.id()) >= 200ms; }, wait_limit));
  EXPECT_GT(resident_memory(busy.id()), 100U * 1024);
  EXPECT_LT(resident_memory(busy.id()), 100U * 1024 * 1024);
  busy.signal(SIGKILL);
  busy.wait();
  EXPECT_THROW(static_cast<void>(resident_memory(busy.id())), std::runtime_error);
}

}  // namespace
}  // namespace jobs_bridge::testing_support
