#include "execute/gpus.h"

#include <algorithm>
#include <charconv>

namespace bitsweep {
namespace {

constexpr std::string_view kDevice = "cuda:";
constexpr std::string_view kLabel = "GPU UUID:";

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin);
}

// The driver writes question marks until the GPU was used for the first time.
std::string uuid_in(std::string_view information) {
  const size_t label = information.find(kLabel);
  if (label == std::string_view::npos) return "";
  const size_t begin = label + kLabel.size();
  const std::string_view uuid = trimmed(information.substr(begin, information.find('\n', begin) - begin));
  return uuid.find('?') == std::string_view::npos ? std::string(uuid) : "";
}

std::optional<size_t> index_in(std::string_view text) {
  size_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The N-th of "0,2,GPU-…", which CUDA reads as far as the first entry that is none.
std::string_view entry_of(std::string_view list, size_t wanted) {
  for (; wanted > 0; --wanted) {
    const size_t comma = list.find(',');
    if (comma == std::string_view::npos) return {};
    list.remove_prefix(comma + 1);
  }
  return trimmed(list.substr(0, list.find(',')));
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

std::string visible_gpu(std::string_view device, const std::optional<std::string>& visible,
                        const std::vector<std::string>& gpus) {
  if (!device.starts_with(kDevice)) return "";
  const auto wanted = index_in(device.substr(kDevice.size()));
  if (!wanted) return "";
  const std::string entry = visible ? std::string(entry_of(*visible, *wanted)) : std::to_string(*wanted);
  if (const auto index = index_in(entry); index && *index < gpus.size() && !gpus[*index].empty()) return gpus[*index];
  // CUDA takes the beginning of a UUID as well; the worker can only hold the whole of it against what it sees.
  const auto whole = std::find_if(gpus.begin(), gpus.end(), [&](const auto& uuid) { return uuid.starts_with(entry); });
  return entry.starts_with("GPU-") && whole != gpus.end() ? *whole : entry;
}

}  // namespace bitsweep
