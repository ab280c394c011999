# shellcheck shell=bash
#
# Installs the Debian packages that building and testing need, where that is allowed.
# Sourced by tests/demo, tests/check and tests/fuzz/run.
#
#     install_missing build demo    # returns 0 when everything is there in the end, else 1
#     report_missing build demo     # installs nothing; says what is missing, and returns 1 then
#
# Nothing is done, asked or printed when nothing is missing.

# group | what to look for | package that brings it
install_table='
build|c-compiler|gcc
build|c-headers|libc6-dev
build|command cmake|cmake
build|build-tool|ninja-build
build|pkg-config|pkg-config
build|library libcrypto >= 3.0|libssl-dev
build|library libssl >= 3.0|libssl-dev
build|library cmocka|libcmocka-dev
build|command pod2man|perl
demo|command openssl|openssl
demo|command curl|curl
demo|command setpriv|util-linux
demo|command nm|binutils
test|command openssl|openssl
test|command python3|python3
test|command setpriv|util-linux
test|command c++|g++
test|command dpkg-shlibdeps|dpkg-dev
test|command file|file
test|command tstclnt|libnss3-tools
test|command gnutls-cli|gnutls-bin
test|command swtpm|swtpm
test|command tpm2_createprimary|tpm2-tools
test|provider tpm2|tpm2-openssl
test|library valgrind|valgrind
lint|command git|git
lint|command clang-format|clang-format
lint|command clang-tidy|clang-tidy
lint|command cppcheck|cppcheck
lint|command shellcheck|shellcheck
sanitize|sanitizers|clang
sanitize|sanitizers|libclang-rt-14-dev
sanitize|command llvm-symbolizer|llvm
fuzz|libfuzzer|clang
fuzz|libfuzzer|libclang-rt-14-dev
fuzz|command llvm-symbolizer|llvm
coverage|command gcc|gcc
coverage|command gcovr|gcovr
versions|command gcc|gcc
versions|command clang|clang
versions|debian-keyring|debian-archive-keyring
'

# Is it there?  $1 is the second column of the table.
install_probe() {
    case $1 in
    'command '*) command -v "${1#command }" >/dev/null ;;
    'library '*) command -v pkg-config >/dev/null && pkg-config --exists "${1#library }" ;;
    c-compiler) command -v cc >/dev/null || command -v gcc >/dev/null || command -v clang >/dev/null ;;
    # a compiler without its recommended packages has no <stdio.h>
    c-headers) [ -e /usr/include/stdio.h ] ;;
    # where libcrypto looks for the modules of its providers
    'provider '*) [ -e "$(openssl version -m 2>/dev/null | sed 's/^MODULESDIR: "\(.*\)"$/\1/')/${1#provider }.so" ] ;;
    build-tool) command -v ninja >/dev/null || command -v make >/dev/null ;;
    pkg-config) command -v pkg-config >/dev/null ;;
    # clang, and its runtime, which another package may bring
    libfuzzer) [ -e "$(clang -print-runtime-dir 2>/dev/null)/libclang_rt.fuzzer-$(uname -m).a" ] ;;
    # the one that the openssl program is given before it loads a module
    sanitizers) [ -e "$(clang -print-runtime-dir 2>/dev/null)/libclang_rt.asan-$(uname -m).so" ] ;;
    debian-keyring) ls /usr/share/keyrings/debian-archive-keyring.* >/dev/null 2>&1 ;;
    *) return 1 ;;
    esac
}

# Prints the packages that are missing for the groups given, one a line.
install_list_missing() {
    local group probe package wanted
    while IFS='|' read -r group probe package; do
        [ -n "$group" ] || continue
        for wanted in "$@"; do
            if [ "$wanted" = "$group" ] && ! install_probe "$probe"; then
                printf '%s\n' "$package"
            fi
        done
    done <<<"$install_table" | sort -u
}

# Runs apt-get as root.
install_apt_get() {
    local run=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120)
    [ "$(id -u)" -eq 0 ] || run=(sudo -n "${run[@]}")
    "${run[@]}" "$@" </dev/null
}

install_is_allowed() {
    command -v apt-get >/dev/null || return 1
    [ "$(id -u)" -eq 0 ] || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }
}

# Does apt know every package?  A fresh system or container has no package lists.
install_lists_are_there() {
    local package
    for package in "$@"; do
        apt-cache show --no-all-versions "$package" >/dev/null 2>&1 || return 1
    done
}

report_missing() {
    local missing
    missing=$(install_list_missing "$@")
    [ -n "$missing" ] || return 0
    mapfile -t missing <<<"$missing"
    printf 'missing: %s\n' "${missing[*]}" >&2
    printf 'please run as root:  apt-get update && apt-get install --no-install-recommends %s\n' \
        "${missing[*]}" >&2
    return 1
}

install_missing() {
    local missing updated=no log
    missing=$(install_list_missing "$@")
    [ -n "$missing" ] || return 0
    mapfile -t missing <<<"$missing"
    if ! install_is_allowed; then
        printf 'not allowed to install packages: not root, and no sudo without a password\n' >&2
        report_missing "$@"
        return 1
    fi
    printf 'installing Debian packages: %s\n' "${missing[*]}"
    log=$(mktemp) || return 1
    if ! install_lists_are_there "${missing[@]}"; then
        updated=yes
        install_apt_get update >>"$log" 2>&1
    fi
    if ! install_apt_get install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
        # lists that are too old name files that are gone
        if [ "$updated" = no ]; then
            install_apt_get update >>"$log" 2>&1
            install_apt_get install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1
        fi
    fi
    hash -r
    if ! report_missing "$@"; then
        printf 'apt-get said:\n' >&2
        tail -n 20 "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}
