# shellcheck shell=bash
#
# Other versions of OpenSSL out of Debian packages, each unpacked into a directory of its own with
# the C library that it was built for.  Nothing is installed on this machine, nothing is mounted,
# root is not needed; the signatures of the archive are checked.
# Sourced by tests/versions.
#
#     openssl_prefix SUITE    # 0 with $PREFIX set, or 1 with the reason on standard error
#     openssl_enter PREFIX    # this shell's openssl program and pkg-config are that version's
#     openssl_leave           # this machine's again
#
# SUITE is a Debian suite; experimental sits on top of sid.  Downloads are kept for a week in
# $XDG_CACHE_HOME/schannel-tests (by default below ~/.cache, for root /var/cache).
#
# A prefix holds
#     root/           what the packages contain
#     bin/openssl     the openssl program, run by the C library of the prefix
#     link-options    what a compiler needs to link a program that runs with this prefix

if [ -n "${XDG_CACHE_HOME:-}" ]; then
    openssl_cache=$XDG_CACHE_HOME/schannel-tests
elif [ "$(id -u)" -eq 0 ]; then
    openssl_cache=/var/cache/schannel-tests # the tests have programs that run as nobody
else
    openssl_cache=$HOME/.cache/schannel-tests
fi
openssl_cache_days=7

# Where this machine gets its Debian packages from.
openssl_archive() {
    local found
    # shellcheck disable=SC2016 # for apt-get to expand
    found=$(apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 2>/dev/null |
        awk -F'|' '$1 == "Debian" && $2 == "Debian" { print $3; exit }')
    printf '%s\n' "${found:-http://deb.debian.org/debian}"
}

openssl_keyring() {
    local file
    for file in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
        [ -e "$file" ] && printf '%s\n' "$file" && return 0
    done
    echo 'no keyring of the Debian archive: install debian-archive-keyring' >&2
    return 1
}

# openssl_apt DIRECTORY ARGUMENTS...: apt-get with lists and status of its own.
openssl_apt() {
    local directory=$1
    shift
    apt-get -qq -o "Dir::Etc::SourceList=$directory/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o "Dir::State::Lists=$directory/lists" -o "Dir::State::status=$directory/status" \
        -o "Dir::Cache=$directory/cache" -o APT::Sandbox::User= -o Acquire::Languages=none \
        -o Acquire::Check-Valid-Until=false "$@"
}

# Downloads the packages of SUITE to DIRECTORY/debs.
openssl_download() {
    local directory=$1 suite=$2 base=$2 library=libssl3t64 archive keyring release=()
    if [ "$suite" = experimental ]; then
        base=sid library=libssl4 release=(-t experimental)
    fi
    archive=$(openssl_archive)
    keyring=$(openssl_keyring) || return 1
    mkdir -p "$directory/lists/partial" "$directory/cache/archives/partial" "$directory/debs"
    : >"$directory/status"
    printf "deb [signed-by=$keyring] $archive %s main\n" "$base" >"$directory/sources.list"
    [ "$base" = "$suite" ] ||
        printf "deb [signed-by=$keyring] $archive %s main\n" "$suite" >>"$directory/sources.list"
    # An update that fails is only a warning unless asked otherwise.
    openssl_apt "$directory" -o APT::Update::Error-Mode=any update >"$directory/log" 2>&1 &&
        (cd "$directory/debs" && openssl_apt "$directory" "${release[@]}" download "$library" libssl-dev \
            openssl openssl-provider-legacy libc6 zlib1g libzstd1) >>"$directory/log" 2>&1
}

# Unpacks DIRECTORY/debs and writes what stands beside the root.
openssl_unpack() {
    local directory=$1 target=$2 file multiarch root=$2/root libraries loader=
    multiarch=$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || gcc -print-multiarch)
    libraries=$root/usr/lib/$multiarch
    for file in "$directory"/debs/*.deb; do
        dpkg-deb -x "$file" "$root" || return 1
    done
    for file in "$root"/usr/lib64/ld-*.so.* "$root"/lib64/ld-*.so.* "$libraries"/ld-linux*.so.*; do
        [ -e "$file" ] && loader=$file && break
    done
    if [ -z "$loader" ]; then
        echo 'the libc6 package has no dynamic linker where one was expected' >&2
        return 1
    fi
    # One directory of headers, and paths that are true here.
    cp -r "$root/usr/include/$multiarch/openssl/." "$root/usr/include/openssl/" || return 1
    sed -i "s|^prefix=.*|prefix=$root/usr|; s|^libdir=.*|libdir=$libraries|" \
        "$libraries"/pkgconfig/{libcrypto,libssl,openssl}.pc || return 1
    printf -- '-Wl,--dynamic-linker=%s -Wl,--disable-new-dtags,-rpath,%s -Wl,--allow-shlib-undefined\n' \
        "$loader" "$libraries" >"$target/link-options"
    mkdir "$target/bin"
    cat >"$target/bin/openssl" <<X
#!/bin/sh
: "\${OPENSSL_MODULES:=$libraries/ossl-modules}"
: "\${OPENSSL_CONF:=/dev/null}"
export OPENSSL_MODULES OPENSSL_CONF
exec $loader --library-path $libraries $root/usr/bin/openssl "\$@"
X
    chmod +x "$target/bin/openssl"
    printf '%s\n' "$libraries" >"$target/libraries"
}

openssl_is_fresh() {
    [ -e "$1/version" ] && [ -n "$(find "$1/version" -mtime "-$openssl_cache_days")" ]
}

openssl_prefix() {
    local suite=$1 new
    PREFIX=$openssl_cache/$suite
    openssl_is_fresh "$PREFIX" && return 0
    mkdir -p "$openssl_cache" || return 1
    new=$(mktemp -d "$openssl_cache/$suite.XXXXXX") || return 1
    if ! openssl_download "$new/download" "$suite"; then
        printf 'OpenSSL of Debian %s: the archive %s cannot be reached or lacks it; apt-get said:\n' \
            "$suite" "$(openssl_archive)" >&2
        tail -n 10 "$new/download/log" >&2
        rm -rf "$new"
        return 1
    fi
    rm -rf "$PREFIX"
    # The files name the directory that they are in, so it is the final one.
    if ! mkdir "$PREFIX" || ! openssl_unpack "$new/download" "$PREFIX" ||
        ! "$PREFIX/bin/openssl" version >"$new/version" 2>"$new/log"; then
        printf 'OpenSSL of Debian %s does not unpack into %s, or does not run:\n' "$suite" "$PREFIX" >&2
        [ ! -e "$new/log" ] || tail -n 5 "$new/log" >&2
        rm -rf "$new" "$PREFIX"
        return 1
    fi
    mv "$new/version" "$PREFIX/version"
    rm -rf "$new"
}

openssl_path=$PATH

openssl_enter() {
    local libraries
    libraries=$(cat "$1/libraries")
    export PATH="$1/bin:$openssl_path" PKG_CONFIG_PATH="$libraries/pkgconfig"
    export OPENSSL_MODULES="$libraries/ossl-modules" OPENSSL_CONF=/dev/null
}

openssl_leave() {
    export PATH=$openssl_path
    unset PKG_CONFIG_PATH OPENSSL_MODULES OPENSSL_CONF
}
