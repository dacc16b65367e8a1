#!/usr/bin/env bash
# Code is part of what a run is, by the real programs: two builds of one plugin side by side in one report, then the
# plugin rebuilt with other code under its finished runs: told by plan, submit and report, made anew by --again with the
# earlier attempt kept, and the same from a database that is made again. Paths hold spaces and quotes.
# usage: two_builds.sh BITSWEEP PLUGIN.so OTHER_BUILD.so
set -euo pipefail
bitsweep=$1 plugin=$2 other=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() { echo "$1" >&2 && exit 1; }

a="it's \"a\"" b="b c"
mkdir "$a" "$b"
manifest() { printf 'name: mine\nversion: %s\nsummary: a small model\n' "$1"; }
for folder in "$a" "$b"; do manifest 1 > "$folder/plugin.yaml"; done
cp "$plugin" "$a/mine.so"
cp "$other" "$b/mine.so"
cat > ablation.yaml <<'YAML'
name: ablation
grid: { model.plugin: ["./it's \"a\"/mine.so", ./b c/mine.so] }
data: { corpus: stories, tokenizer: ascii128, context: 32 }
train: { steps: 40, batch: 4, warmup: 5, lr: 3.0e-3 }
eval: { every: 20, windows: 8 }
checkpoint: { every: 20 }
YAML

# Two builds, two runs, two variants. A quiet run prints the report's path and nothing else.
"$bitsweep" --quiet --root "$work/root" run ablation.yaml > out.txt 2> err.txt
[ "$(wc -l < out.txt)" = 1 ] || fail "a quiet run printed: $(cat out.txt)"
[ ! -s err.txt ] || fail "a quiet run said: $(cat err.txt)"
report=$(cat out.txt)
export BITSWEEP_ROOT=$work/root
for variant in "$a/mine" "b c/mine"; do
  grep -qF "$variant" "$report" || fail "the report does not tell of $variant: $(cat "$report")"
done
"$bitsweep" plan ablation.yaml > plan.txt 2> plan.err
! grep -q 'another build' plan.txt plan.err || fail "the plan tells of another build: $(cat plan.txt plan.err)"
query() { "$bitsweep" query "$1" --csv | tail -n +2; }
run_of() { query "select id from runs where plugin like '%$1/mine.so'"; }
ra=$(run_of '"a"') rb=$(run_of 'b c')
[ -n "$ra" ] && [ -n "$rb" ] && [ "$ra" != "$rb" ] || fail "there are not two runs"
loss() { query "select last_val_bpc from runs where id = '$1'"; }
before=$(loss "$ra")
[ "$before" != "$(loss "$rb")" ] || fail "the two builds found the same"

# Built again as it was, in another file: the same code.
cp "$a/mine.so" copy.so && mv copy.so "$a/mine.so"
! "$bitsweep" plan ablation.yaml --json | grep -q other_build || fail "the same code is taken for another"

# Other code under the same path and version.
cp "$other" new.so && mv new.so "$a/mine.so"
"$bitsweep" plan ablation.yaml > plan.txt 2> plan.err
grep -q "^$ra .* plugin [0-9a-f]* *, now\|^$ra .*plugin [0-9a-f]*, now" plan.txt || fail "the plan: $(cat plan.txt)"
grep -q '1 of 2 finished runs were made by another build' plan.err || fail "the plan: $(cat plan.err)"
"$bitsweep" plan ablation.yaml --json | grep -q '"other_build": {' || fail "the plan's JSON does not tell"
"$bitsweep" submit ablation.yaml > submit.txt 2> /dev/null
grep -q "! $ra plugin" submit.txt || fail "submit: $(cat submit.txt)"
[ "$(query "select attempts from runs where id = '$ra'")" = 1 ] || fail "submit alone made it anew"
"$bitsweep" report ablation > out.txt
grep -q "1 finished run was made by another build of the code than the one at hand" "$(cat out.txt)" ||
  fail "the report: $(cat "$(cat out.txt)")"
"$bitsweep" report ablation --json | grep -q '"other_build"' || fail "the report's JSON does not tell"

# Anew: another attempt from step 0, the earlier one's events and files beside it.
"$bitsweep" run ablation.yaml --again > out.txt 2> err.txt
grep -q 'queued again' err.txt || fail "run --again: $(cat err.txt)"
! grep -q 'another build' "$(cat out.txt)" || fail "the report still tells of another build: $(cat "$(cat out.txt)")"
[ "$(query "select attempts from runs where id = '$ra'")" = 2 ] || fail "there is no second attempt"
[ "$(loss "$ra")" = "$(loss "$rb")" ] || fail "the same code under the same seed found something else"
first=$(query "select json_extract(fields, '\$.val_bpc') from events where run = '$ra' and attempt = 1 and event = 'eval' and step = 40")
[ "$first" = "$before" ] || fail "the first attempt's result is gone: '$first' was '$before'"
[ "$(query "select count(distinct attempt) from eval where run = '$ra'")" = 1 ] || fail "evals of two builds are mixed"
for attempt in 1 2; do
  [ -s "root/runs/$ra/attempt-$attempt/checkpoints/last.safetensors" ] || fail "attempt $attempt has no checkpoint"
done
"$bitsweep" submit ablation.yaml --again > submit.txt 2> /dev/null
grep -q '2 done' submit.txt || fail "once more: $(cat submit.txt)"
"$bitsweep" rebuild --check > check.txt || fail "made again from the run folders: $(cat check.txt)"

# A version raised by its author is another run.
manifest 2 > "$a/plugin.yaml"
"$bitsweep" plan ablation.yaml --json > plan.json 2> /dev/null
! grep -q "\"$ra\"" plan.json || fail "another version has the same id"
grep -q "\"$rb\"" plan.json || fail "a plugin that did not change has another id"
