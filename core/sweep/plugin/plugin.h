// For plugin authors: two C++ functions in, the C entry point of plugin/abi.h out.
//
//   #include "nn/model.h"
//   #include "plugin/plugin.h"
//
//   bitsweep::Description describe(const bitsweep::DescribeRequest& request);        // builds no tensor
//   std::unique_ptr<bitsweep::nn::Model> create(const bitsweep::json::object& options,   // those of a description
//                                           int64_t vocab, int64_t context);
//
//   BITSWEEP_PLUGIN("v57", describe, create)   // once, in one .cpp, at namespace scope
//
// No exception leaves the plugin: each becomes a message and a return code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "plugin/abi.h"
#include "plugin/build_id.h"
#include "plugin/describe.h"

namespace bitsweep::nn {
class Model;
}

namespace bitsweep::plugin {

using DescribeFunction = Description (*)(const DescribeRequest&);
using CreateFunction = std::unique_ptr<nn::Model> (*)(const json::object& options, int64_t vocab, int64_t context);

namespace detail {

inline void emit_text(bitsweep_emit emit, void* context, std::string_view text) noexcept {
  emit(context, text.data(), text.size());
}

// Runs `body`; 0, or a failure's exit code (2 for bad input, else 1) after its message was emitted.
template <class Body>
int guarded(bitsweep_emit emit, void* context, Body&& body) noexcept {
  try {
    body();
    return 0;
  } catch (const Error& error) {
    emit_text(emit, context, error.what());
    return error.kind() == ErrorKind::input ? 2 : 1;
  } catch (const std::exception& error) {
    emit_text(emit, context, error.what());
  } catch (...) {
    emit_text(emit, context, "threw something that is no std::exception");
  }
  return 1;
}

inline DescribeRequest parse_request(const char* text) {
  const json::value value = parse_json(text, "request");
  if (!value.is_object()) throw Error(ErrorKind::input, "request: expected a JSON object");
  return describe_request_from_json(value.get_object());
}

template <DescribeFunction describe>
int describe_entry(const char* request, bitsweep_emit emit, void* context) {
  return guarded(emit, context,
                 [&] { emit_text(emit, context, json::serialize(to_json(describe(parse_request(request))))); });
}

// M is Model, as a parameter so that this header needs only its declaration.
template <class M, CreateFunction create>
void* create_entry(const char* request_text, bitsweep_emit emit, void* context) {
  void* model = nullptr;
  guarded(emit, context, [&] {
    const DescribeRequest request = parse_request(request_text);
    std::unique_ptr<M> made = create(request.options, request.vocab, request.context);
    if (made == nullptr) throw Error(ErrorKind::failed, "create returned no model");
    model = made.release();
  });
  return model;
}

template <class M>
void destroy_entry(void* model) {
  delete static_cast<M*>(model);
}

}  // namespace detail
}  // namespace bitsweep::plugin

#define BITSWEEP_PLUGIN(NAME, DESCRIBE, CREATE)                                                                \
  extern "C" __attribute__((visibility("default"))) const bitsweep_plugin_table* bitsweep_plugin_entry(void) { \
    static const bitsweep_plugin_table table = {                                                               \
        BITSWEEP_PLUGIN_ABI,                                                                                   \
        sizeof(bitsweep_plugin_table),                                                                         \
        NAME,                                                                                                  \
        BITSWEEP_BUILD_ID,                                                                                     \
        &::bitsweep::plugin::detail::describe_entry<&DESCRIBE>,                                                \
        &::bitsweep::plugin::detail::create_entry<::bitsweep::nn::Model, &CREATE>,                             \
        &::bitsweep::plugin::detail::destroy_entry<::bitsweep::nn::Model>};                                    \
    return &table;                                                                                             \
  }
