#include "plugin/loader.h"

#include <cstdlib>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/sha256.h"
#include "plugin/abi.h"
#include "plugin/build_id.h"
#include "plugin/fingerprint.h"
#include "train/tiny_run.h"

namespace bitsweep::worker {
namespace {

const fs::path kPlugins = fs::path(BITSWEEP_BUILD_DIR) / "tests" / "plugins";

Error load_error(const std::string& name_or_path, const fs::path& dir = kPlugins) {
  try {
    plugin::load_plugin(name_or_path, dir, BITSWEEP_BUILD_ID);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << name_or_path << " loaded";
  return Error(ErrorKind::failed, "");
}

void expect_refused(const std::string& name, const std::string& why) {
  const Error error = load_error((kPlugins / name / (name + ".so")).string());
  EXPECT_EQ(error.kind(), ErrorKind::input) << name;
  EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
  EXPECT_NE(std::string(error.what()).find(name + ".so"), std::string::npos) << error.what();
}

TEST(Loader, TablesThatAreWrongAreRefusedByReason) {
  expect_refused("no_plugin", "exports no symbol 'bitsweep_plugin_entry'");
  expect_refused("other_abi", "ABI is " + std::to_string(BITSWEEP_PLUGIN_ABI + 1));
  expect_refused("other_build", "built as [gcc2 torch0.1]");
  expect_refused("short_table", "16 bytes");
  expect_refused("null_entries", "empty entries");
  expect_refused("null_table", "returned nothing");
}

TEST(Loader, AMissingDependencyIsTheMachines) {
  const Error error = load_error((kPlugins / "missing_library" / "missing_library.so").string());
  EXPECT_EQ(error.kind(), ErrorKind::environment);
  EXPECT_NE(std::string(error.what()).find("bitsweep_test_symbol_that_no_library_has"), std::string::npos);
}

TEST(Loader, FilesThatAreNoSharedObjectAreRefused) {
  const fs::path folder = train::fresh_folder();
  const auto refused = [&](const std::string& content, const std::string& why) {
    const fs::path path = folder / "x.so";
    std::ofstream(path, std::ios::binary) << content;
    const Error error = load_error(path.string());
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
  };
  refused("", "not a shared object");
  refused("#!/bin/sh\nexit 0 # no plugin at all", "not a shared object");
  refused(std::string(200, '\0'), "not a shared object");
  EXPECT_NE(std::string(load_error((folder / "none.so").string()).what()).find("no such file"), std::string::npos);
  EXPECT_NE(std::string(load_error(folder.string()).what()).find("not a regular file"), std::string::npos);
}

TEST(Loader, TruncatedSharedObjectsAreAnErrorNotACrash) {
  const fs::path folder = train::fresh_folder();
  const std::string whole = read_file(kPlugins / "no_plugin" / "no_plugin.so");
  const fs::path path = folder / "cut.so";
  for (size_t bytes = 0; bytes < 4096; bytes += 61) {
    std::ofstream(path, std::ios::binary) << whole.substr(0, bytes);
    const Error error = load_error(path.string());
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_NE(std::string(error.what()).find(bytes < 64 ? "not a shared object" : "cut short"), std::string::npos)
        << bytes;
  }
}

TEST(Fingerprint, TellsCodeAndNothingElse) {
  const fs::path odd = kPlugins / "odd" / "odd.so", other = kPlugins / "odd_other" / "odd_other.so";
  const std::string code = plugin::code_fingerprint(odd);
  EXPECT_EQ(code.size(), 16u);
  EXPECT_NE(code, plugin::code_fingerprint(other));
  // Copied, stripped, or with another search path it is the same code.
  const fs::path folder = train::fresh_folder(), copy = folder / "a 'b'.so";
  fs::copy_file(odd, copy);
  EXPECT_EQ(plugin::code_fingerprint(copy), code);
  if (std::system(fmt::format("strip \"{}\" 2> /dev/null", copy.string()).c_str()) == 0) {
    EXPECT_NE(read_file(copy), read_file(odd));
    EXPECT_EQ(plugin::code_fingerprint(copy), code);
  }
  // What is no shared object has a fingerprint of its bytes; what is not there has none.
  std::ofstream(folder / "x.so") << "text";
  EXPECT_EQ(plugin::code_fingerprint(folder / "x.so"), sha256_hex("text").substr(0, 16));
  EXPECT_EQ(plugin::code_fingerprint(folder / "none.so"), "");
  EXPECT_EQ(plugin::code_fingerprint(folder), "");
}

TEST(Fingerprint, TornFilesAreNoCrash) {
  const fs::path path = train::fresh_folder() / "cut.so";
  const std::string whole = read_file(kPlugins / "no_plugin" / "no_plugin.so");
  std::set<std::string> seen;
  for (size_t bytes = 0; bytes < whole.size(); bytes += 509) {
    std::ofstream(path, std::ios::binary) << whole.substr(0, bytes);
    seen.insert(plugin::code_fingerprint(path));
  }
  EXPECT_FALSE(seen.contains(plugin::code_fingerprint(kPlugins / "no_plugin" / "no_plugin.so")));
}

TEST(Loader, NamesAreLookedUpAndTheNearestIsNamed) {
  EXPECT_EQ(plugin::load_plugin("throws_in_create", kPlugins, BITSWEEP_BUILD_ID).name(), "throws_in_create");
  EXPECT_NE(std::string(load_error("odt").what()).find("'odd'"), std::string::npos);
  EXPECT_NE(std::string(load_error("odd", "/nonexistent").what()).find("/nonexistent"), std::string::npos);
  EXPECT_NE(std::string(load_error("").what()).find("no plugin ''"), std::string::npos);
  EXPECT_NE(std::string(load_error("relative/odd.so").what()).find("absolute"), std::string::npos);
}

TEST(Loader, APluginUnderAnotherNameIsRefused) {
  const Error error = load_error("other_name");
  EXPECT_EQ(error.kind(), ErrorKind::input);
  EXPECT_NE(std::string(error.what()).find("calls itself 'bad', not 'other_name'"), std::string::npos);
}

TEST(Loader, ThrowingAndLyingPluginsBecomeErrors) {
  const auto failure = [](const char* name, auto&& call) {
    const plugin::Plugin plugin = plugin::load_plugin(name, kPlugins, BITSWEEP_BUILD_ID);
    try {
      call(plugin);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::failed);
      return std::string(error.what());
    }
    return std::string();
  };
  const auto describe = [](const plugin::Plugin& plugin) { plugin.describe({}); };
  EXPECT_NE(failure("throws_in_describe", describe).find("does not feel well"), std::string::npos);
  EXPECT_NE(failure("lies_in_describe", describe).find("no JSON object"), std::string::npos);
  EXPECT_NE(failure("throws_in_create", [](const plugin::Plugin& plugin) { plugin.create({}); }).find("create threw"),
            std::string::npos);
  EXPECT_NE(failure("lies_in_describe", [](const plugin::Plugin& plugin) { plugin.create({}); }).find("no model"),
            std::string::npos);
}

}  // namespace
}  // namespace bitsweep::worker
