#include "tests/unit/journal/forgetful_disk.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>

namespace jobs_bridge::store {
namespace {

ForgetfulDisk* disk = nullptr;
std::mutex disk_mutex;  // whether there is one
std::atomic<bool> confirms{true};
std::atomic<int> waiting{0};

std::string path_of(int file) {
  std::array<char, 4096> path{};
  const auto size =
      readlink(("/proc/self/fd/" + std::to_string(file)).c_str(), path.data(), path.size());
  return size > 0 ? std::string(path.data(), static_cast<std::size_t>(size)) : std::string();
}

std::string bytes_in(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool is_made_anew(const std::string& name) {
  return name.ends_with("-shm");
}

}  // namespace

ForgetfulDisk::ForgetfulDisk(std::string directory) : directory_(std::move(directory)) {
  names_ = names_now();
  for (const auto& [name, inode] : names_) {
    files_[inode].kept = std::make_shared<const std::string>(bytes_in(directory_ + "/" + name));
  }
  const std::lock_guard lock(disk_mutex);
  disk = this;
}

ForgetfulDisk::~ForgetfulDisk() {
  const std::lock_guard lock(disk_mutex);
  disk = nullptr;
}

std::map<std::string, ino_t> ForgetfulDisk::names_now() const {
  std::map<std::string, ino_t> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    struct stat status {};
    const auto name = entry.path().filename().string();
    if (!is_made_anew(name) && stat(entry.path().c_str(), &status) == 0) {
      names[name] = status.st_ino;
    }
  }
  return names;
}

ForgetfulDisk::Image ForgetfulDisk::image() const {
  const std::lock_guard lock(mutex_);
  return image_locked();
}

ForgetfulDisk::Image ForgetfulDisk::image_locked() const {
  Image image;
  for (const auto& [name, inode] : names_) {
    const auto found = files_.find(inode);
    image[name] =
        found == files_.end() ? std::make_shared<const std::string>() : found->second.kept;
  }
  return image;
}

void ForgetfulDisk::set_seen(Seen seen) {
  const std::lock_guard lock(mutex_);
  seen_ = std::move(seen);
}

void ForgetfulDisk::report_locked() {
  if (!seen_) return;
  const auto least = image_locked();
  seen_(least);
  for (const auto& [name, inode] : names_now()) {
    const auto kept = names_.find(name);
    if (kept == names_.end() || kept->second != inode) continue;
    auto more = least;
    more[name] = std::make_shared<const std::string>(bytes_in(directory_ + "/" + name));
    seen_(more);
  }
}

void ForgetfulDisk::fail_next_sync(const std::string& name_end) {
  const std::lock_guard lock(mutex_);
  failing_ = name_end;
  has_failed_ = false;
}

bool ForgetfulDisk::has_failed() const {
  const std::lock_guard lock(mutex_);
  return has_failed_;
}

void ForgetfulDisk::set_confirms(bool wanted) {
  confirms = wanted;
  confirms.notify_all();
}

int ForgetfulDisk::unconfirmed() {
  return waiting;
}

int ForgetfulDisk::sync(int file, int (*real)(int)) {
  ++waiting;
  confirms.wait(false);
  --waiting;
  const std::lock_guard lock(disk_mutex);
  return disk == nullptr ? real(file) : disk->sync_locked(file, real);
}

int ForgetfulDisk::sync_locked(int file, int (*real)(int)) {
  const std::lock_guard lock(mutex_);
  const auto path = path_of(file);
  if (path == directory_) {
    names_ = names_now();
    report_locked();
    return real(file);
  }
  if (!path.starts_with(directory_ + "/")) return real(file);
  struct stat status {};
  if (fstat(file, &status) != 0) return real(file);
  auto& known = files_[status.st_ino];
  if (!failing_.empty() && path.ends_with(failing_)) {
    failing_.clear();
    has_failed_ = true;
    known.written.clear();
    errno = EIO;
    return -1;
  }
  const auto now = bytes_in("/proc/self/fd/" + std::to_string(file));
  auto kept = *known.kept;
  kept.resize(now.size());
  for (const auto& [at, size] : known.written) {
    if (at < now.size()) kept.replace(at, std::min(size, now.size() - at), now, at, size);
  }
  known.kept = std::make_shared<const std::string>(std::move(kept));
  known.written.clear();
  report_locked();
  return real(file);
}

ssize_t ForgetfulDisk::write(int file, const void* data, std::size_t size, off_t at) {
  const auto real = [&] { return syscall(SYS_pwrite64, file, data, size, at); };
  const std::lock_guard lock(disk_mutex);
  if (disk == nullptr) return real();
  const std::lock_guard lock_of_disk(disk->mutex_);
  struct stat status {};
  if (!path_of(file).starts_with(disk->directory_ + "/") || fstat(file, &status) != 0) {
    return real();
  }
  disk->report_locked();
  const auto written = real();
  if (written > 0) {
    disk->files_[status.st_ino].written.emplace_back(static_cast<std::size_t>(at),
                                                     static_cast<std::size_t>(written));
  }
  return written;
}

}  // namespace jobs_bridge::store

// In place of the C library's, for this program and the libraries that it uses.
extern "C" {

int fdatasync(int file) {
  return jobs_bridge::store::ForgetfulDisk::sync(
      file, [](int real) { return static_cast<int>(syscall(SYS_fdatasync, real)); });
}

int fsync(int file) {
  return jobs_bridge::store::ForgetfulDisk::sync(
      file, [](int real) { return static_cast<int>(syscall(SYS_fsync, real)); });
}

ssize_t pwrite64(int file, const void* data, size_t size, off_t at) {
  return jobs_bridge::store::ForgetfulDisk::write(file, data, size, at);
}

ssize_t pwrite(int file, const void* data, size_t size, off_t at) {
  return jobs_bridge::store::ForgetfulDisk::write(file, data, size, at);
}

}  // extern "C"
