#!/usr/bin/env bash
# A Parquet file as a corpus, by the real programs: the run has the id of one on the same strings as JSON lines, and
# trains on either; without bitsweep-parquet beside them it is refused with what to do, with a field and without.
# usage: parquet.sh SOURCE BUILD       Exit code 77: bitsweep-parquet is not built.
set -euo pipefail
source=$1 build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() { echo "$1" >&2 && exit 1; }
# has TEXT FILE WHAT
has() { grep -qF "$1" "$2" || fail "$3: $(cat "$2")"; }

export BITSWEEP_ROOT=$work/root BITSWEEP_PLUGINS=$build/plugins
cp "$source/tests/model/columns/files/many.parquet" table
for ((i = 0; i < 600; ++i)); do
  number=$(printf '%05d ' "$i")
  printf '{"text": "%send"}\n' "$number$number$number$number$number$number$number$number$number$number$number"
done > lines
cat > sweep.yaml <<'YAML'
name: table
model: { plugin: llama, d_model: 32, n_layers: 1, n_heads: 1, d_ff: 32 }
data: { corpus: table, field: text, tokenizer: ascii128, context: 32 }
train: { batch: 4, steps: 4, warmup: 1, lr: 3.0e-3 }
eval: { every: 4, windows: 4 }
YAML

sed 's/ field: text,//' sweep.yaml > plain.yaml

# Nothing beside the programs.
mkdir bin
cp "$build/bin/bitsweep" "$build/bin/bitsweep-worker" bin
for sweep in sweep plain; do
  ! bin/bitsweep plan $sweep.yaml > out.txt 2>&1 || fail "$sweep: read without the program"
  has 'third_party/get-parquet and build again, or write the column out as JSON lines' out.txt "$sweep"
done

[ -x "$build/bin/bitsweep-parquet" ] || exit 77
bitsweep=$build/bin/bitsweep
! "$bitsweep" plan plain.yaml > out.txt 2>&1 || fail "read without a field"
has "name the column with its text in data.field ('text')" out.txt "without a field"
! "$bitsweep" plan sweep.yaml --set data.field=txt > out.txt 2>&1 || fail "read by a column that is not there"
has "did you mean 'text'?" out.txt "another column"

ids() { "$bitsweep" plan sweep.yaml --json "$@" | grep -o '"id": "[0-9a-f]*"'; }
ids > table.ids
ids --set data.corpus=lines > lines.ids
[ -s table.ids ] || fail "the plan has no ids"
diff table.ids lines.ids || fail "the same strings have other ids as JSON lines"

"$bitsweep" run sweep.yaml --quiet > out.txt 2>&1 || fail "the run: $(cat out.txt)"
state=$("$bitsweep" query "select state from runs" --csv | tail -n 1)
[ "$state" = done ] || fail "the run is $state"
