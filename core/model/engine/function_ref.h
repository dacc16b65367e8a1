// A function handed down for the time of a call: two words, where std::function would allocate what it captures.
#pragma once

#include <utility>

namespace bitsweep::engine {

// Of void(Arguments…). The function, a temporary too, must outlive it.
template <class... Arguments>
class FunctionRef {
 public:
  template <class F>
  FunctionRef(const F& f)  // NOLINT: callers write a lambda
      : object_(&f), call_([](const void* object, Arguments... arguments) {
          (*static_cast<const F*>(object))(std::forward<Arguments>(arguments)...);
        }) {}

  void operator()(Arguments... arguments) const { call_(object_, std::forward<Arguments>(arguments)...); }

 private:
  const void* object_;
  void (*call_)(const void*, Arguments...);
};

}  // namespace bitsweep::engine
