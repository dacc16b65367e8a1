#include "store/sweep_settings.h"

namespace bitsweep::store {
namespace {

std::vector<std::string> texts(const json::object& object, std::string_view key) {
  std::vector<std::string> list;
  if (const json::value* value = object.if_contains(key); value != nullptr && value->is_array())
    for (const json::value& item : value->get_array())
      if (item.is_string()) list.emplace_back(item.get_string());
  return list;
}

// As string_or(), for a null too.
std::string text_or(const json::object& object, std::string_view key, const std::string& otherwise) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : otherwise;
}

const json::object* section(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_object() ? &value->get_object() : nullptr;
}

json::array list_of(const std::vector<std::string>& texts) { return json::array(texts.begin(), texts.end()); }

json::object to_json(const SweepSettings::Stop& stop) {
  json::object object = {{"metric", stop.metric},
                         {"grace", stop.grace},
                         {"reduction", stop.reduction},
                         {"fewest", stop.fewest},
                         {"probability", stop.probability},
                         {"within", list_of(stop.within)}};
  if (stop.diverged != SweepSettings::Stop::kUsualDiverged) object["diverged"] = stop.diverged;
  return object;
}

SweepSettings::Stop stop_from(const json::object& object) {
  SweepSettings::Stop stop;
  stop.metric = text_or(object, "metric", stop.metric);
  stop.grace = integer_or(object, "grace", stop.grace);
  stop.reduction = integer_or(object, "reduction", stop.reduction);
  stop.fewest = integer_or(object, "fewest", stop.fewest);
  stop.probability = number_or(object, "probability", stop.probability);
  stop.within = texts(object, "within");
  stop.diverged = number_or(object, "diverged", stop.diverged);
  return stop;
}

}  // namespace

json::object to_json(const SweepSettings& settings) {
  json::array targets;
  for (const SweepSettings::Target& target : settings.targets)
    targets.push_back(json::object{{"params", target.params}, {"tokens", target.tokens}});
  json::object object = {
      {"stop_after", settings.stop_after > 0 ? json::value(settings.stop_after) : json::value(nullptr)},
      {"stop_rule", settings.stop_rule},
      {"stop", to_json(settings.stop)},
      {"after", list_of(settings.after)},
      {"on_oom", settings.on_oom},
      {"report", {{"laws", list_of(settings.laws)}, {"targets", std::move(targets)}}}};
  if (settings.order != "longest") object["order"] = settings.order;
  return object;
}

SweepSettings sweep_settings_from(const json::object& object) {
  SweepSettings settings;
  settings.stop_after = integer_or(object, "stop_after", 0);
  settings.stop_rule = text_or(object, "stop_rule", settings.stop_rule);
  if (const json::object* stop = section(object, "stop")) settings.stop = stop_from(*stop);
  settings.order = text_or(object, "order", settings.order);
  settings.after = texts(object, "after");
  settings.on_oom = text_or(object, "on_oom", settings.on_oom);
  const json::object* report = section(object, "report");
  if (report == nullptr) return settings;
  settings.laws = texts(*report, "laws");
  if (const json::value* targets = report->if_contains("targets"); targets != nullptr && targets->is_array())
    for (const json::value& target : targets->get_array())
      if (target.is_object())
        settings.targets.push_back({number_or(target.get_object(), "params", 0),
                                    number_or(target.get_object(), "tokens", 0)});
  return settings;
}

}  // namespace bitsweep::store
