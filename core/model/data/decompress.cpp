#include "data/decompress.h"

#include <algorithm>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include "base/error.h"
#include "base/units.h"

namespace bitsweep::data {
namespace {

constexpr size_t output_bytes = 1 << 20;

std::string at_byte(uint64_t offset) { return "byte " + format_thousands(static_cast<int64_t>(offset)); }

[[noreturn]] void refuse_data(const std::string& file, std::string message) {
  throw Error(ErrorKind::input, {{file, 0, 0, std::move(message)}});
}

[[noreturn]] void damaged(const std::string& file, const char* format, uint64_t offset, std::string_view why) {
  refuse_data(file, fmt::format("damaged {} data at {}: {}", format, at_byte(offset), why));
}

[[noreturn]] void cut_off(const std::string& file, const char* format, uint64_t offset) {
  refuse_data(file, fmt::format("the {} data is cut off: the file ends at {}, within a compressed part; fetch it again",
                                format, at_byte(offset)));
}

class GzipMembers {
 public:
  GzipMembers(std::span<const uint8_t> data, const std::string& file, const TextSink& sink)
      : data_(data), file_(file), sink_(sink), output_(output_bytes) {
    constexpr int gzip_only = 16 + MAX_WBITS;
    if (::inflateInit2(&stream_, gzip_only) != Z_OK) throw std::bad_alloc();
  }
  ~GzipMembers() { ::inflateEnd(&stream_); }
  GzipMembers(const GzipMembers&) = delete;
  GzipMembers& operator=(const GzipMembers&) = delete;

  void read_all() {
    while (at_ < data_.size()) {
      read_member();
      const auto rest = data_.subspan(at_);
      if (std::all_of(rest.begin(), rest.begin() + std::min<ptrdiff_t>(2, std::ssize(rest)),
                      [](uint8_t byte) { return byte == 0; })) {
        check_padding(rest);
        return;
      }
      ::inflateReset(&stream_);
    }
  }

 private:
  void check_padding(std::span<const uint8_t> rest) const {
    const auto other = std::find_if(rest.begin(), rest.end(), [](uint8_t byte) { return byte != 0; });
    if (other == rest.end()) return;
    damaged(file_, "gzip", at_ + static_cast<uint64_t>(other - rest.begin()),
            "what follows the last member is no gzip data");
  }

  void read_member() {
    for (;;) {
      // zlib counts in 32 bits.
      const size_t given = std::min<size_t>(data_.size() - at_, 1 << 30);
      stream_.next_in = const_cast<Bytef*>(data_.data() + at_);
      stream_.avail_in = static_cast<uInt>(given);
      stream_.next_out = output_.data();
      stream_.avail_out = static_cast<uInt>(output_.size());
      const int code = ::inflate(&stream_, Z_NO_FLUSH);
      at_ += given - stream_.avail_in;
      const size_t made = output_.size() - stream_.avail_out;
      if (made > 0) sink_(std::span(output_).first(made));
      if (code == Z_STREAM_END) return;
      if (code == Z_MEM_ERROR) throw std::bad_alloc();
      if (code != Z_OK && code != Z_BUF_ERROR)
        damaged(file_, "gzip", at_, stream_.msg != nullptr ? stream_.msg : "it cannot be decoded");
      if (at_ == data_.size() && made < output_.size()) cut_off(file_, "gzip", at_);
    }
  }

  std::span<const uint8_t> data_;
  const std::string& file_;
  const TextSink& sink_;
  std::vector<uint8_t> output_;
  z_stream stream_{};
  size_t at_ = 0;
};

void read_zstd(std::span<const uint8_t> data, const std::string& file, const TextSink& sink) {
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(::ZSTD_createDCtx(), &ZSTD_freeDCtx);
  if (context == nullptr) throw std::bad_alloc();
  // As large a window as the format knows: what somebody compressed with --long is read without being told so.
  ::ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, ::ZSTD_dParam_getBounds(ZSTD_d_windowLogMax).upperBound);
  std::vector<uint8_t> output(output_bytes);
  ZSTD_inBuffer in{data.data(), 0, 0};
  size_t wanted = 0;  // 0 between frames
  bool full = false;  // the last call filled the output, so that more may wait
  while (in.pos < data.size() || full) {
    ZSTD_outBuffer out{output.data(), output.size(), 0};
    const size_t before = in.pos;
    // A block at a time, so that the place of what is damaged is known to a block.
    in.size = std::min(data.size(), before + ::ZSTD_DStreamInSize());
    wanted = ::ZSTD_decompressStream(context.get(), &out, &in);
    if (::ZSTD_isError(wanted)) damaged(file, "zstd", before, ::ZSTD_getErrorName(wanted));
    if (out.pos > 0) sink(std::span(output).first(out.pos));
    full = out.pos == out.size && wanted != 0;
  }
  if (wanted != 0) cut_off(file, "zstd", data.size());
}

}  // namespace

void decompress(FileKind::Way way, std::span<const uint8_t> compressed, const std::string& file, const TextSink& sink) {
  if (way == FileKind::Way::gzip)
    GzipMembers(compressed, file, sink).read_all();
  else
    read_zstd(compressed, file, sink);
}

}  // namespace bitsweep::data
