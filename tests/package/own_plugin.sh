#!/usr/bin/env bash
# What plugins/README.md tells of a plugin of one's own, done as written: its text becomes the files, the build in BUILD
# is installed into a new folder, the plugin is built against that, and the installed program checks, measures and trains
# it, to a report.
# usage: own_plugin.sh SOURCE BUILD
set -euo pipefail
source=$1 build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# block LANGUAGE: the first code block of that language
block() { sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/p" "$source/plugins/README.md" | sed '/^```/d'; }

mkdir "$work/mine"
block cpp > "$work/mine/plugin.cpp"
block yaml > "$work/mine/plugin.yaml"
block cmake > "$work/mine/CMakeLists.txt"
lines=$(wc -l < "$work/mine/plugin.cpp")
if [ "$lines" -gt 60 ]; then echo "plugin.cpp has $lines lines" >&2 && exit 1; fi

cmake --install "$build" --prefix "$work/prefix" > "$work/install.log"
cd "$work/mine"
block sh > build.sh
export PREFIX=$work/prefix
bash -e build.sh

cd "$work"
cat > sweep.yaml <<'YAML'
name: own-plugin
model: { plugin: mine, d_model: 32, n_layers: 2, n_heads: 1, d_ff: 32 }
data: { corpus: stories, tokenizer: ascii128, context: 32 }
train: { batch: 4, steps: 30, warmup: 5, lr: 3.0e-3 }
eval: { every: 10, windows: 8 }
report: { targets: [{ params: 100k, tokens: 100k }] }
YAML
bitsweep=$work/prefix/bin/bitsweep
"$bitsweep" plugins check mine
"$bitsweep" plan sweep.yaml --measure --root "$work/root" --json > plan.json
grep -q '"hours_from": "measured"' plan.json || { echo "the plan has no time" >&2 && exit 1; }
"$bitsweep" run sweep.yaml --root "$work/root"
state=$("$bitsweep" query "select state from runs" --root "$work/root" --csv | tail -n 1)
[ "$state" = done ] || { echo "the run is $state" >&2 && exit 1; }

# What `run` ends with is the whole report: the same, byte for byte, as when it is asked for again.
grep -q '<summary><b>Next runs</b>' reports/own-plugin/report.md || { echo "the report names no next runs" >&2 && exit 1; }
"$bitsweep" report own-plugin --root "$work/root" --out again
diff -r reports/own-plugin again/own-plugin
