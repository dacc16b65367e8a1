// A folder of its own for one test, and files in it.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include <unistd.h>

#include <gtest/gtest.h>

#include "base/error.h"

namespace bitsweep::data {

class TempFolder : public testing::Test {
 protected:
  TempFolder() {
    static std::atomic<int> counter{0};
    root = std::filesystem::path(testing::TempDir()) /
           ("bitsweep data " + std::to_string(getpid()) + "-" + std::to_string(counter++));
    std::filesystem::create_directories(root);
  }
  ~TempFolder() override {
    std::error_code ignored;
    std::filesystem::remove_all(root, ignored);
  }

  // Written `age` ago, so that its attributes are old enough to be remembered by.
  std::filesystem::path write(const std::filesystem::path& relative, std::string_view text,
                              std::chrono::seconds age = std::chrono::seconds(60)) {
    const auto path = root / relative;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now() - age);
    return path;
  }

  // Names in a folder below root.
  std::set<std::string> names(const std::filesystem::path& relative) const {
    std::set<std::string> found;
    if (!std::filesystem::exists(root / relative)) return found;
    for (const auto& entry : std::filesystem::directory_iterator(root / relative))
      found.insert(entry.path().filename().string());
    return found;
  }

  std::filesystem::path root;
};

// The error that `act` throws; fails the test when it throws none.
inline Error error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return Error(ErrorKind::failed, "none");
}

inline std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

inline std::string text_of(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// English-like bytes that repeat nowhere: "0000 0001 0002 …".
inline std::string numbered_text(size_t bytes) {
  std::string text;
  for (int i = 0; text.size() < bytes; ++i) text += std::to_string(100000 + i) + (i % 10 == 9 ? "\n" : " ");
  text.resize(bytes);
  return text;
}

}  // namespace bitsweep::data
