// How metrics are to be read.
#include "store/history.h"
#include "store/store.h"

namespace bitsweep::store {

// The outcome is the same in whatever order things are said: of equal times the words decide. False: an older word.
bool Store::put_metric_kind(const MetricKind& kind, double told) {
  sql("INSERT INTO metric_kind (name, direction, unit, chance, help, told) VALUES (?1, ?2, ?3, ?4, ?5, ?6) "
      "ON CONFLICT (name) DO UPDATE SET direction = ?2, unit = ?3, chance = ?4, help = ?5, told = ?6 "
      "WHERE (?6, ?2, ?3, ?5, coalesce(?4, -1)) > (told, direction, unit, help, coalesce(chance, -1))")
      .run(kind.name, direction_word(kind.better), kind.unit, kind.chance, kind.help, told);
  return database_.changes() > 0;
}

void Store::put_metric_kinds(std::span<const MetricKind> kinds, double told) {
  Transaction transaction(database_);
  for (const MetricKind& kind : kinds) {
    if (!put_metric_kind(kind, told)) continue;
    json::object row = to_json(kind);
    row["told"] = told;
    history_->note("metric_kind", row);
  }
  transaction.commit();
}

// A list that holds something else, of a plugin or of a newer worker, is no reason to lose the event.
void Store::take_metric_kinds(const event::Event& start) {
  const json::value* list = start.fields.if_contains("metrics");
  if (list == nullptr || !list->is_array()) return;
  for (const json::value& item : list->get_array())
    if (const auto kind = metric_kind_from(item)) put_metric_kind(*kind, start.time);
}

MetricKinds Store::metric_kinds() {
  MetricKinds kinds;
  Statement& row = sql("SELECT name, direction, unit, chance, help FROM metric_kind").bind();
  while (row.step())
    kinds.put({row.text(0), direction_from(row.text_view(1)).value_or(Better::neither), row.text(2),
               row.optional_real(3), row.text(4)});
  return kinds;
}

}  // namespace bitsweep::store
