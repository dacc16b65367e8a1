#include "weights/safetensors.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/rng.h"

namespace bitsweep::weights {
namespace {

std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string with_header(const std::string& header, size_t payload) {
  std::string out(8, '\0');
  for (int i = 0; i < 8; ++i) out[static_cast<size_t>(i)] = static_cast<char>(header.size() >> (8 * i) & 0xff);
  return out + header + std::string(payload, 'x');
}

std::string sample() {
  const std::vector<TensorEntry> entries{
      {"a.weight", "F32", {2, 3}, 0, 24}, {"b", "BF16", {}, 24, 26}, {"empty", "U8", {0, 5}, 26, 26}};
  return safetensors_header({{"run", "0123"}, {"note", "\"quoted\"\n"}}, entries) + std::string(26, 'p');
}

std::string refusal(const std::string& file) {
  try {
    parse_safetensors(bytes_of(file), "f");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "";
}

TEST(Safetensors, RoundTrip) {
  const std::string file = sample();
  const Safetensors read = parse_safetensors(bytes_of(file), "f");
  ASSERT_EQ(read.tensors.size(), 3u);
  EXPECT_EQ(read.metadata.at("note"), "\"quoted\"\n");
  EXPECT_EQ(read.payload_offset % 8, 0u);
  const TensorEntry* a = read.find("a.weight");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(a->dtype, "F32");
  EXPECT_EQ(read.find("b")->begin, 24u);
  EXPECT_EQ(read.find("c"), nullptr);
}

TEST(Safetensors, ReadsAFileOfTheReferenceImplementation) {
  // safetensors.numpy.save({"x": np.array([1, 2], np.float32)}, {"k": "v"}), version 0.4
  const std::string file =
      with_header(R"({"__metadata__":{"k":"v"},"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}       )", 8);
  const Safetensors read = parse_safetensors(bytes_of(file), "f");
  EXPECT_EQ(read.metadata.at("k"), "v");
  EXPECT_EQ(read.find("x")->end, 8u);
}

TEST(Safetensors, EveryTruncationIsRefused) {
  const std::string file = sample();
  for (size_t size = 0; size < file.size(); ++size) EXPECT_NE(refusal(file.substr(0, size)), "") << size;
  EXPECT_NE(refusal(file + "x").find("behind its last tensor"), std::string::npos);
  EXPECT_NE(refusal(file.substr(0, file.size() - 1)).find("truncated"), std::string::npos);
}

TEST(Safetensors, MalformedHeadersAreRefusedByReason) {
  const auto tensor = [](const std::string& body) { return with_header("{\"x\":" + body + "}", 8); };
  EXPECT_NE(refusal(with_header("[]", 0)).find("no JSON object"), std::string::npos);
  EXPECT_NE(refusal(with_header("{", 0)).find("no JSON object"), std::string::npos);
  EXPECT_NE(refusal(tensor("3")).find("'x'"), std::string::npos);
  EXPECT_NE(refusal(tensor(R"({"dtype":"F31","shape":[2],"data_offsets":[0,8]})")).find("unknown type"),
            std::string::npos);
  EXPECT_NE(refusal(tensor(R"({"dtype":"F32","shape":[2]})")).find("data_offsets"), std::string::npos);
  EXPECT_NE(refusal(tensor(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})")).find("whole number"),
            std::string::npos);
  EXPECT_NE(refusal(tensor(R"({"dtype":"F32","shape":[1.5],"data_offsets":[0,8]})")).find("whole number"),
            std::string::npos);
  EXPECT_NE(refusal(tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8,9]})")).find("not two"),
            std::string::npos);
  EXPECT_NE(refusal(tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})")).find("offsets"), std::string::npos);
  EXPECT_NE(refusal(tensor(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})")).find("offsets"), std::string::npos);
  EXPECT_NE(refusal(tensor(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]})")).find("absurd"),
            std::string::npos);
  EXPECT_NE(refusal(tensor(R"({"dtype":"F32","shape":[1],"data_offsets":[4,8]})")).find("gap"), std::string::npos);
  EXPECT_NE(refusal(with_header(R"({"__metadata__":{"a":1}})", 0)).find("no text"), std::string::npos);
  EXPECT_NE(refusal(with_header(std::string(1000, '['), 0)).find("no JSON object"), std::string::npos);
}

TEST(Safetensors, OverlappingTensorsAreRefused) {
  const std::string file = with_header(
      R"({"x":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"y":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
      6);
  EXPECT_NE(refusal(file).find("overlap"), std::string::npos);
}

TEST(Safetensors, AHugeHeaderLengthIsRefusedWithoutReadingIt) {
  std::string file = sample();
  for (size_t i = 0; i < 8; ++i) file[i] = '\xff';
  EXPECT_NE(refusal(file).find("64 MB"), std::string::npos);
}

// Whatever the bytes, the answer is a parse that fits the file, or an Error; never a crash or another exception.
TEST(Safetensors, MutatedFilesNeverCrash) {
  const std::string original = sample();
  int parsed = 0;
  for (uint64_t trial = 0; trial < 20000; ++trial) {
    std::string file = original;
    const uint64_t edits = 1 + random_below(7, 1, trial, 4);
    for (uint64_t edit = 0; edit < edits; ++edit) {
      const uint64_t at = random_below(7, 2 + edit, trial, file.size());
      const uint64_t what = random_below(7, 20 + edit, trial, 3);
      const char byte = static_cast<char>(random_below(7, 40 + edit, trial, 256));
      if (what == 0) file[at] = byte;
      if (what == 1) file.erase(at, 1);
      if (what == 2) file.insert(at, 1, byte);
    }
    try {
      const Safetensors read = parse_safetensors(bytes_of(file), "f");
      for (const TensorEntry& entry : read.tensors) ASSERT_LE(read.payload_offset + entry.end, file.size());
      ++parsed;
    } catch (const Error& error) {
      ASSERT_EQ(error.kind(), ErrorKind::input);
    }
  }
  EXPECT_GT(parsed, 0);  // some edits fall into the payload or into names
}

}  // namespace
}  // namespace bitsweep::weights
