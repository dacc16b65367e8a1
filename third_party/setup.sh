# shellcheck shell=bash
# Sourced by quickstart, check, get-libtorch and get-parquet: brings a machine to the point where build/ builds. Each
# step looks first and does only what is missing, so a second call takes no time and an interrupted one can be repeated.
# Messages go to stderr. A step that cannot go on ends the program with exit code 3 and the command that mends it.

bitsweep_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build_dir=$bitsweep_dir/build
torch_version=2.11.0

# What is needed on disk, measured on a bare Debian 12 (MB, rounded up): packages in /usr; LibTorch while it is being
# fetched (pip keeps the wheel twice for a moment); the build with its tests.
packages_need_mb=900
libtorch_need_mb=1100
build_need_mb=900

# --- messages ---------------------------------------------------------------------------------------------------------

say() { printf '      %s\n' "$*" >&2; }

# fail MESSAGE [HOW-TO-MEND-IT]…
fail() {
  printf '\nbitsweep: %s\n' "$1" >&2
  shift
  if [ $# -gt 0 ]; then printf '  %s\n' "$@" >&2; fi
  exit 3
}

steps_total=0
step_number=0
# step TEXT: "[2/5] TEXT", with the time since the start from the second on
step() {
  step_number=$((step_number + 1))
  local since=''
  if [ "$step_number" -gt 1 ]; then since=" (after $SECONDS s)"; fi
  printf '[%d/%d] %s%s\n' "$step_number" "$steps_total" "$1" "$since" >&2
}

# Bars only where somebody looks.
progress_bar() { if [ -t 2 ]; then echo on; else echo off; fi; }

# One set-up at a time in this checkout; the second waits. The lock is held through descriptor 9 until setup_unlock or
# the end of the program; programs started in between that outlive it must not inherit it.
setup_lock() {
  if [ "${BITSWEEP_SETUP_LOCKED-}" = "$bitsweep_dir" ]; then return; fi
  exec 9<"$bitsweep_dir/third_party"
  if ! flock -n 9; then
    say "another set-up is at work in this checkout; waiting for it"
    flock 9
  fi
  export BITSWEEP_SETUP_LOCKED=$bitsweep_dir
}
setup_unlock() {
  exec 9<&-
  unset BITSWEEP_SETUP_LOCKED
}

on_interrupt() {
  printf '\nbitsweep: interrupted after %d s; call again to go on\n' "$SECONDS" >&2
  exit 130
}

# --- system packages --------------------------------------------------------------------------------------------------

# Sets `system` ("debian 12") and `packages`; `packages` is empty on a system whose package names are not known here.
know_system() {
  system=unknown
  if [ -r /etc/os-release ]; then system=$(. /etc/os-release && echo "${ID-unknown} ${VERSION_ID-}"); fi
  local boost=''
  case $system in
    'debian 12') boost=1.81 ;;                # its unversioned Boost is 1.74, too old
    'ubuntu 24.04' | 'debian 13') boost='' ;; # 1.83
    *) packages=() && return ;;
  esac
  packages=(g++ binutils cmake ninja-build git ca-certificates
    "libboost$boost-dev" "libboost-program-options$boost-dev" "libboost-filesystem$boost-dev" "libboost-json$boost-dev"
    libfmt-dev libyaml-cpp-dev libsqlite3-dev libeigen3-dev nettle-dev zlib1g-dev libzstd-dev libgoogle-perftools-dev
    libpcre2-dev libutf8proc-dev libsentencepiece-dev
    libgtest-dev libgmock-dev libsimde-dev)
  if [ -z "${BITSWEEP_TORCH-}" ]; then packages+=(python3-pip unzip); fi
}

# Sets `missing` to the packages that are not installed. A program of one's own in PATH counts as its package.
find_missing() {
  missing=()
  local installed package
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null || true)
  for package in "${packages[@]}"; do
    case $package in
      g++ | cmake | git | unzip) ! command -v "$package" >/dev/null || continue ;;
      ninja-build) ! command -v ninja >/dev/null || continue ;;
      binutils) ! command -v readelf >/dev/null || continue ;;
      python3-pip) ! python3 -m pip --version >/dev/null 2>&1 || continue ;;
    esac
    case $'\n'$installed$'\n' in
      *$'\n'"installed $package"$'\n'*) ;;
      *) missing+=("$package") ;;
    esac
  done
}

