// What SQLite calls back: functions of SQL, and what happens within a commit. An exception must not cross SQLite's own
// frames: it is kept, the statement is made to fail, and Database::fail throws it again.
#include <exception>
#include <vector>

#include <sqlite3.h>

#include "base/error.h"
#include "store/database.h"

namespace bitsweep::store {

struct Database::Hooks {
  struct Defined {
    Hooks* hooks;
    Function function;
  };
  std::vector<std::unique_ptr<Defined>> functions;
  std::function<void()> before, undone;
  mutable std::exception_ptr failure;

  // False when `call` threw; what it threw is kept.
  template <class Call>
  bool guarded(Call&& call) {
    try {
      call();
      return true;
    } catch (...) {
      failure = std::current_exception();
      return false;
    }
  }
};

namespace {

json::value value_of(sqlite3_value* value) {
  switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER:
      return static_cast<int64_t>(sqlite3_value_int64(value));
    case SQLITE_FLOAT:
      return sqlite3_value_double(value);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
      return json::value(std::string_view(text, static_cast<size_t>(sqlite3_value_bytes(value))));
    }
    default:
      return nullptr;
  }
}

}  // namespace

Database::Hooks& Database::hooks() {
  if (!hooks_) hooks_ = std::make_shared<Hooks>();
  return *hooks_;
}

void Database::rethrow_hook_failure() const {
  if (hooks_ && hooks_->failure) std::rethrow_exception(std::exchange(hooks_->failure, nullptr));
}

void Database::define(const char* name, Function function) {
  Hooks& all = hooks();
  all.functions.push_back(std::make_unique<Hooks::Defined>(&all, std::move(function)));
  const auto called = [](sqlite3_context* context, int count, sqlite3_value** values) {
    const auto* defined = static_cast<Hooks::Defined*>(sqlite3_user_data(context));
    int64_t result = 0;
    const bool fine = defined->hooks->guarded([&] {
      std::vector<json::value> arguments;
      arguments.reserve(static_cast<size_t>(count));
      for (int i = 0; i < count; ++i) arguments.push_back(value_of(values[i]));
      result = defined->function(arguments);
    });
    if (fine)
      sqlite3_result_int64(context, result);
    else
      sqlite3_result_error(context, "a function of bitsweep failed", -1);
  };
  const int code = sqlite3_create_function_v2(handle_, name, -1, SQLITE_UTF8 | SQLITE_INNOCUOUS,
                                              all.functions.back().get(), +called, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code, "define a function");
}

void Database::on_commit(std::function<void()> before, std::function<void()> undone) {
  Hooks& all = hooks();
  all.before = std::move(before);
  all.undone = std::move(undone);
  const auto committing = [](void* self) {
    auto* hooks = static_cast<Hooks*>(self);
    return hooks->before && !hooks->guarded(hooks->before) ? 1 : 0;
  };
  const auto rolled_back = [](void* self) {
    auto* hooks = static_cast<Hooks*>(self);
    if (hooks->undone) hooks->guarded(hooks->undone);
  };
  sqlite3_commit_hook(handle_, +committing, &all);
  sqlite3_rollback_hook(handle_, +rolled_back, &all);
}

}  // namespace bitsweep::store
