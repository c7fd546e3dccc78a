# What the scripts share: messages, system packages by name, the build. Sourced, not run.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*"; }
step() { printf '\n== %s\n' "$*"; }
fail() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# Debian packages, by what needs them.
packages_build=(libprotobuf-c-dev libnghttp2-dev libarchive-dev libsqlite3-dev libcurl4-openssl-dev zlib1g-dev pkg-config)
packages_test=(
  protobuf-compiler protobuf-c-compiler libprotobuf-dev libgrpc++-dev protobuf-compiler-grpc g++ nghttp2-client curl unzip
  python3 python3-venv python3-cryptography chromium chromium-driver golang-go golang-google-grpc-dev golang-github-golang-protobuf-1-5-dev
  protoc-gen-go-1-5 protoc-gen-go-grpc e2fsprogs xfsprogs btrfs-progs
)
packages_bench=(libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc gcc g++ nghttp2-client curl python3)

# need_packages NAME...: installs those that are missing; root or sudo is needed only when some are.
need_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  say "Installing from Debian: ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "run as root once: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  local log; log=$(mktemp)
  if ! { "${as_root[@]}" apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"; } \
    >"$log" 2>&1; then
    tail -n 20 "$log" >&2; rm -f "$log"
    fail "could not install ${missing[*]}; install them by hand and run this again"
  fi
  rm -f "$log"
}

need_swift() {
  command -v swift >/dev/null || fail "Swift 6.2 or newer is needed: https://www.swift.org/install/linux/"
  local version
  version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+)\.([0-9]+).*/\1 \2/p' | head -n 1)
  # shellcheck disable=SC2086
  set -- $version
  { [ "${1:-0}" -gt 6 ] || { [ "${1:-0}" -eq 6 ] && [ "${2:-0}" -ge 2 ]; }; } ||
    fail "Swift 6.2 or newer is needed; this is ${1:-?}.${2:-?}"
}

# What ships is built with Swift's own libraries inside it, so that it runs where no Swift is installed, is bound at link
# time and takes half the memory; and with small functions of one module inlined into another.
release_options=(--static-swift-stdlib -Xswiftc -cross-module-optimization)

# bound_log FILE BYTES KEEP: a log that has grown beyond BYTES becomes FILE.1, what was FILE.1 becomes FILE.2, and so on up
# to KEEP. Its writer has it open for appending, and goes on in the emptied file; lines that are written between the copy
# and the emptying are lost.
bound_log() {
  local file=$1 bytes=$2 keep=$3 number
  [ "$(stat -c %s -- "$file" 2>/dev/null || echo 0)" -gt "$bytes" ] || return 0
  for ((number = keep; number >= 1; number--)); do
    [ ! -e "$file.$number" ] || { [ "$number" -lt "$keep" ] && mv -f -- "$file.$number" "$file.$((number + 1))"; } ||
      rm -f -- "$file.$number"
  done
  # On a full disk there is no room for a copy; the bound holds all the same.
  cp -p -- "$file" "$file.1" 2>/dev/null || rm -f -- "$file.1"
  : >"$file"
}

# build_products CONFIGURATION PRODUCT...: builds with progress on a terminal, and one line a product elsewhere.
build_products() {
  local configuration=$1 product log options=(); shift
  [ "$configuration" != release ] || options=("${release_options[@]}")
  log=$(mktemp)
  for product in "$@"; do
    if [ -t 1 ]; then
      # Colours are among the options that what was built is compared by: with them, all would be built again.
      (cd "$repository" && swift build --no-color-diagnostics -c "$configuration" "${options[@]}" --product "$product") || { rm -f "$log"; fail "the build of $product failed"; }
    else
      say "building $product"
      (cd "$repository" && swift build -c "$configuration" "${options[@]}" --product "$product") >"$log" 2>&1 ||
        { grep -E 'error:|warning:' "$log" >&2 || tail -n 40 "$log" >&2; rm -f "$log"; fail "the build of $product failed"; }
    fi
  done
  rm -f "$log"
}

binaries() { (cd "$repository" && swift build -c "$1" --show-bin-path); }