install_command() {
  know_system
  if [ ${#packages[@]} -eq 0 ]; then packages=(python3-pip unzip); fi
  echo "apt-get update && apt-get install --no-install-recommends ${packages[*]}"
}

other_system() {
  command -v cmake >/dev/null && command -v ninja >/dev/null && command -v g++ >/dev/null && return
  fail "The packages of '$system' are not known here (Debian 12 and Ubuntu 24.04 are)." \
    "Install these and call again: g++ >= 12, cmake >= 3.25, ninja, git, binutils, Boost >= 1.81 (program_options," \
    "filesystem, json), fmt >= 9, yaml-cpp, SQLite 3, Eigen 3.4, nettle, zlib, libzstd >= 1.5, PCRE2, utf8proc," \
    "SentencePiece >= 0.1.97, GoogleTest with GoogleMock, python3 with pip, unzip. third_party/README.md says what each is for."
}

# Runs apt-get or dpkg as root; a person at a terminal may be asked for the password.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -- "$@"; fi
}

setup_packages() {
  if [ "${BITSWEEP_PACKAGES-}" = own ]; then return; fi
  know_system
  if [ ${#packages[@]} -eq 0 ]; then
    other_system
    say "'$system': the packages it needs are taken to be there"
    return
  fi
  find_missing
  if [ ${#missing[@]} -eq 0 ]; then return; fi
  local mend="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      fail "${#missing[@]} packages are missing, and there is neither root nor sudo to install them." \
        "As root: $mend" \
        "Or with libraries of your own where CMake finds them (CMAKE_PREFIX_PATH): BITSWEEP_PACKAGES=own ./quickstart"
    fi
    if ! sudo -n true 2>/dev/null && ! { [ -t 0 ] && sudo -v; }; then
      fail "${#missing[@]} packages are missing, and sudo wants a password that nobody is here to give." \
        "Run: sudo sh -c '$mend'"
    fi
  fi
  install_packages "$mend"
}

# apt_get ARGS…: non-interactive; waits for another apt instead of failing.
apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}

install_packages() {
  say "installing ${missing[*]}"
  local log
  log=$(mktemp)
  # An interrupted dpkg refuses all else until it has been finished.
  if {
    as_root env DEBIAN_FRONTEND=noninteractive dpkg --configure -a &&
      apt_get update && apt_get install -y --no-install-recommends "${missing[@]}"
  } </dev/null >"$log" 2>&1; then
    rm -f "$log"
    return
  fi
  tail -n 15 "$log" >&2
  rm -f "$log"
  fail "The packages could not be installed (the end of apt's output is above)." "When that is mended, call again, or as root: $1"
}

# --- disk -------------------------------------------------------------------------------------------------------------

# free_mb FOLDER: free for this user where FOLDER is
free_mb() { df --output=avail -BM -- "$1" | tail -n 1 | tr -dc '0-9'; }

# What is still to come must fit before anything is started.
setup_disk() {
  local here_mb=0 usr_mb=0
  know_system
  if [ ${#packages[@]} -gt 0 ]; then
    find_missing
    # a few small ones cost little; a bare machine lacks most
    if [ ${#missing[@]} -gt 5 ]; then usr_mb=$packages_need_mb; fi
  fi
  if [ -z "${BITSWEEP_TORCH-}" ] && ! libtorch_complete "$bitsweep_dir/third_party/libtorch"; then
    here_mb=$((here_mb + libtorch_need_mb))
  fi
  if [ ! -e "$build_dir/bin/bitsweep" ]; then here_mb=$((here_mb + build_need_mb)); fi
  if [ "$(stat -c %d /usr)" = "$(stat -c %d "$bitsweep_dir")" ]; then
    here_mb=$((here_mb + usr_mb))
    usr_mb=0
  fi
  need_disk "$bitsweep_dir" "$here_mb"
  need_disk /usr "$usr_mb"
}

need_disk() {
  if [ "$2" -eq 0 ]; then return; fi
  local free
  free=$(free_mb "$1")
  if [ "$free" -lt "$2" ]; then
    fail "$2 MB of disk are needed below $1, and $free MB are free." "Free $(($2 - free)) MB there and call again."
  fi
  say "needs up to $2 MB of disk below $1; $free MB are free"
}

# --- wheels -----------------------------------------------------------------------------------------------------------

# can_fetch WHAT INSTEAD: returns where wheels can be fetched, else the program ends; INSTEAD is for another processor
can_fetch() {
  local tool
  case $(uname -sm) in
    'Linux x86_64') ;;
    *) fail "$1 is fetched for Linux on x86-64 only." "$2" ;;
  esac
  for tool in python3 unzip; do
    command -v "$tool" >/dev/null || fail "'$tool' is missing; it is needed to fetch $1." "$(install_command)"
  done
  python3 -m pip --version >/dev/null 2>&1 || fail "Python's pip is missing; it is needed to fetch $1." \
    "$(install_command)"
}

# fetch_wheels REQUIREMENTS FOLDER: those wheels into FOLDER. pip checks every file against its hash; its own temporary
# files stay in FOLDER and leave with it.
fetch_wheels() {
  mkdir "$2/tmp"
  TMPDIR="$2/tmp" PIP_DISABLE_PIP_VERSION_CHECK=1 python3 -m pip download --quiet --progress-bar "$(progress_bar)" \
    --no-cache-dir --no-deps --only-binary=:all: --require-hashes --dest "$2" \
    --implementation cp --python-version 3.12 \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_25_x86_64 --platform manylinux2014_x86_64 \
    --requirement "$1" >&2
}

# --- LibTorch ---------------------------------------------------------------------------------------------------------

libtorch_version() {
  sed -n 's/^#define TORCH_VERSION_\(MAJOR\|MINOR\|PATCH\) \([0-9]*\).*/\2/p' \
    "$1/include/torch/headeronly/version.h" 2>/dev/null | paste -sd.
}

# The folder is renamed into place when it is whole; the version tells an older one.
libtorch_complete() {
  [ -e "$1/lib/libtorch_cpu.so" ] && [ -e "$1/lib/libc10.so" ] && [ -e "$1/include/ATen/ATen.h" ] &&
    [ "$(libtorch_version "$1")" = "$torch_version" ]
}

# Sets `torch_dir`. BITSWEEP_TORCH: unset for the fetched one, a folder for one's own, "python" for an installed torch.
setup_libtorch() {
  case ${BITSWEEP_TORCH-} in
    '')
      "$bitsweep_dir/third_party/get-libtorch"
      torch_dir=$bitsweep_dir/third_party/libtorch
      return
      ;;
    python)
      torch_dir=$(python3 -c 'import importlib.util as u; s = u.find_spec("torch"); print(s.submodule_search_locations[0] if s else "")') ||
        fail "BITSWEEP_TORCH=python, and python3 does not run." "Call again without BITSWEEP_TORCH, and LibTorch is fetched."
      [ -n "$torch_dir" ] || fail "BITSWEEP_TORCH=python, and $(command -v python3) has no torch." \
        "python3 -m pip install torch==$torch_version   (or call again without BITSWEEP_TORCH, and LibTorch is fetched)"
      ;;
    *) torch_dir=$(realpath -m -- "$BITSWEEP_TORCH") ;;
  esac
  libtorch_complete "$torch_dir" || fail "BITSWEEP_TORCH=$BITSWEEP_TORCH: no LibTorch $torch_version in $torch_dir (found: $(libtorch_version "$torch_dir" || true))." \
    "Name a folder with its include/ and lib/, or call again without BITSWEEP_TORCH, and LibTorch is fetched."
  say "LibTorch: $torch_dir"
}

# --- Arrow and Parquet ------------------------------------------------------------------------------------------------

parquet_version=26.0.1

# As libtorch_complete.
parquet_complete() {
  [ -e "$1/lib/libparquet.so" ] && [ -e "$1/lib/libarrow.so" ] && [ -e "$1/include/parquet/file_reader.h" ] &&
    grep -q "^#define ARROW_VERSION_STRING \"$parquet_version\"" "$1/include/arrow/util/config.h" 2>/dev/null
}

# --- build ------------------------------------------------------------------------------------------------------------

# cached NAME: a value of build/CMakeCache.txt
cached() { sed -n "s/^$1:[A-Z]*=//p" "$build_dir/CMakeCache.txt" 2>/dev/null || true; }

setup_configure() {
  # When it is configured as we want it, ninja itself configures again after a change of a list file.
  if [ -e "$build_dir/build.ninja" ] && [ "$(cached BITSWEEP_TORCH)" = "$torch_dir" ] &&
    [ "$(cached BITSWEEP_TESTS)" = ON ] && [ "$(cached BITSWEEP_WITH_TORCH)" = ON ] &&
    [ "$(cached CMAKE_HOME_DIRECTORY)" = "$bitsweep_dir" ]; then
    return
  fi
  # CMake insists that a cache stays where it was made: a moved checkout starts afresh.
  if [ -e "$build_dir/CMakeCache.txt" ] &&
    [ "$(cached CMAKE_HOME_DIRECTORY)" != "$bitsweep_dir" ]; then
    rm -rf "$build_dir"
  fi
  local log
  log=$(mktemp)
  if ! cmake -S "$bitsweep_dir" -B "$build_dir" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBITSWEEP_TESTS=ON \
    -DBITSWEEP_WITH_TORCH=ON -DBITSWEEP_TORCH="$torch_dir" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    fail "CMake could not configure the build (its output is above)." "After mending it, call again; when build/ itself is to blame, remove it first."
  fi
  rm -f "$log"
}

# setup_build TARGET…
setup_build() {
  NINJA_STATUS='      [%f/%t] ' ninja -C "$build_dir" "$@" >&2 || {
    [ $? -ne 130 ] || exit 130
    printf '\nbitsweep: the build failed (the compiler is above)\n' >&2
    exit 1
  }
}
