// A root of the program before its rooms were laid out in wings: it opens, and its ids are what specs still hash to.
#include <fstream>

#include "spec/run_spec.h"
#include "store/control.h"
#include "store/rebuild.h"
#include "store/schema.h"
#include "store/store_fixture.h"
#include "store/sweep_settings.h"

namespace bitsweep::store {
namespace {

class OldRootTest : public testing::Test {
 protected:
  OldRootTest() : root(fresh_folder("old")) {
    fs::copy(fs::path(BITSWEEP_SOURCE_DIR) / "tests/queue/store/root_9c0c5ae", root,
             fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  }
  fs::path root;
};

TEST_F(OldRootTest, OpensWithItsRunsAsTheyWere) {
  Store store(root, StoreMode::create);
  EXPECT_EQ(store.sweep_names(), (std::vector<std::string>{"ladder", "late"}));
  EXPECT_EQ(store.counts(), (std::map<RunState, int64_t>{{RunState::done, 2}, {RunState::failed, 1}}));
  const json::value told = parse_json(read_file(root / "runs.json"), "runs.json");
  for (const json::value& value : told.as_array()) {
    const json::object& row = value.as_object();
    const RunRecord run = store.run(string_or(row, "id", "")).value();
    EXPECT_EQ(to_text(run.state), string_or(row, "state", ""));
    EXPECT_EQ(run.params, integer_or(row, "params", 0));
    if (run.last_val_bpc) {
      EXPECT_EQ(*run.last_val_bpc, number_or(row, "last_val_bpc", 0));
    }
  }
  EXPECT_EQ(store.run("f5f3c5632b0b")->cause, ExitCause::timeout);
}

TEST_F(OldRootTest, SpecsAreStillTheSameRuns) {
  Store store(root, StoreMode::create);
  for (const KnownRun& run : known_runs(store)) {
    const spec::RunSpec spec = spec::run_spec_from_json(store.run(run.id)->spec);
    EXPECT_EQ(run_id(spec), run.id);
    EXPECT_EQ(canonical_json(to_json(spec)), canonical_json(store.run(run.id)->spec));
  }
}

TEST_F(OldRootTest, SettingsOfItsSweepsAreReadAndWrittenAsTheyAre) {
  Store store(root, StoreMode::create);
  for (const std::string& name : store.sweep_names()) {
    const json::object settings = store.sweep_settings(name).value();
    EXPECT_EQ(canonical_json(to_json(sweep_settings_from(settings))), canonical_json(settings));
  }
  const SweepSettings ladder = sweep_settings_from(store.sweep_settings("ladder").value());
  EXPECT_EQ(ladder.stop_rule, "median");
  EXPECT_EQ(ladder.stop.within, std::vector<std::string>{"model.plugin"});
  EXPECT_EQ(ladder.targets.at(0).tokens, 1e7);
  EXPECT_EQ(ladder.stop.diverged, SweepSettings::Stop::kUsualDiverged);
}

TEST_F(OldRootTest, ItsFoldersTellAllOfItsRows) {
  Rebuild rebuild(root, fresh_folder("scratch"));
  rebuild.replay();
  rebuild.read_events();
  EXPECT_TRUE(rebuild.result().problems.empty());
  Database before(root / "bitsweep.db", Database::Mode::create);
  for (const TableDifference& table : compare_databases(before, rebuild.store().database()))
    EXPECT_EQ(table.differences, 0) << table.table;
}

TEST(SweepSettings, OnlyAnUnusualBoundOfDivergenceIsWritten) {
  SweepSettings settings;
  EXPECT_FALSE(to_json(settings).at("stop").as_object().contains("diverged"));
  settings.stop.diverged = 0;
  EXPECT_EQ(sweep_settings_from(to_json(settings)).stop.diverged, 0);
  EXPECT_EQ(sweep_settings_from({{"stop_rule", 3}, {"stop", nullptr}, {"after", "x"}}).stop_rule, "none");
}

}  // namespace
}  // namespace bitsweep::store
