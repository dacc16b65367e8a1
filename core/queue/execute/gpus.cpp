#include "execute/gpus.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include <fmt/format.h>

namespace bitsweep::execute {
namespace {

constexpr std::string_view kDevice = "cuda:";
constexpr std::string_view kLabel = "GPU UUID:";
constexpr std::string_view kUuid = "GPU-";
constexpr std::string_view kMig = "MIG-";  // with a UUID of its own, or with its GPU's and two numbers

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

// The driver writes question marks until the GPU was used for the first time.
std::string uuid_in(std::string_view information) {
  const size_t label = information.find(kLabel);
  if (label == std::string_view::npos) return "";
  const size_t begin = label + kLabel.size();
  const std::string_view uuid = trimmed(information.substr(begin, information.find('\n', begin) - begin));
  return uuid.find('?') == std::string_view::npos ? std::string(uuid) : "";
}

std::optional<size_t> number_in(std::string_view text) {
  size_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// CUDA reads an index as C's strtol does: a number with something behind it ("1x") is that number.
std::optional<size_t> index_in(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  return number_in(text.substr(0, text.find_first_not_of("0123456789")));
}

// An entry of the list: the GPU that it names, or why it names none.
struct Entry {
  std::string name;
  std::string why;
};

Entry by_index(size_t index, const std::vector<std::string>& gpus) {
  if (gpus.empty()) return {std::to_string(index), ""};  // nothing says how many there are
  if (index >= gpus.size())
    return {"", fmt::format("this machine has {} GPU{}", gpus.size(), gpus.size() == 1 ? "" : "s")};
  return {gpus[index].empty() ? std::to_string(index) : gpus[index], ""};
}

// Of the whole UUID or its beginning. A GPU whose UUID the driver does not tell could be meant as well; then the entry
// is left to CUDA.
Entry by_uuid(std::string_view uuid, const std::vector<std::string>& gpus) {
  const auto begins = [&](const std::string& gpu) { return gpu.starts_with(uuid); };
  const auto found = std::count_if(gpus.begin(), gpus.end(), begins);
  if (found == 1) return {*std::find_if(gpus.begin(), gpus.end(), begins), ""};
  if (found > 1) return {"", fmt::format("{} GPUs have that beginning", found)};
  const bool all_told = std::none_of(gpus.begin(), gpus.end(), [](const std::string& gpu) { return gpu.empty(); });
  if (gpus.empty() || !all_told) return {std::string(uuid), ""};
  return {"", "no GPU of this machine has that UUID"};
}

Entry entry_of(std::string_view text, const std::vector<std::string>& gpus) {
  if (text.starts_with(kMig)) return {std::string(text), ""};
  if (text.starts_with(kUuid)) return by_uuid(text, gpus);
  if (const auto index = index_in(text)) return by_index(*index, gpus);
  return {"", text.empty() ? "it is empty" : "it is neither an index nor a UUID"};
}

void add_once(std::vector<std::string>& names, std::string name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
}

std::string count_text(size_t count) { return fmt::format("{} GPU{}", count, count == 1 ? "" : "s"); }

// "CUDA_VISIBLE_DEVICES=0,2,-1,1 shows 2 GPUs, cuda:0 and cuda:1: CUDA reads it up to '-1' (…)".
std::string what_there_is(const VisibleGpus& visible) {
  const size_t count = visible.names.size();
  const std::string those = count == 0   ? "no GPU"
                            : count == 1 ? "1 GPU, cuda:0"
                                         : fmt::format("{}, cuda:0 to cuda:{}", count_text(count), count - 1);
  if (visible.variable.empty() && count > 0) return fmt::format("this machine has {}", those);
  std::string text = fmt::format("CUDA_VISIBLE_DEVICES={} shows {}",
                                 visible.variable.empty() ? "'' (empty)" : visible.variable, those);
  if (!visible.ends_at.empty() || !visible.why.empty())
    text += fmt::format(": CUDA reads it up to '{}' ({})", visible.ends_at, visible.why);
  return text;
}

}  // namespace

std::vector<std::string> driver_gpus(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(folder, code)) found.push_back(entry.path());
  std::sort(found.begin(), found.end());  // named by their place on the bus, in digits of equal number
  std::vector<std::string> uuids;
  for (const fs::path& gpu : found) uuids.push_back(uuid_in(read_if_there(gpu / "information")));
  return uuids;
}

std::optional<std::string> visible_variable() {
  const char* value = std::getenv("CUDA_VISIBLE_DEVICES");
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

VisibleGpus visible_gpus(const std::optional<std::string>& variable, const std::vector<std::string>& gpus) {
  VisibleGpus visible;
  if (!variable) {
    visible.counted = !gpus.empty();
    for (size_t i = 0; i < gpus.size(); ++i) visible.names.push_back(by_index(i, gpus).name);
    return visible;
  }
  if (trimmed(*variable).empty()) return visible;
  visible.variable = *variable;
  std::string_view list = *variable;
  for (bool last = false; !last;) {
    const size_t comma = list.find(',');
    last = comma == std::string_view::npos;
    const std::string_view text = trimmed(list.substr(0, comma));
    Entry entry = entry_of(text, gpus);
    if (entry.name.empty()) {
      visible.ends_at = text;
      visible.why = std::move(entry.why);
      return visible;
    }
    add_once(visible.names, std::move(entry.name));
    if (!last) list.remove_prefix(comma + 1);
  }
  return visible;
}

std::string visible_gpu(std::string_view device, const VisibleGpus& visible) {
  if (!device.starts_with(kDevice)) return "";
  const auto wanted = number_in(device.substr(kDevice.size()));
  if (!wanted) return "";
  if (*wanted < visible.names.size()) return visible.names[*wanted];
  return visible.counted ? "" : std::to_string(*wanted);
}

std::string hidden_gpu(std::string_view device, const VisibleGpus& visible) {
  if (!device.starts_with(kDevice) || !visible_gpu(device, visible).empty()) return "";
  return fmt::format("device '{}' is not there: {}", device, what_there_is(visible));
}

}  // namespace bitsweep::execute
